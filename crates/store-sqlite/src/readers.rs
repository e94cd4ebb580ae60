//! Reading the journal's file: read-only connections, handed out for one short query at a time.

mod tokens;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use assay_ledger::Frontier;
use assay_store::fact::Recorded;
use assay_store::journal::{Entry, Journal};
use assay_store::leaf::LeafHash;
use assay_store::log::{Direction, LogError, Revision, Token};
use assay_store::recent::Recent;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::watch;
use uuid::Uuid;

use crate::connection;
use crate::error::{OpenError, read_error};
use crate::origin;
use crate::rows::{Count, Id, entry, select_entries};

/// How many idle connections are kept; more are opened when more threads read at once, then closed.
const IDLE_MAX: usize = 8;
/// How many bytes of facts one answer carries before it ends early.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Streams whose end is known without a query.
const TAILS_MAX: usize = 20_000;

/// The ends of streams, so that asking for what came after one costs no query.
///
/// Only this process writes the file. The writer tells every end it moved before anybody hears of
/// the commit; a reader tells one it saw only if no commit was published meanwhile.
pub(crate) struct Tails(RwLock<Recent<String, Revision>>);

impl Tails {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(Recent::new(TAILS_MAX)))
    }

    /// Whether a stream is known to end before a revision.
    fn ends_before(&self, stream: &str, revision: Revision) -> bool {
        let tails = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tails.peek(stream).is_some_and(|last| *last < revision)
    }

    /// Takes over ends; an end only ever moves on.
    pub(crate) fn tell<'a>(&self, ends: impl IntoIterator<Item = (&'a str, Revision)>) {
        let mut tails = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (stream, last) in ends {
            let known = tails.peek(stream).copied().unwrap_or_default();
            tails.put(stream.to_owned(), last.max(known));
        }
    }
}

/// A file's read-only connections.
pub(crate) struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    /// A pool with one connection, so that a file that cannot be read is refused at once.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let first = connection::for_reading(path)?;
        Ok(Self { path: path.to_owned(), idle: Mutex::new(vec![first]) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Closes what nobody uses at the moment.
    pub(crate) fn close_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Runs one query. The connection comes back afterwards unless the query failed.
    pub(crate) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connection::for_reading(&self.path).map_err(|error| match error {
                OpenError::Sqlite(error) => error,
                other => rusqlite::Error::ToSqlConversionFailure(Box::new(other)),
            })?,
        };
        let answer = query(&connection)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }
}

/// The reading half of the journal; followers keep it alive, the writer does not need it.
pub(crate) struct Readers {
    pub(crate) pool: Pool,
    /// The last durable position: set after the commit and before anybody hears of it.
    pub(crate) head: AtomicU64,
    pub(crate) watch: watch::Receiver<u64>,
    pub(crate) tails: Tails,
    pub(crate) origin: origin::Known,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.pool.path.display(), self.head.load(Ordering::Acquire))
    }
}

impl Readers {
    fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LogError> {
        self.pool.with(query).map_err(|error| read_error(&error))
    }

    pub(crate) fn read_stream(
        &self,
        stream: &str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let forward = direction == Direction::Forward;
        if forward && self.tails.ends_before(stream, from) {
            return Ok(Vec::new());
        }
        let before = self.head.load(Ordering::Acquire);
        let found = self.query_stream(stream, from, direction, limit)?;
        if let (true, Some(last)) = (forward && found.len() < limit, found.last()) {
            self.tell_unless_moved(stream, last.revision, before);
        } else if forward && found.is_empty() && from > 0 && limit > 0 {
            // Nothing at or after `from`: the stream ends before it, wherever exactly.
            self.tell_unless_moved(stream, from - 1, before);
        }
        Ok(found)
    }

    /// Remembers the end of a stream, if nothing was committed since a position was read.
    fn tell_unless_moved(&self, stream: &str, last: Revision, before: u64) {
        if self.head.load(Ordering::Acquire) == before {
            self.tails.tell([(stream, last)]);
        }
    }

