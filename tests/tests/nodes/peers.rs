//! Peers: every node knows how far the others are, and one whose journal was altered behind its back stands alone.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use assay_store::journal::Journal as _;
use assay_store_sqlite::{Options, SqliteLog, tamper};
use assay_tests::run_failing;

use crate::team::{
    at, console, file, metric, nodes, of_node, open_case, readiness, stop, until, until_ready_says,
};

const NODES: usize = 3;
/// How many entries are looked through for one to alter.
const LOOKED_THROUGH_MAX: usize = 500;

/// Alters an entry in the middle and makes the journal whole in itself again; takes away what contradicts it.
fn alter(data: &Path) -> Result<()> {
    let path = data.join("journal.db");
    let found = {
        let journal = SqliteLog::open(&path, Options::default())?;
        let entries = journal.entries(0, LOOKED_THROUGH_MAX)?;
        let mut texts = entries.into_iter().filter_map(|entry| {
            let text = String::from_utf8(entry.recorded.fact.data.to_vec()).ok()?;
            text.contains("TLP:AMBER").then_some((entry.position, text))
        });
        texts.next().context("an entry with a marking")?
    };
    tamper::edit_data(&path, found.0, found.1.replace("TLP:AMBER", "TLP:GREEN").as_bytes())?;
    tamper::rehash(&path, 1)?;
    fs::remove_dir_all(data.join("ledger"))?;
    for name in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = fs::remove_file(data.join(name));
    }
    Ok(())
}

#[tokio::test]
async fn a_node_with_an_altered_journal_stands_alone_and_takes_no_writes() -> Result<()> {
    let mut nodes = nodes(NODES).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    file(&ana, &case, "Before.").await?.expect(201)?;
    for number in 0..NODES {
        let heard = async || Ok(metric(&nodes, number, "assay_peers").await? == Some(2.0));
        until(&format!("node {number} to hear two others"), heard).await?;
        for name in ["assay_peers_silent", "assay_peers_disagree"] {
            assert_eq!(metric(&nodes, number, name).await?, Some(0.0), "{name} of node {number}");
        }
        let position = format!("assay_peer_position{{node=\"node{}\"}}", (number + 1) % NODES);
        assert!(metric(&nodes, number, &position).await?.is_some_and(|position| position > 0.0));
        until_ready_says(&nodes, number, 200).await?;
    }
    let said = console(&nodes, 0, &["nodes"])?;
    for number in 0..NODES {
        assert!(said.contains(&format!("node{number}")), "{said}");
    }
    assert!(said.contains("the same root"), "{said}");

    stop(&mut nodes, &[2]).await?;
    alter(&nodes.data(2))?;
    nodes.add(2).await?;
    until_ready_says(&nodes, 2, 503).await?;
    let ready = readiness(&nodes, 2).await?;
    assert_eq!(ready.code(), "not_ready", "{}", ready.text);
    let there = at(&ana, &nodes, 2)?;
    let refused = file(&there, &case, "By another history.").await?;
    assert_eq!((refused.status, refused.code()), (503, "house_unsound"), "{}", refused.text);
    assert!(nodes.node(2)?.logged()?.contains("the same history"));
    for number in 0..2 {
        let alarm = async || Ok(metric(&nodes, number, "assay_peers_disagree").await? == Some(1.0));
        until(&format!("node {number} to raise an alarm"), alarm).await?;
        // Two of three are enough to go on.
        readiness(&nodes, number).await?.expect(200)?;
        file(&at(&ana, &nodes, number)?, &case, "After.").await?.expect(201)?;
    }
    assert_eq!(metric(&nodes, 2, "assay_peers_disagree").await?, Some(2.0));
    let node = of_node(&nodes, 0)?;
    let list: Vec<&str> = ["nodes"].into_iter().chain(node.iter().map(String::as_str)).collect();
    // They are compared where they are equally far; nobody writes now.
    until("the console to tell", async || {
        Ok(run_failing(&list).is_ok_and(|(code, said)| code == 1 && said.contains("NOT THE SAME")))
    })
    .await
}
