//! The real binary: found beside the tests, started on port 0, stopped or killed.

use std::path::{Path, PathBuf};
use std::process::{Command as Blocking, Output, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The binary that was built beside these tests (`target/<profile>/assay`), or `ASSAY_BIN`.
pub fn assay() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("ASSAY_BIN") {
        return Ok(path.into());
    }
    let me = std::env::current_exe()?;
    let found =
        me.ancestors().skip(1).map(|folder| folder.join("assay")).find(|path| path.is_file());
    found.context("no `assay` beside these tests; `make test` builds it first")
}

/// Runs the binary to its end; it must succeed. Answers what it printed on stdout.
pub fn run(arguments: &[&str]) -> Result<String> {
    let output = finish(arguments)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "assay {}: {}\n{said}", arguments.join(" "), output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs the binary to its end; it must fail. Answers its exit code and all it printed.
pub fn run_failing(arguments: &[&str]) -> Result<(i32, String)> {
    let output = finish(arguments)?;
    ensure!(!output.status.success(), "assay {} should have failed", arguments.join(" "));
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    Ok((output.status.code().unwrap_or(-1), said))
}

fn finish(arguments: &[&str]) -> Result<Output> {
    Ok(Blocking::new(assay()?).args(arguments).stdin(Stdio::null()).output()?)
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// The line it printed when it was ready.
    pub ready: Value,
    log: PathBuf,
}

impl Server {
    /// Starts the server on a data directory and waits for its ready line.
    pub async fn start(data: &Path) -> Result<Self> {
        Self::start_with(data, &[]).await
    }

    /// The same, with more arguments.
    pub async fn start_with(data: &Path, more: &[&str]) -> Result<Self> {
        let log = data.with_extension("log");
        let stderr = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let mut child = Command::new(assay()?)
            .arg("serve")
            .arg("--data-dir")
            .arg(data)
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let Some(line) = lines.next_line().await? else {
            bail!("the server ended: {}", std::fs::read_to_string(&log)?);
        };
        let ready: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let url = ready.get("url").and_then(Value::as_str).context("a url")?.to_owned();
        Ok(Self { child, url, ready, log })
    }

    /// Everything it has logged so far.
    pub fn logged(&self) -> Result<String> {
        Ok(std::fs::read_to_string(&self.log)?)
    }

    /// Kills it on the spot, as a power cut of the process would.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// Asks it to end (SIGTERM) and waits; answers whether it ended well.
    pub async fn stop(mut self) -> Result<bool> {
        let id = self.child.id().context("it runs")?.to_string();
        Command::new("kill").args(["-TERM", &id]).status().await?;
        Ok(self.child.wait().await?.success())
    }
}
