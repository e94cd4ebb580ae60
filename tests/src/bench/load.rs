//! Many clients that each ask, wait for the answer, and ask again: the same for both sides of a ratio.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;

use super::figures::{millis, per_second, quantile};
use super::machine;
use super::wire::Connection;

/// Stands in a request where each sending puts another number of the same width.
pub const NUMBER: &str = "000000000000";

/// Requests to choose from; each client begins at another one and takes the next each time.
#[derive(Debug)]
pub struct Requests {
    templates: Vec<(Vec<u8>, Option<usize>)>,
    next: AtomicU64,
}

impl Requests {
    /// From requests that are ready; [`NUMBER`] in their body is replaced.
    pub fn new(templates: Vec<Vec<u8>>) -> Arc<Self> {
        let place = |bytes: &Vec<u8>| {
            bytes.windows(NUMBER.len()).position(|window| window == NUMBER.as_bytes())
        };
        let templates = templates.into_iter().map(|bytes| {
            let at = place(&bytes);
            (bytes, at)
        });
        Arc::new(Self { templates: templates.collect(), next: AtomicU64::new(1) })
    }

    /// Puts the next request of a client in order into its buffer.
    pub fn fill(&self, turn: usize, buffer: &mut Vec<u8>) -> Result<()> {
        let count = self.templates.len();
        let at = turn.checked_rem(count).context("requests to choose from")?;
        let (bytes, number) = self.templates.get(at).context("a request")?;
        buffer.clear();
        buffer.extend_from_slice(bytes);
        if let Some(at) = *number {
            let number = format!("{:012}", self.next.fetch_add(1, Ordering::Relaxed));
            let place = buffer.get_mut(at..at + NUMBER.len()).context("the number's place")?;
            place.copy_from_slice(number.as_bytes());
        }
        Ok(())
    }
}

/// What one load found.
#[derive(Clone, Debug)]
pub struct Burst {
    /// Answers a second.
    pub rate: f64,
    /// The median time of an answer, in milliseconds.
    pub median_ms: f64,
    /// The time 99 of 100 answers kept, in milliseconds.
    pub p99_ms: f64,
    /// CPU time of the server for each answer, in microseconds.
    pub cpu_us: f64,
    /// The greatest `Assay-Token` seen, for those who wait for what was written.
    pub token: Option<u64>,
}

/// A server to be asked, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, whose CPU time is read.
    pub process: u32,
    /// How long to ask before anything counts.
    pub warm: Duration,
    /// How long to count.
    pub span: Duration,
}

/// Asks with so many clients at once. Any answer but a success makes the whole load an error.
pub async fn closed_loop(
    target: Target,
    clients: usize,
    requests: &Arc<Requests>,
) -> Result<Burst> {
    let mut connections = Vec::with_capacity(clients);
    for _ in 0..clients {
        connections.push(Connection::open(target.address).await?);
    }
    let begin = Instant::now() + target.warm;
    let end = begin + target.span;
    let mut tasks = JoinSet::new();
    for (client, connection) in connections.into_iter().enumerate() {
        let requests = Arc::clone(requests);
        tasks.spawn(async move { run(connection, client, &requests, begin, end).await });
    }
    tokio::time::sleep_until(begin.into()).await;
    let before = machine::cpu(target.process)?;
    tokio::time::sleep_until(end.into()).await;
    let used = machine::cpu(target.process)?.saturating_sub(before);
    let (mut took, mut token) = (Vec::new(), None);
    while let Some(task) = tasks.join_next().await {
        let (times, seen) = task??;
        took.extend(times);
        token = token.max(seen);
    }
    let count = u64::try_from(took.len())?;
    if count == 0 {
        bail!("not one answer in {:?}", target.span);
    }
    Ok(Burst {
        rate: per_second(count, target.span),
        median_ms: quantile(&took, 500).unwrap_or_default(),
        p99_ms: quantile(&took, 990).unwrap_or_default(),
        cpu_us: used.as_secs_f64() * 1e6 / super::figures::float(count),
        token,
    })
}

/// One client; answers the milliseconds of every answer inside the span.
async fn run(
    mut connection: Connection,
    client: usize,
    requests: &Requests,
    begin: Instant,
    end: Instant,
) -> Result<(Vec<f64>, Option<u64>)> {
    let (mut took, mut token) = (Vec::new(), None);
    let mut buffer = Vec::with_capacity(2048);
    for turn in client.. {
        requests.fill(turn, &mut buffer)?;
        let before = Instant::now();
        let head = connection.ask(&buffer).await?;
        let after = Instant::now();
        if !(200..300).contains(&head.status) {
            let said = String::from_utf8_lossy(connection.body(head));
            bail!("answered {}: {said}", head.status);
        }
        if let Some(seen) = connection.header(head, "assay-token") {
            token = token.max(seen.parse().ok());
        }
        if after >= end {
            break;
        }
        if after >= begin {
            took.push(millis(after - before));
        }
    }
    Ok((took, token))
}
