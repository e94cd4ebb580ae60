//! The same house over KurrentDB, as far as a double of its protocol can show it.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result};
use assay_tests::assay;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::team::{all_hold_the_same, at, console, file, news, nodes_at, open_case, reports, stop};

/// The double as a process; it ends when this goes.
struct Double {
    _child: Child,
    url: String,
}

impl Double {
    async fn start() -> Result<Self> {
        let program: PathBuf = assay()?.with_file_name("assay-testing-kurrentdb");
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}; `make test` builds it", program.display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?.context("a line")?;
        let said: Value = serde_json::from_str(&line)?;
        let url = said["url"].as_str().context("an address")?.to_owned();
        Ok(Self { _child: child, url })
    }
}

#[tokio::test]
async fn three_nodes_over_kurrentdb_are_one_house() -> Result<()> {
    let double = Double::start().await?;
    let mut nodes = nodes_at(&double.url, 2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 1, "ana", "analyst").await?;
    let case = open_case(&at(&ana, &nodes, 0)?).await?;
    for count in 0..6 {
        let answer = file(&at(&ana, &nodes, count % 2)?, &case, "News.").await?.expect(201)?;
        let elsewhere = at(&ana, &nodes, (count + 1) % 2)?;
        elsewhere.get(&format!("/reports/{}", answer.text_at("/id")?)).await?.expect(200)?;
    }
    let path = format!("/cases/{case}/reports");
    let (one, two) = (at(&ana, &nodes, 0)?, at(&ana, &nodes, 1)?);
    let body = news("At once.");
    let (here, there) =
        tokio::join!(one.post_keyed(&path, "k", &body), two.post_keyed(&path, "k", &body));
    let (here, there) = (here?, there?);
    assert_eq!(here.at("/id"), there.at("/id"), "{} and {}", here.text, there.text);
    assert_eq!(reports(&one, &case).await?, 7);

    nodes.kill(1).await?;
    std::fs::remove_dir_all(nodes.data(1))?;
    file(&one, &case, "While one was away.").await?.expect(201)?;
    nodes.add(1).await?;
    nodes.add(2).await?;
    for number in 0..3 {
        assert_eq!(reports(&at(&ana, &nodes, number)?, &case).await?, 8);
    }
    let listed = console(&nodes, 0, &["nodes"])?;
    assert!(listed.contains("node0"), "{listed}");
    stop(&mut nodes, &[0, 1, 2]).await?;
    all_hold_the_same(&nodes, &[0, 1, 2])?;
    Ok(())
}
