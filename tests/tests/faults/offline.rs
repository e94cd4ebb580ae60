//! What must hold once every node is stopped: its directory is right, its proofs hold, and all ledgers have one root.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use assay_ledger::{Hash, SignedCheckpoint};
use assay_store::journal::Journal as _;
use assay_store_sqlite::{Options, SqliteLog};
use assay_tests::run;
use serde_json::Value;

use crate::house::{House, NODES};

/// What a stopped node leaves behind.
struct Left {
    /// How long its journal is, and the root of the ledger over it.
    end: (u64, String),
    /// The root of every size it signed.
    signed: BTreeMap<u64, String>,
}

/// Stops the nodes and checks what they leave behind; the log elsewhere must still run.
pub(crate) async fn check(house: &mut House) -> Result<()> {
    for number in 0..NODES {
        ensure!(house.nodes.stop(number).await?, "node {number} did not end well");
    }
    let checks = (0..NODES).map(|number| {
        let (data, config) = (house.nodes.data(number), house.nodes.config(number));
        tokio::task::spawn_blocking(move || left(&data, &config))
    });
    let mut all = Vec::new();
    for (number, check) in checks.collect::<Vec<_>>().into_iter().enumerate() {
        all.push(check.await?.with_context(|| format!("node {number}"))?);
    }
    let (size, root) = all.first().map(|left| left.end.clone()).context("a node")?;
    for left in &all {
        ensure!(left.end == (size, root.clone()), "they end otherwise: {root} {:?}", left.end);
    }
    println!("{size:>9}  entries, one root on all nodes: {root}");
    signed_alike(&all)
}

/// Signs what there is, and checks the directory and its proofs.
fn left(data: &Path, config: &str) -> Result<Left> {
    let at = data.to_str().context("a path")?;
    let here = ["--data-dir", at, "--config", config];
    let with = |command: &[&str]| run(&[command, here.as_slice()].concat());
    with(&["ledger", "checkpoint", "--sign"])?;
    let keys = with(&["ledger", "key"])?;
    with(&["check"])?;
    verified(at, &keys)?;
    Ok(Left { end: end(data)?, signed: signed(data)? })
}

/// `assay verify` holds of a data directory, trusting the log's key alone.
fn verified(at: &str, keys: &str) -> Result<()> {
    let mut arguments = vec!["verify", at, "--json"];
    // During its life a log has several keys; whoever verifies is told of all of them.
    arguments.extend(keys.lines().flat_map(|key| ["--key", key]));
    let said = run(&arguments)?;
    let report: Value = serde_json::from_str(&said).with_context(|| said.clone())?;
    ensure!(report.get("holds").and_then(Value::as_bool) == Some(true), "{said}");
    Ok(())
}

/// Every checkpoint a node ever signed.
fn signed(data: &Path) -> Result<BTreeMap<u64, String>> {
    let mut roots = BTreeMap::new();
    for file in std::fs::read_dir(data.join("ledger").join("checkpoints"))? {
        let path = file?.path();
        if path.extension().is_some_and(|end| end == "note") {
            let signed = SignedCheckpoint::parse(&std::fs::read_to_string(path)?)?;
            roots.insert(signed.checkpoint().size, hex(&signed.checkpoint().root));
        }
    }
    Ok(roots)
}

/// Whatever several nodes signed of one size has one root.
fn signed_alike(all: &[Left]) -> Result<()> {
    let mut roots: BTreeMap<u64, (usize, &str)> = BTreeMap::new();
    for (number, left) in all.iter().enumerate() {
        let end = left.signed.get(&left.end.0);
        ensure!(end == Some(&left.end.1), "node {number} signed {end:?} of {:?}", left.end);
        for (size, root) in &left.signed {
            let (times, known) = roots.entry(*size).or_insert((0, root.as_str()));
            ensure!(known == root, "of {size} node {number} signed {root}, another {known}");
            *times += 1;
        }
    }
    let several = roots.values().filter(|(times, _)| *times > 1).count();
    println!("{:>9}  sizes were signed, {several} of them by several nodes", roots.len());
    Ok(())
}

/// How long a node's journal is, and the root of the ledger over it.
fn end(data: &Path) -> Result<(u64, String)> {
    let journal = SqliteLog::open(data.join("journal.db"), Options::default())?;
    let frontier = journal.frontier()?;
    Ok((frontier.size(), hex(&frontier.root())))
}

fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