    fn query_stream(
        &self,
        stream: &str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        let sql = match direction {
            Direction::Forward => {
                select_entries!("WHERE e.sid = ? AND e.revision >= ? ORDER BY e.revision LIMIT ?")
            }
            Direction::Backward => {
                select_entries!(
                    "WHERE e.sid = ? AND e.revision <= ? ORDER BY e.revision DESC LIMIT ?"
                )
            }
        };
        let found = self.with(|connection| {
            let mut known = connection.prepare_cached("SELECT sid FROM streams WHERE name = ?")?;
            let Some(sid) = known.query_row([stream], |row| row.get::<_, i64>(0)).optional()?
            else {
                return Ok(None);
            };
            let mut facts = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = facts.query_map(params![sid, Count(from), limit], entry)?;
            let mut entries = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            self.origin.put_tokens(connection, &mut entries)?;
            Ok(Some(entries.into_iter().map(|entry| entry.recorded).collect()))
        })?;
        found.ok_or(LogError::StreamNotFound)
    }

    /// The name of the stream that was written first of those whose names start with a prefix.
    pub(crate) fn first_stream(&self, prefix: &str) -> Result<Option<String>, LogError> {
        self.with(|connection| first_stream(connection, prefix))
    }

    fn recorded_at(&self, position: u64) -> Result<i64, LogError> {
        self.with(|connection| {
            connection
                .prepare_cached("SELECT recorded_at FROM entries WHERE position = ?")?
                .query_row([Count(position)], |row| row.get(0))
        })
    }
}

impl Journal for Readers {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let sql = select_entries!("WHERE e.position > ? ORDER BY e.position LIMIT ?");
        self.with(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![Count(after), limit])?;
            let (mut entries, mut bytes) = (Vec::new(), 0);
            while bytes < ANSWER_BYTES_MAX {
                let Some(row) = rows.next()? else { break };
                let entry = entry(row)?;
                bytes += entry.recorded.fact.data.len();
                entries.push(entry);
            }
            drop(rows);
            self.origin.put_tokens(connection, &mut entries)?;
            Ok(entries)
        })
    }

    fn leaves(&self, after: u64, limit: usize) -> Result<Vec<LeafHash>, LogError> {
        let sql = "SELECT leaf FROM entries WHERE position > ? ORDER BY position LIMIT ?";
        self.with(|connection| {
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut statement = connection.prepare_cached(sql)?;
            statement.query_map(params![Count(after), limit], |row| row.get(0))?.collect()
        })
    }

    fn head(&self) -> Result<u64, LogError> {
        Ok(self.head.load(Ordering::Acquire))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.watch.clone()
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        self.with(|connection| {
            let mut found = connection
                .prepare_cached(select_entries!("WHERE e.id = ?"))?
                .query_row([Id(fact)], entry)
                .optional()?;
            self.origin.put_tokens(connection, found.as_mut_slice())?;
            Ok(found)
        })
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        // Recording never goes back with the position, so halving finds it without an index.
        let (mut at_or_before, mut after) = (0, Journal::head(self)?.saturating_add(1));
        while after - at_or_before > 1 {
            let middle = at_or_before + (after - at_or_before) / 2;
            if self.recorded_at(middle)? <= recorded_at {
                at_or_before = middle;
            } else {
                after = middle;
            }
        }
        Ok(at_or_before)
    }

    fn reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        self.position_reached(token)
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        let stored: Vec<u8> = self.with(|connection| {
            connection
                .prepare_cached("SELECT frontier FROM ledger")?
                .query_row([], |row| row.get(0))
        })?;
        Frontier::from_bytes(&stored).map_err(|error| LogError::Corrupt(error.to_string()))
    }
}

/// The name of the stream that was written first of those whose names start with a prefix.
pub(crate) fn first_stream(
    connection: &Connection,
    prefix: &str,
) -> rusqlite::Result<Option<String>> {
    // Asked first, since names are in order and walking through all streams is not short.
    let next = "SELECT name FROM streams WHERE name >= ? ORDER BY name LIMIT 1";
    let next = connection.prepare_cached(next)?.query_row([prefix], |row| row.get(0));
    let next: Option<String> = next.optional()?;
    if !next.is_some_and(|name| name.starts_with(prefix)) {
        return Ok(None);
    }
    // Streams are numbered when they are first written.
    let mut all = connection.prepare_cached("SELECT name FROM streams ORDER BY sid")?;
    let mut names = all.query_map([], |row| row.get::<_, String>(0))?;
    names.find(|name| name.as_ref().map_or(true, |n| n.starts_with(prefix))).transpose()
}
