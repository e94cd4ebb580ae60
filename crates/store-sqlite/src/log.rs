//! The log and the journal in one file, `journal.db`.

mod journal;
mod order;
mod replica;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{
    Append, Appended, Direction, Expected, Followed, Log, LogError, Revision, Token, check_append,
    check_name,
};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::BoxStream;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::batch::{Known, Wanted};
use crate::checkpoint::Checkpointer;
use crate::connection;
use crate::error::OpenError;
use crate::origin;
use crate::readers::{Pool, Readers, Tails};
use crate::schema;
use crate::stats::{Counters, Stats, add};
use crate::summary::tip;
use crate::writer::{Answer, GROUP_APPENDS_MAX, Request, Waiting, What, Writer};

pub use replica::TAKE_FACTS_MAX;

/// How many bytes of facts may wait for the writer.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a fact's envelope counts for in limits of bytes.
const ENVELOPE_BYTES: usize = 256;

/// How to open a log.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many appends may wait; one more is turned away with `Unavailable`.
    pub queue_appends_max: usize,
    /// How often the WAL is moved into the file while something is written. `None` turns every
    /// checkpoint off, for tools that replicate the WAL and checkpoint themselves.
    pub checkpoint_every: Option<Duration>,
    /// A limit on the file in pages of 8 KiB, beyond which the disk counts as full.
    pub pages_max: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue_appends_max: 4_096,
            checkpoint_every: Some(Duration::from_millis(50)),
            pages_max: None,
        }
    }
}

/// The embedded log. Dropping it finishes what waits and closes the file.
///
/// Acknowledged means on disk. One handle of one process has it open at a time.
///
/// **What is stored of `recorded_at`:** when the server's clock went back, a fact is recorded with
/// the time of the entry before it, so that time never decreases with the position (I-03). The
/// leaf, [`Recorded`] and its entry in the journal all show the stored value.
///
/// **As the copy of a log elsewhere** ([`assay_store::replica::Replica`]) it takes no appends, and
/// its log id and all tokens that it shows are that log's.
#[derive(Debug)]
pub struct SqliteLog {
    readers: Arc<Readers>,
    counters: Arc<Counters>,
    queued_bytes: Arc<AtomicUsize>,
    /// How many appends of one order may wait at once.
    order_appends_max: usize,
    /// Taken at the end, so that the threads see it and finish.
    requests: Option<SyncSender<Request>>,
    writer: Option<JoinHandle<Connection>>,
    checkpointer: Option<JoinHandle<()>>,
    /// Held while the file is open for writing, released by the system even after a kill.
    _lock: File,
}

impl SqliteLog {
    /// Opens the journal at a path, and makes it if there is none.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let lock = lock(path)?;
        let mut connection = connection::for_writing(path)?;
        schema::migrate(&mut connection)?;
        let tip = tip(&connection)?;
        let origin = origin::read(&connection, tip.position)?;
        if let Some(pages) = options.pages_max {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        connection::set_autocheckpoint(&connection, options.checkpoint_every.is_some())?;

        let (watch, watched) = watch::channel(tip.position);
        let head = AtomicU64::new(tip.position);
        let readers = Arc::new(Readers {
            pool: Pool::open(path)?,
            head,
            watch: watched,
            tails: Tails::new(),
            origin: origin::Known::new(origin),
        });
        let counters = Arc::new(Counters::default());
        let queued_bytes = Arc::new(AtomicUsize::new(0));

        let (mut written, mut checkpointer) = (None, None);
        if let Some(interval) = options.checkpoint_every {
            let work = Checkpointer::open(path, counters.clone(), interval)?;
            let (sender, receiver) = sync_channel(1);
            written = Some(sender);
            checkpointer = Some(spawn("journal-checkpoint", move || work.run(&receiver))?);
        }
        let writer = Writer {
            connection,
            known: Known::new(tip),
            readers: readers.clone(),
            counters: counters.clone(),
            queued_bytes: queued_bytes.clone(),
            watch,
            written,
        };
        let (requests, receiver) = sync_channel(options.queue_appends_max);
        let writer = Some(spawn("journal-writer", move || writer.run(&receiver))?);
        let requests = Some(requests);
        Ok(Self {
            readers,
            counters,
            queued_bytes,
            order_appends_max: (options.queue_appends_max / 2).clamp(1, GROUP_APPENDS_MAX),
            requests,
            writer,
            checkpointer,
            _lock: lock,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.readers.pool.path()
    }

    /// What the writer counted since the log was opened.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Whether the writer refuses everything after an error whose outcome is unknown.
    pub fn is_read_only(&self) -> bool {
        self.counters.read_only.load(Ordering::Relaxed)
    }

    /// The name of the stream that was written first of those whose names start with a prefix.
    pub fn first_stream(&self, prefix: &str) -> Result<Option<String>, LogError> {
        self.readers.first_stream(prefix)
    }

    /// Asks the writer, or is turned away when too much is waiting.
    async fn ask<T>(
        &self,
        bytes: usize,
        what: impl FnOnce(oneshot::Sender<Answer<T>>) -> What,
    ) -> Result<T, LogError> {
        let turned_away = || {
            add(&self.counters.turned_away, 1);
            LogError::Unavailable { outcome_unknown: false }
        };
        let (answer, answered) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or_else(turned_away)?;
        if self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) > QUEUE_BYTES_MAX {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(turned_away());
        }
        requests.try_send(Request { bytes, what: what(answer) }).map_err(|_| {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            turned_away()
        })?;
        // The writer is gone without an answer: it may have committed before.
        answered.await.unwrap_or(Err(LogError::Unavailable { outcome_unknown: true }))
    }
}

/// What facts count for in limits of bytes.
fn bytes_of<'a>(facts: impl IntoIterator<Item = &'a NewFact>) -> usize {
    facts.into_iter().map(|fact| fact.data.len() + ENVELOPE_BYTES).sum()
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        drop(self.requests.take());
        // The checkpointer ends when the writer has let go of it.
        let connection = self.writer.take().map(JoinHandle::join);
        let checkpointer = self.checkpointer.take().map(JoinHandle::join);
        if matches!(connection, Some(Err(_))) || matches!(checkpointer, Some(Err(_))) {
            tracing::error!("a thread of the journal panicked");
        }
        // The last connection to close moves the whole WAL into the file, if it may write.
        self.readers.pool.close_idle();
        drop(connection);
    }
}

/// Keeps a second writer away: it would not know what the first one wrote.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = connection::private(&PathBuf::from(beside))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, OpenError> {
    Ok(thread::Builder::new().name(name.to_owned()).spawn(work)?)
}

impl Log for SqliteLog {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            check_append(stream, &facts)?;
            let bytes = bytes_of(&facts);
            let wanted = Wanted { stream: stream.to_owned(), expected, facts };
            self.ask(bytes, |answer| What::Append(Waiting { wanted, answer })).await
        }
        .boxed()
    }

    fn append_in_order(
        &self,
        appends: Vec<Append>,
    ) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        self.carry_out(appends).boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        // Short, and answered from the page cache: quicker done than handed to another thread.
        async move {
            check_name(stream)?;
            self.readers.read_stream(stream, from, direction, limit)
        }
        .boxed()
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        if self.readers.origin.now().is_copy {
            return replica::follow(self.readers.clone(), after);
        }
        assay_store::follow::follow(self.readers.clone(), after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        let head = self.readers.head.load(Ordering::Acquire);
        ready(self.readers.token_of(head)).boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        ready(Ok(self.readers.origin.now().log_id)).boxed()
    }
}
