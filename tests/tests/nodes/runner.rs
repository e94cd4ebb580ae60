//! One runner: each checkpoint is shown to an anchor by one node, and when that one dies another takes over.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use assay_tests::Nodes;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::team::{at, file, nodes_with, open_case, postgres, until};

const NODES: usize = 3;
/// The most bytes of a request that are read.
const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// What a node logs that has begun to show checkpoints.
const RUNS: &str = "this node runs what only one node runs";

/// A server that takes every checkpoint: their sizes, in the order they came.
#[derive(Clone, Debug, Default)]
struct Anchor {
    sizes: Arc<Mutex<Vec<u64>>>,
}

impl Anchor {
    /// Starts it; the address to send to.
    async fn start() -> Result<(Self, String)> {
        let anchor = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/checkpoints", listener.local_addr()?);
        let taking = anchor.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taking = taking.clone();
                // Whoever breaks off asks again.
                tokio::spawn(async move { taking.take(stream).await.ok() });
            }
        });
        Ok((anchor, url))
    }

    async fn take(&self, mut stream: TcpStream) -> Result<()> {
        let mut bytes = Vec::new();
        let size = loop {
            if stream.read_buf(&mut bytes).await? == 0 || bytes.len() > REQUEST_BYTES_MAX {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
            if let Ok(body) = serde_json::from_str::<Value>(body) {
                break body["size"].as_u64().context("a size")?;
            }
        };
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).push(size);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .await?;
        Ok(())
    }

    fn sizes(&self) -> Vec<u64> {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a checkpoint that covers an entry has come.
    async fn until_covered(&self, position: u64) -> Result<()> {
        let what = format!("a checkpoint over entry {position} at the anchor");
        until(&what, async || Ok(self.sizes().last().is_some_and(|size| *size >= position))).await
    }
}

/// The nodes that have begun to show checkpoints.
fn runners(nodes: &Nodes, among: &[usize]) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    for number in among {
        if nodes.node(*number)?.logged()?.contains(RUNS) {
            found.push(*number);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn an_anchor_is_shown_each_checkpoint_by_one_node_and_another_takes_over() -> Result<()> {
    let (anchor, url) = Anchor::start().await?;
    let ledger = format!(
        "[[ledger.anchors]]\nname = \"outside\"\nkind = \"webhook\"\nto = {url:?}\nevery_s = 1\n"
    );
    let mut nodes = nodes_with(&postgres()?.database()?, NODES, &ledger).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    for count in 0..4 {
        let answer = file(&at(&ana, &nodes, count % NODES)?, &case, "News.").await?.expect(201)?;
        anchor.until_covered(answer.number_at("/receipt/position")?).await?;
    }
    let all: Vec<usize> = (0..NODES).collect();
    let running = runners(&nodes, &all)?;
    assert_eq!(running.len(), 1, "{running:?}");
    let shown = anchor.sizes();
    assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "each once: {shown:?}");

    nodes.kill(running[0]).await?;
    let left: Vec<usize> = all.into_iter().filter(|number| *number != running[0]).collect();
    let answer = file(&at(&ana, &nodes, left[0])?, &case, "After.").await?.expect(201)?;
    anchor.until_covered(answer.number_at("/receipt/position")?).await?;
    let next = runners(&nodes, &left)?;
    assert_eq!(next.len(), 1, "one took over: {next:?}");
    let after = anchor.sizes();
    let (before, after) = after.split_at(shown.len());
    ensure!(before == shown, "{before:?}");
    assert!(after.windows(2).all(|pair| pair[0] < pair[1]), "each once: {after:?}");

    // Who comes back does not interfere; who ends in good order hands over.
    nodes.add(running[0]).await?;
    ensure!(nodes.stop(next[0]).await?, "it ends well");
    let who = left.into_iter().find(|number| *number != next[0]).context("a third")?;
    let answer = file(&at(&ana, &nodes, who)?, &case, "Later.").await?.expect(201)?;
    anchor.until_covered(answer.number_at("/receipt/position")?).await
}
