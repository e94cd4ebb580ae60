//! One key for the ledger: all nodes sign with it, it is rotated for all, and what any node made verifies with it.

use anyhow::{Context as _, Result, ensure};
use assay_ledger::SignedCheckpoint;
use assay_tests::{Client, Nodes, run};
use serde_json::Value;

use crate::team::{at, bundle, console, file, nodes, open_case, stop, text, until};

const NODES: usize = 3;

/// What `assay verify` says of a bundle or a directory, trusting these keys; it must hold.
fn verified(target: &str, keys: &[&str]) -> Result<Value> {
    let mut arguments = vec!["verify", target, "--json"];
    for key in keys {
        arguments.extend(["--key", key]);
    }
    let said: Value = serde_json::from_str(&run(&arguments)?)?;
    ensure!(said["holds"] == true, "{target}: {said}");
    Ok(said)
}

/// The keys every node has for the ledger: the same, as each says.
fn keys(nodes: &Nodes) -> Result<Vec<String>> {
    let said = console(nodes, 0, &["ledger", "key"])?;
    for number in 1..NODES {
        let there = console(nodes, number, &["ledger", "key"])?;
        ensure!(there == said, "node {number}: {there:?}, node 0: {said:?}");
    }
    Ok(said.lines().map(str::to_owned).collect())
}

/// Waits until a node has signed a checkpoint over an entry; how many signatures it has.
async fn signed(nodes: &Nodes, number: usize, position: u64) -> Result<usize> {
    let path = nodes.data(number).join("ledger/latest");
    let mut signatures = 0;
    until(&format!("node {number} to sign over entry {position}"), async || {
        let note = std::fs::read_to_string(&path).unwrap_or_default();
        let Ok(signed) = SignedCheckpoint::parse(&note) else { return Ok(false) };
        signatures = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
        Ok(signed.checkpoint().size >= position)
    })
    .await?;
    Ok(signatures)
}

/// Files a report on each node; the last position.
async fn written(nodes: &Nodes, ana: &Client, case: &str) -> Result<u64> {
    let mut last = 0;
    for number in 0..NODES {
        let answer = file(&at(ana, nodes, number)?, case, "News.").await?.expect(201)?;
        last = answer.number_at("/receipt/position")?;
    }
    Ok(last)
}

#[tokio::test]
async fn all_nodes_sign_with_the_same_keys_and_change_them_together() -> Result<()> {
    let mut nodes = nodes(NODES).await?;
    let admin = nodes.admin().await?;
    let (_, ana) = nodes.register(&admin, 0, "ana", "analyst").await?;
    let case = open_case(&ana).await?;
    let position = written(&nodes, &ana, &case).await?;
    let first = keys(&nodes)?;
    assert_eq!(first.len(), 1, "{first:?}");
    let mut bundles = Vec::new();
    for number in 0..NODES {
        assert_eq!(signed(&nodes, number, position).await?, 1);
        let path = nodes.folder().join(format!("from-{number}.zip"));
        std::fs::write(&path, bundle(&at(&ana, &nodes, number)?, &case).await?)?;
        let path = text(&path)?.to_owned();
        verified(&path, &[&first[0]])?;
        bundles.push(path);
    }

    // Made on one node; after their next start all sign with both.
    stop(&mut nodes, &[1]).await?;
    let made = console(&nodes, 1, &["ledger", "rotate"])?;
    stop(&mut nodes, &[0, 2]).await?;
    for number in 0..NODES {
        nodes.add(number).await?;
    }
    let position = written(&nodes, &ana, &case).await?;
    for number in 0..NODES {
        assert_eq!(signed(&nodes, number, position).await?, 2, "node {number}");
    }
    let both = keys(&nodes)?;
    let second = made.lines().next().context("a key")?;
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.contains(&first[0]) && both.iter().any(|key| key == second), "{both:?}");

    stop(&mut nodes, &[0, 1, 2]).await?;
    for number in 0..NODES {
        let data = nodes.data(number);
        for key in [first[0].as_str(), second] {
            verified(text(&data)?, &[key])?;
        }
    }
    for made in &bundles {
        verified(made, &[&first[0]])?;
    }
    Ok(())
}
