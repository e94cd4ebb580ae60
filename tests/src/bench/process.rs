//! A server as a child of the bench: started, awaited, watched by its process id, stopped.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How long a server may take until it says that it is ready.
const READY_MAX: Duration = Duration::from_mins(2);

/// A running server.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Its process id.
    pub id: u32,
    /// Where it listens.
    pub url: String,
    /// The same as an address.
    pub address: SocketAddr,
    /// From its start to its ready line.
    pub ready_after: Duration,
    /// The ready line.
    pub ready: Value,
}

impl Process {
    /// Starts a program and waits for its line `{"event":"ready","url":…}`.
    pub async fn start(program: &Path, arguments: &[&str], log: &Path) -> Result<Self> {
        let stderr = OpenOptions::new().create(true).append(true).open(log)?;
        let started = Instant::now();
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = tokio::time::timeout(READY_MAX, lines.next_line()).await;
        let Some(line) = line.context("no ready line in two minutes")?? else {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            bail!("{} ended before it was ready: {}", program.display(), last_lines(&said));
        };
        let ready_after = started.elapsed();
        let ready: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let url = ready.get("url").and_then(Value::as_str).context("a url")?.to_owned();
        let address = url.trim_start_matches("http://").trim_end_matches('/').parse()?;
        let id = child.id().context("it runs")?;
        Ok(Self { child, id, url, address, ready_after, ready })
    }

    /// Asks it to end (SIGTERM) and waits.
    pub async fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.id.to_string()]).status().await?;
        let ended = self.child.wait().await?;
        ensure!(ended.success(), "it did not end well: {ended}");
        Ok(())
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Finished {
    /// Whether it ended well.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
    /// The most resident memory it was seen with, in bytes.
    pub peak_bytes: u64,
}

/// Runs a program to its end, looking at its memory every few milliseconds.
pub async fn finish(program: &Path, arguments: &[&str], folder: &Path) -> Result<Finished> {
    let outs: [PathBuf; 2] = ["stdout", "stderr"].map(|name| folder.join(format!("run.{name}")));
    let [stdout, stderr] = &outs;
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(stdout)?)
        .stderr(std::fs::File::create(stderr)?)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("starting {}", program.display()))?;
    let id = child.id().context("it runs")?;
    let mut peak_bytes = 0;
    let ended = loop {
        // Between its end and our wait the process has no memory to show: the last look counts.
        peak_bytes = peak_bytes.max(super::machine::peak_bytes(id).unwrap_or_default());
        if let Ok(ended) = tokio::time::timeout(Duration::from_millis(5), child.wait()).await {
            break ended?;
        }
    };
    Ok(Finished {
        success: ended.success(),
        took: started.elapsed(),
        stdout: std::fs::read_to_string(stdout)?,
        stderr: std::fs::read_to_string(stderr)?,
        peak_bytes,
    })
}

impl Finished {
    /// The same, if it ended well.
    pub fn well(self, what: &str) -> Result<Self> {
        ensure!(self.success, "{what} failed: {}", last_lines(&self.stderr));
        Ok(self)
    }
}

/// The end of what somebody said, on one line.
pub fn last_lines(said: &str) -> String {
    let lines: Vec<_> = said.lines().rev().take(3).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
