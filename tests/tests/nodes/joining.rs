//! A new node: joins while others write, comes back from nothing, and has the same history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use assay_tests::{Client, Nodes, Server, run};

use crate::team::{all_hold_the_same, at, file, nodes, open_case, reports, stop, until};

const NODES: usize = 3;

/// Files reports until it is told to stop; how many were acknowledged.
async fn write_on(who: Client, case: String, stop: Arc<AtomicBool>) -> Result<usize> {
    let mut count = 0;
    while !stop.load(Ordering::SeqCst) {
        file(&who, &case, &format!("Report {count}.")).await?.expect(201)?;
        count += 1;
    }
    Ok(count)
}

#[tokio::test]
async fn a_new_node_joins_while_others_write_and_has_the_same_history() -> Result<()> {
    let mut nodes = nodes(2).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let (_, ben) = nodes.register(&admin, 1, "ben", "analyst").await?;
    let cases = [open_case(&ana).await?, open_case(&ben).await?];
    let enough = Arc::new(AtomicBool::new(false));
    let writers = [
        tokio::spawn(write_on(at(&ana, &nodes, 0)?, cases[0].clone(), enough.clone())),
        tokio::spawn(write_on(at(&ben, &nodes, 1)?, cases[1].clone(), enough.clone())),
    ];
    nodes.add(2).await?;
    let late = at(&ana, &nodes, 2)?;
    late.get("/me").await?.expect(200)?;
    // It is not left behind what was written after it began to listen.
    let shown = async || late.get("/cases").await?.expect(200)?.number_at("/as_of/position");
    let before = shown().await?;
    until("the new node to follow", async || Ok(shown().await? > before)).await?;
    enough.store(true, Ordering::SeqCst);
    let mut counts = Vec::new();
    for writer in writers {
        counts.push(writer.await??);
    }
    // Each reads on the new node what was written last elsewhere.
    assert_eq!(reports(&at(&ana, &nodes, 2)?, &cases[0]).await?, counts[0].min(500));
    ensure!(counts.iter().all(|count| *count > 0), "both wrote: {counts:?}");

    // One loses its disk, and has everything again.
    nodes.kill(1).await?;
    std::fs::remove_dir_all(nodes.data(1))?;
    nodes.add(1).await?;
    assert_eq!(reports(&at(&ben, &nodes, 1)?, &cases[1]).await?, counts[1].min(500));
    file(&at(&ben, &nodes, 1)?, &cases[1], "Back again.").await?.expect(201)?;

    // One is killed in the middle of its work, and goes on where it was.
    nodes.kill(2).await?;
    file(&at(&ana, &nodes, 0)?, &cases[0], "While it was away.").await?.expect(201)?;
    nodes.add(2).await?;
    let seen = reports(&at(&ana, &nodes, 2)?, &cases[0]).await?;
    assert_eq!(seen, (counts[0] + 1).min(500));

    stop(&mut nodes, &[0, 1, 2]).await?;
    all_hold_the_same(&nodes, &[0, 1, 2])?;
    Ok(())
}

#[tokio::test]
async fn nodes_that_start_at_once_on_an_empty_log_agree_on_everything() -> Result<()> {
    let mut nodes = nodes(0).await?;
    // The first start makes keys and secrets; here three do it together.
    let start = |number: usize| {
        let (data, config) = (nodes.data(number), nodes.config(0));
        async move { Server::start_with(&data, &["--config", &config]).await }
    };
    let servers: [Server; NODES] = tokio::try_join!(start(0), start(1), start(2))?.into();
    let secret = std::fs::read_to_string(nodes.data(0).join("bootstrap-secret.txt"))?;
    let body = serde_json::json!({"username": "admin", "code": secret.trim(), "password": Nodes::password()});
    Client::stranger(&servers[1].url).post("/password", &body).await?.expect(204)?;
    let admin = Client::login(&servers[2].url, "admin", Nodes::password()).await?;
    for server in &servers {
        admin.at(&server.url).get("/me").await?.expect(200)?;
    }
    let mut keys = Vec::new();
    for server in servers {
        ensure!(server.stop().await?, "it ends well");
    }
    for number in 0..NODES {
        let data = nodes.data(number);
        let data = data.to_str().context("a path")?;
        let config = nodes.config(0);
        let key = ["ledger", "key", "--data-dir", data, "--config", &config];
        keys.push(run(&key)?);
    }
    assert!(keys.iter().all(|key| *key == keys[0] && key.lines().count() == 1), "{keys:?}");
    nodes.add(0).await?;
    Ok(())
}
