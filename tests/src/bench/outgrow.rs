//! A log on PostgreSQL at several sizes: how quickly it fills, how quickly a new node has it all, how far a node lags, what each entry takes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use assay_nodes::Replication;
use assay_store::journal::Journal;
use assay_store::log::{Append, Expected, Log};
use assay_store_postgres::{Options as PostgresOptions, PostgresLog, prepare};
use assay_store_sqlite::{Options, SqliteLog};
use assay_testing_postgres::Server;

use super::appends::{entry_data, fact};
use super::disk::{Disk, Floor};
use super::figures::{float, millis, per_second, quantile};
use super::machine::file_bytes;

/// How many appends are asked for together while filling.
const TOGETHER: u64 = 2_000;
/// How many facts stand in one stream.
const FACTS_A_STREAM: u64 = 8;
/// How many appends a second there are while the lag is measured, and for how long.
const LAG_RATE: u64 = 200;
const LAG_SPAN: Duration = Duration::from_secs(10);
/// Where the ids of the entries that measure the lag begin.
const LAG_IDS: u64 = 1 << 40;

/// What was found at one size.
#[derive(Clone, Debug)]
pub struct Size {
    /// Entries in the log.
    pub entries: u64,
    /// Entries a second while it was filled from the size before.
    pub filled: f64,
    /// Entries a second while a new node copied all of it.
    pub caught_up: f64,
    /// How long that took.
    pub catch_up: Duration,
    /// Bytes of the database an entry, indexes and all.
    pub database_bytes: f64,
    /// Bytes of a node's journal an entry.
    pub journal_bytes: f64,
    /// Milliseconds from an acknowledged append until another node has it, half of the time and at worst of a hundred.
    pub lag_ms: (f64, f64),
    /// Milliseconds of an append, half of the time.
    pub append_ms: f64,
    /// Milliseconds of a synced overwrite in the same seconds.
    pub floor_ms: f64,
}

/// A log on a server of its own, and where nodes are made.
#[derive(Debug)]
pub struct Outgrow {
    server: Server,
    database: String,
    log: Arc<PostgresLog>,
    folder: PathBuf,
    data: bytes::Bytes,
    entries: u64,
}

impl Outgrow {
    /// Starts a server and makes an empty log on it.
    pub async fn new(folder: &Path, data_bytes: usize) -> Result<Self> {
        let server = Server::start()?;
        let url = server.database()?;
        let database = url.rsplit('/').next().context("a database")?.to_owned();
        let options = PostgresOptions::new(url);
        prepare(&options).await?;
        let log = Arc::new(PostgresLog::open(options).await?);
        let data = entry_data(data_bytes);
        Ok(Self { server, database, log, folder: folder.to_owned(), data, entries: 0 })
    }

    /// Grows the log to a size and measures it there.
    pub async fn at(&mut self, entries: u64) -> Result<Size> {
        let filled = fill(self.log.as_ref(), &self.data, self.entries, entries).await?;
        self.entries = entries;
        let path = self.folder.join(format!("node-{entries}.db"));
        let journal = Arc::new(SqliteLog::open(&path, Options::default())?);
        let begun = Instant::now();
        let upstream: Arc<dyn Log> = self.log.clone();
        let node = Replication::start(upstream, journal.clone(), Arc::new(|| 0)).await?;
        node.caught_up(|_| ()).await?;
        let catch_up = begun.elapsed();
        let there = Journal::head(journal.as_ref())?;
        ensure!(there >= entries, "the node has {there} of {entries} entries");
        let journal_bytes = float(file_bytes(&path)) / float(there);
        let (append_ms, lag_ms, floor_ms) = self.lag(&journal).await?;
        node.stop().await;
        drop(node);
        drop(journal);
        std::fs::remove_file(&path)?;
        let size =
            self.server.psql(&self.database, "SELECT pg_database_size(current_database())")?;
        let size: u64 = size.trim().parse().context("a size")?;
        Ok(Size {
            entries,
            filled,
            caught_up: per_second(there, catch_up),
            catch_up,
            database_bytes: float(size) / float(there),
            journal_bytes,
            lag_ms,
            append_ms,
            floor_ms,
        })
    }

    /// Appends at a steady rate and looks when the node has each.
    async fn lag(&mut self, journal: &Arc<SqliteLog>) -> Result<(f64, (f64, f64), f64)> {
        let (mut took, mut behind) = (Vec::new(), Vec::new());
        let stream = format!("lag-{}", self.entries);
        let begun = Instant::now();
        let mut revision = 0;
        while begun.elapsed() < LAG_SPAN {
            let id = LAG_IDS + (self.entries << 12) + revision;
            let expected =
                u64::checked_sub(revision, 1).map_or(Expected::NoStream, Expected::Exact);
            let before = Instant::now();
            let done = self.log.append(&stream, expected, vec![fact(id, &self.data)]).await?;
            let acknowledged = Instant::now();
            took.push(millis(acknowledged - before));
            let position = done.token.0;
            journal.watch().wait_for(|head| *head >= position).await?;
            behind.push(millis(acknowledged.elapsed()));
            revision += 1;
            let next = begun
                + Duration::from_secs(1) / u32::try_from(LAG_RATE)? * u32::try_from(revision)?;
            tokio::time::sleep_until(next.into()).await;
        }
        self.entries += revision;
        let mut floor = Floor::default();
        let folder = self.folder.join(format!("floor-{}", self.entries));
        std::fs::create_dir(&folder)?;
        Disk::new(&folder)?.slice(Duration::from_secs(1), &mut floor)?;
        let lag = |part| quantile(&behind, part).unwrap_or_default();
        Ok((quantile(&took, 500).unwrap_or_default(), (lag(500), lag(990)), floor.median_ms()))
    }
}

/// Entries a second into an embedded log, asked for in the same way: what PostgreSQL is compared with.
pub async fn embedded(folder: &Path, data_bytes: usize, entries: u64) -> Result<f64> {
    let path = folder.join("embedded.db");
    let log = SqliteLog::open(&path, Options::default())?;
    fill(&log, &entry_data(data_bytes), 0, entries).await
}

/// Appends entries `from..to`; answers how many a second.
async fn fill(log: &dyn Log, data: &bytes::Bytes, from: u64, to: u64) -> Result<f64> {
    let begun = Instant::now();
    let mut next = from;
    while next < to {
        let end = to.min(next + TOGETHER);
        let appends = (next..end).map(|number| {
            let revision = number % FACTS_A_STREAM;
            let expected =
                if number == from || revision == 0 { Expected::NoStream } else { Expected::Any };
            let stream = format!("entry-{from}-{}", number / FACTS_A_STREAM);
            Append { stream, expected, facts: vec![fact(number + 16, data)] }
        });
        log.append_in_order(appends.collect()).await?;
        next = end;
    }
    Ok(per_second(to - from, begun.elapsed()))
}
