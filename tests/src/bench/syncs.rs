//! P2: syncs per commit, counted by the kernel's own account of a child that only appends.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::appends::Appends;
use super::figures::float;

/// How the child is called: `bench CHILD FOLDER WRITERS MILLISECONDS`.
pub const CHILD: &str = "--child-append";

/// What was counted.
#[derive(Clone, Debug)]
pub struct Syncs {
    /// fdatasync and fsync of the whole process.
    pub syncs: u64,
    /// Those of the busiest thread, which is the writer.
    pub of_writer: u64,
    /// Commits.
    pub commits: u64,
    /// Facts.
    pub facts: u64,
}

impl Syncs {
    /// Syncs for each commit.
    pub fn per_commit(&self) -> f64 {
        float(self.syncs) / float(self.commits.max(1))
    }
}

/// What the child does: appends, then prints what its writer counted.
pub async fn child(folder: &Path, writers: usize, span: Duration) -> Result<String> {
    let appends = Appends::new(folder)?;
    appends.round(writers, Duration::ZERO, span).await?;
    let stats = appends.log().stats();
    Ok(json!({"commits": stats.commits, "groups": stats.groups, "facts": stats.facts}).to_string())
}

/// Runs the child under strace and counts.
pub fn count(folder: &Path, writers: usize, span: Duration) -> Result<Syncs> {
    let told =
        Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if told.is_err() {
        bail!("strace is not installed, so syncs cannot be counted (and are not guessed)");
    }
    let trace = folder.join(format!("syncs-{writers}.trace"));
    let inner = folder.join(format!("syncs-{writers}"));
    std::fs::create_dir_all(&inner)?;
    let output = Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-e", "trace=fdatasync,fsync", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe()?)
        .arg(CHILD)
        .arg(&inner)
        .args([writers.to_string(), span.as_millis().to_string()])
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "strace cannot trace here: {}", said.trim());
    let counted: Value = serde_json::from_slice(&output.stdout).context("the child's counts")?;
    let number = |name: &str| {
        counted.get(name).and_then(Value::as_u64).with_context(|| format!("no {name} in {counted}"))
    };
    let mut threads: BTreeMap<String, u64> = BTreeMap::new();
    for line in std::fs::read_to_string(&trace)?.lines() {
        if (line.contains("fdatasync(") || line.contains("fsync("))
            && let Some(thread) = line.split_whitespace().next()
        {
            *threads.entry(thread.to_owned()).or_default() += 1;
        }
    }
    Ok(Syncs {
        syncs: threads.values().sum(),
        of_writer: threads.values().copied().max().unwrap_or_default(),
        commits: number("commits")?,
        facts: number("facts")?,
    })
}
