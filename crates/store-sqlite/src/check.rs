//! Is a journal's file still right? Walks every entry and says where the first wrong one stands.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use assay_ledger::{Frontier, Hash};
use assay_store::journal::Entry;
use assay_store::leaf::leaf_of;
use rusqlite::Connection;
use uuid::Uuid;

use crate::connection;
use crate::error::OpenError;
use crate::origin;
use crate::rows::{Count, entry, select_entries};
use crate::schema;
use crate::shape::wrong_pages;

/// After how many entries progress is told.
const PROGRESS_ENTRIES: u64 = 1_000;

/// What a whole journal looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalReport {
    /// The log's id.
    pub log_id: Uuid,
    /// Whether it is the copy of a log elsewhere.
    pub is_replica: bool,
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

/// What a check found: the verdict, and the roots that hold whatever the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The whole journal, or the first thing that is wrong with it.
    pub verdict: Result<JournalReport, Fault>,
    /// The ledger's root over the first n entries, computed from their stored bytes, for each n
    /// asked for. A size beyond the end, or beyond the first wrong entry, is absent.
    pub roots: BTreeMap<u64, Hash>,
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
    pub(crate) fn of_file(what: impl Into<String>) -> Self {
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

impl From<OpenError> for Fault {
    fn from(error: OpenError) -> Self {
        Self::of_file(match error {
            OpenError::Inconsistent(what) => what,
            other => other.to_string(),
        })
    }
}

/// Checks a journal, reading only; `progress` hears how many of how many entries are done.
///
/// The file may be in use: what is checked is the moment at which the check began. Everything is
/// recomputed from the stored bytes: positions without gaps, revisions without gaps in each
/// stream, leaves, time that never goes back, the ledger's edge, no stream and no name without an
/// entry, the log's id, tables and triggers word for word as they were made, in the copy of a log
/// elsewhere its tokens and how far it was followed, and last what SQLite itself can say (pages,
/// indexes against tables, ids only once). Takes a few bytes of memory for each stream.
///
/// A log that was cut at its end together with its ledger, or rewritten with all its leaves, is
/// whole in itself: only a checkpoint kept elsewhere shows that ([`check_journal_at`]). So does it
/// show another log's id written into the file in all places: compare [`JournalReport::log_id`]
/// with the checkpoint's origin.
pub fn check_journal(
    path: impl AsRef<Path>,
    progress: impl FnMut(u64, u64),
) -> Result<JournalReport, Fault> {
    check_journal_at(path, &BTreeSet::new(), progress).verdict
}

/// Checks a journal as [`check_journal`] does, and answers the root it had at each of these sizes,
/// for comparing it with checkpoints signed then.
///
/// Where the journal is damaged at an entry, the roots of all sizes before it are there all the
/// same: each is over entries that were found right.
pub fn check_journal_at(
    path: impl AsRef<Path>,
    sizes: &BTreeSet<u64>,
    progress: impl FnMut(u64, u64),
) -> Checked {
    let mut walk = Walk::over(sizes);
    let verdict = check(path.as_ref(), &mut walk, progress);
    Checked { verdict, roots: walk.roots }
}

fn check(
    path: &Path,
    walk: &mut Walk<'_>,
    progress: impl FnMut(u64, u64),
) -> Result<JournalReport, Fault> {
    let connection = connection::for_reading(path)?;
    connection.execute_batch("BEGIN")?;
    walk_entries(&connection, walk, progress)?;
    check_ledger(&connection, &walk.frontier)?;
    check_names(&connection, walk)?;
    let (log_id, is_replica) = schema::log_id(&connection)?;
    schema::check_shape(&connection)?;
    origin::check(&connection, walk.frontier.size())?;
    if let Some(wrong) = wrong_pages(&connection)? {
        return Err(Fault::of_file(wrong));
    }
    Ok(JournalReport {
        log_id,
        is_replica,
        entries: walk.frontier.size(),
        streams: count(walk.next_revisions.len()),
        root: walk.frontier.root(),
        first_recorded_at: walk.first_recorded_at,
        last_recorded_at: walk.last_recorded_at,
    })
}

fn walk_entries(
    connection: &Connection,
    walk: &mut Walk<'_>,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), Fault> {
    walk.keep_root();
    let total: Count =
        connection
            .query_row("SELECT coalesce(max(position), 0) FROM entries", [], |row| row.get(0))?;
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
    Ok(())
}

/// What was found right so far.
struct Walk<'a> {
    sizes: &'a BTreeSet<u64>,
    roots: BTreeMap<u64, Hash>,
    frontier: Frontier,
    next_revisions: HashMap<i64, u64>,
    names: HashSet<String>,
    first_recorded_at: Option<i64>,
    last_recorded_at: Option<i64>,
}

impl<'a> Walk<'a> {
    fn over(sizes: &'a BTreeSet<u64>) -> Self {
        Self {
            sizes,
            roots: BTreeMap::new(),
            frontier: Frontier::new(),
            next_revisions: HashMap::new(),
            names: HashSet::new(),
            first_recorded_at: None,
            last_recorded_at: None,
        }
    }

    fn keep_root(&mut self) {
        if self.sizes.contains(&self.frontier.size()) {
            self.roots.insert(self.frontier.size(), self.frontier.root());
        }
    }

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
        self.keep_root();
        if !self.names.contains(&recorded.fact.name) {
            self.names.insert(recorded.fact.name.clone());
        }
        self.first_recorded_at.get_or_insert(recorded_at);
        self.last_recorded_at = Some(recorded_at);
        Ok(())
    }
}

fn check_ledger(connection: &Connection, computed: &Frontier) -> Result<(), Fault> {
    let mut statement = connection.prepare("SELECT one, size, frontier FROM ledger")?;
    let rows =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Count>(1)?.0, row.get(2)?)))?;
    let rows: Vec<(i64, u64, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    let [(1, size, bytes)] = rows.as_slice() else {
        return Err(Fault::of_file("there is no ledger, or it is not the one row it was"));
    };
    if *size != computed.size() || *bytes != computed.to_bytes() {
        return Err(Fault::of_file(format!(
            "the ledger says {size} leaves; the entries make {} and its edge differs",
            computed.size()
        )));
    }
    Ok(())
}

/// Streams and names are made with their first entry, so there are none without.
fn check_names(connection: &Connection, walk: &Walk<'_>) -> Result<(), Fault> {
    let counts = "SELECT (SELECT count(*) FROM streams), (SELECT count(*) FROM names)";
    let (streams, names) = connection
        .query_row(counts, [], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0)))?;
    let used = (count(walk.next_revisions.len()), count(walk.names.len()));
    if (streams, names) != used {
        return Err(Fault::of_file(format!(
            "there are {streams} streams and {names} names; the entries use {} and {}",
            used.0, used.1
        )));
    }
    Ok(())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
