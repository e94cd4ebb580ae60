//! Is a journal's file still right? Walks every entry and says where the first wrong one stands.

use std::collections::HashMap;
use std::path::Path;

use assay_ledger::{Frontier, Hash};
use assay_store::journal::Entry;
use assay_store::leaf::leaf_of;
use rusqlite::{Connection, OptionalExtension as _};
use uuid::Uuid;

use crate::connection;
use crate::rows::{Count, entry, select_entries};
use crate::schema;

/// After how many entries progress is told.
const PROGRESS_ENTRIES: u64 = 1_000;

/// What a whole journal looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalReport {
    /// The log's id.
    pub log_id: Uuid,
    /// How many entries it has.
    pub entries: u64,
    /// How many streams they stand in.
    pub streams: u64,
    /// The ledger's root over all of them, computed anew.
    pub root: Hash,
    /// When the first entry was recorded, in microseconds since 1970 (UTC).
    pub first_recorded_at: Option<i64>,
    /// When the last entry was recorded.
    pub last_recorded_at: Option<i64>,
}

/// The first thing that is wrong with a journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", position.map(|position| format!("entry {position}: ")).unwrap_or_default())]
pub struct Fault {
    /// The entry it was found at, unless it concerns the file as a whole.
    pub position: Option<u64>,
    /// What is wrong, for a reader.
    pub what: String,
}

impl Fault {
    fn of_file(what: impl Into<String>) -> Self {
        Self { position: None, what: what.into() }
    }

    fn at(position: u64, what: impl Into<String>) -> Self {
        Self { position: Some(position), what: what.into() }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::of_file(error.to_string())
    }
}

/// Checks a journal, reading only; `progress` hears how many of how many entries are done.
///
/// The file may be in use: what is checked is the moment at which the check began. Everything is
/// recomputed from the stored bytes: positions without gaps, revisions without gaps in each
/// stream, leaves, time that never goes back, the ledger's edge, and last what SQLite itself can
/// say (pages, indexes against tables, ids only once). Takes a few bytes of memory for
/// each stream.
///
/// A log that was cut at its end together with its ledger is whole in itself: only a checkpoint
/// kept elsewhere shows that.
pub fn check_journal(
    path: impl AsRef<Path>,
    mut progress: impl FnMut(u64, u64),
) -> Result<JournalReport, Fault> {
    let connection = connection::for_reading(path.as_ref())
        .map_err(|error| Fault::of_file(error.to_string()))?;
    connection.execute_batch("BEGIN")?;
    let log_id = schema::log_id(&connection).map_err(|error| Fault::of_file(error.to_string()))?;
    let total: Count =
        connection
            .query_row("SELECT coalesce(max(position), 0) FROM entries", [], |row| row.get(0))?;

    let mut walk = Walk::default();
    let mut statement = connection.prepare(select_entries!("ORDER BY e.position"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let next = walk.frontier.size() + 1;
        let entry = entry(row).map_err(|error| Fault::at(next, error.to_string()))?;
        walk.step(&entry, row.get(17)?)?;
        if next.is_multiple_of(PROGRESS_ENTRIES) || next == total.0 {
            progress(next, total.0);
        }
    }
    if walk.frontier.size() != total.0 {
        // The join found no stream or no name for it.
        return Err(Fault::at(walk.frontier.size() + 1, "is missing, or its stream or name is"));
    }
    check_ledger(&connection, &walk.frontier)?;
    check_file(&connection)?;
    Ok(JournalReport {
        log_id,
        entries: walk.frontier.size(),
        streams: walk.streams,
        root: walk.frontier.root(),
        first_recorded_at: walk.first_recorded_at,
        last_recorded_at: walk.last_recorded_at,
    })
}

#[derive(Default)]
struct Walk {
    frontier: Frontier,
    streams: u64,
    next_revisions: HashMap<i64, u64>,
    first_recorded_at: Option<i64>,
    last_recorded_at: Option<i64>,
}

impl Walk {
    fn step(&mut self, entry: &Entry, sid: i64) -> Result<(), Fault> {
        let recorded = &entry.recorded;
        let position = self.frontier.size() + 1;
        let fault = |what: String| Err(Fault::at(position, what));
        if entry.position != position {
            return fault(format!("is missing; the next one is {}", entry.position));
        }
        let next = self.next_revisions.entry(sid).or_insert(0);
        if recorded.revision != *next {
            return fault(format!(
                "has revision {} in {:?} where {next} is next",
                recorded.revision, recorded.stream
            ));
        }
        self.streams += u64::from(*next == 0);
        *next += 1;
        let recorded_at = recorded.fact.envelope.recorded_at;
        if self.last_recorded_at.is_some_and(|last| recorded_at < last) {
            return fault("was recorded before the entry before it".to_owned());
        }
        let leaf = leaf_of(position, &recorded.stream, recorded.revision, &recorded.fact);
        if leaf != entry.leaf_hash {
            return fault("is not what its leaf was made over".to_owned());
        }
        self.frontier.append(leaf);
        self.first_recorded_at.get_or_insert(recorded_at);
        self.last_recorded_at = Some(recorded_at);
        Ok(())
    }
}

fn check_ledger(connection: &Connection, computed: &Frontier) -> Result<(), Fault> {
    let stored = connection
        .query_row("SELECT size, frontier FROM ledger", [], |row| {
            Ok((row.get::<_, Count>(0)?.0, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    let (size, bytes) = stored.ok_or_else(|| Fault::of_file("there is no ledger"))?;
    if size != computed.size() || bytes != computed.to_bytes() {
        return Err(Fault::of_file(format!(
            "the ledger says {size} leaves; the entries make {} and its edge differs",
            computed.size()
        )));
    }
    Ok(())
}

/// The long form, `integrity_check`: the short one does not compare indexes with tables.
fn check_file(connection: &Connection) -> Result<(), Fault> {
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(Fault::of_file(verdict)) }
}
