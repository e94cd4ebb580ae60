//! The log elsewhere, and how it breaks: PostgreSQL's two servers, or the double of KurrentDB as a process.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use assay_testing_postgres::Pair;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::house::signal;

/// How long the double may take to start or to obey.
const DOUBLE_LIMIT: Duration = Duration::from_mins(1);

/// The log elsewhere.
#[derive(Debug)]
pub(crate) enum Upstream {
    /// A primary and its synchronous standby.
    Postgres { pair: Arc<Pair>, url: String },
    /// The double.
    Kurrent(Box<Double>),
}

impl Upstream {
    /// Two real servers with a fresh database.
    pub(crate) async fn postgres() -> Result<Self> {
        let (pair, url) = tokio::task::spawn_blocking(|| {
            let pair = Pair::start()?;
            let url = pair.database()?;
            anyhow::Ok((Arc::new(pair), url))
        })
        .await??;
        Ok(Self::Postgres { pair, url })
    }

    /// The double, as a process of its own.
    pub(crate) async fn kurrent() -> Result<Self> {
        Ok(Self::Kurrent(Box::new(Double::start().await?)))
    }

    /// What it is called.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Postgres { .. } => "PostgreSQL",
            Self::Kurrent(_) => "the double of KurrentDB",
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Postgres { url, .. } => url,
            Self::Kurrent(double) => &double.url,
        }
    }

    /// Fails where it has ended without being told to: then it is not the nodes that are to blame.
    pub(crate) fn must_run(&mut self) -> Result<()> {
        let Self::Kurrent(double) = self else { return Ok(()) };
        match double.child.try_wait()? {
            Some(status) => bail!("the double has ended by itself: {status}"),
            None => Ok(()),
        }
    }

    /// Stops its clock: connections stay open and nothing answers any more.
    pub(crate) async fn pause(&self) -> Result<()> {
        match self {
            Self::Postgres { pair, .. } => with(pair, Pair::pause_primary).await,
            Self::Kurrent(double) => signal("STOP", double.process()?).await,
        }
    }

    /// Lets it go on.
    pub(crate) async fn resume(&self) -> Result<()> {
        match self {
            Self::Postgres { pair, .. } => with(pair, Pair::resume_primary).await,
            Self::Kurrent(double) => signal("CONT", double.process()?).await,
        }
    }

    /// Kills its server and starts it again after a while, with all it had.
    pub(crate) async fn restart(&mut self, after: Duration) -> Result<()> {
        match self {
            Self::Postgres { pair, .. } => {
                with(pair, Pair::kill_primary).await?;
                tokio::time::sleep(after).await;
                with(pair, |pair| pair.primary().restart()).await?;
                with(pair, Pair::wait_synchronous).await
            }
            Self::Kurrent(double) => {
                double.order("stop 0").await?;
                tokio::time::sleep(after).await;
                double.order("start 0").await
            }
        }
    }

    /// Kills the primary and promotes the standby; when it was killed, and how long promoting took.
    pub(crate) async fn fail_over(&self) -> Result<(Instant, Duration)> {
        let Self::Postgres { pair, .. } = self else { bail!("only PostgreSQL has a standby") };
        with(pair, Pair::kill_primary).await?;
        let killed_at = Instant::now();
        with(pair, Pair::promote).await?;
        Ok((killed_at, killed_at.elapsed()))
    }

    /// Makes the old primary the standby.
    pub(crate) async fn rejoin(&self) -> Result<()> {
        let Self::Postgres { pair, .. } = self else { bail!("only PostgreSQL has a standby") };
        with(pair, |pair| pair.rejoin().map(drop)).await
    }

    /// Gives the double an order.
    pub(crate) async fn order(&mut self, words: &str) -> Result<()> {
        let Self::Kurrent(double) = self else { bail!("only the double takes orders") };
        double.order(words).await
    }
}

/// Runs what blocks where it may.
async fn with(pair: &Arc<Pair>, act: impl Fn(&Pair) -> Result<()> + Send + 'static) -> Result<()> {
    let pair = Arc::clone(pair);
    tokio::task::spawn_blocking(move || act(&pair)).await?
}

/// The double as a process of its own.
#[derive(Debug)]
pub(crate) struct Double {
    child: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Double {
    async fn start() -> Result<Self> {
        let mut child = Command::new(program()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let orders = child.stdin.take().context("stdin is piped")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let mut answers = BufReader::new(stdout).lines();
        let line = next(&mut answers).await?;
        let ready: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let url = ready.get("url").and_then(Value::as_str).context("a url")?.to_owned();
        Ok(Self { child, orders, answers, url })
    }

    fn process(&self) -> Result<u32> {
        self.child.id().context("the double has ended")
    }

    async fn order(&mut self, words: &str) -> Result<()> {
        self.orders.write_all(format!("{words}\n").as_bytes()).await?;
        self.orders.flush().await?;
        let answer = next(&mut self.answers).await?;
        ensure!(answer == "ok", "{words}: {answer}");
        Ok(())
    }
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let line = tokio::time::timeout(DOUBLE_LIMIT, lines.next_line()).await;
    line.context("the double says nothing")??.context("the double has ended")
}

/// The double's program, built with everything else and found beside these tests.
fn program() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let mut beside = me.ancestors().skip(1).map(|folder| folder.join("assay-testing-kurrentdb"));
    let found = beside.find(|path| path.is_file());
    found.context("no `assay-testing-kurrentdb` beside these tests; `make test` builds it first")
}
