//! Readers of the views: any number, each with a connection of its own and one moment at a time.

mod file;

use std::cell::Cell;
use std::path::Path;

use assay_domain::value::Edtf;
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::at::{At, number, sql};
use crate::doc::Instant;
use crate::error::{Result, ViewError};
use crate::page::Document;
use file::{BUSY, STATEMENTS_MAX, leave};

pub use file::{VERSION, Views};
pub(crate) use file::{remove, swap, with_end, writer};

/// How much page cache a reader keeps, in KiB.
const READER_CACHE_KIB: i64 = 4_096;

/// Answers questions; a connection of its own with its statements at hand.
#[derive(Debug)]
pub struct Reader {
    conn: Connection,
    depth: Cell<u32>,
    generation: u64,
}

impl Reader {
    /// A reader of an existing file of views.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags)?;
        leave(&conn)?;
        conn.busy_timeout(BUSY)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.execute_batch(&format!(
            "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -{READER_CACHE_KIB}; PRAGMA mmap_size = 67108864;"
        ))?;
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        conn.create_scalar_function("edtf_overlaps", 2, flags, |ctx| {
            let (time, window): (String, String) = (ctx.get(0)?, ctx.get(1)?);
            Ok(overlaps(time, window))
        })?;
        Ok(Self { conn, depth: Cell::new(0), generation: 0 })
    }

    /// Does work on one consistent moment: what is projected meanwhile is not seen.
    pub fn snapshot<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.depth.get() > 0 {
            return work();
        }
        self.conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
        self.depth.set(1);
        let held = Held(self);
        let result = work();
        drop(held);
        result
    }

    /// The last position projected.
    pub fn position(&self) -> Result<u64> {
        position(&self.conn)
    }

    pub(crate) const fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The position a moment means.
    pub(crate) fn resolve(&self, at: At) -> Result<u64> {
        match at {
            At::Head => self.position(),
            At::Position(position) => Ok(position),
        }
    }

    /// The row of a subject as it was at a moment.
    pub(crate) fn document(&self, table: &str, id: uuid::Uuid, at: At) -> Result<Option<Document>> {
        let until = match at {
            At::Head => crate::at::OPEN,
            At::Position(position) => sql(position),
        };
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT doc, revision, from_pos, to_pos FROM {table}
             WHERE id = ? AND from_pos <= ? ORDER BY from_pos DESC LIMIT 1"
        ))?;
        let found = statement
            .query_row((id.as_bytes().as_slice(), until), |row| {
                let (json, to): (String, i64) = (row.get(0)?, row.get(3)?);
                let (revision, from): (i64, i64) = (row.get(1)?, row.get(2)?);
                let (revision, position) = (number(revision), number(from));
                Ok((Document { json, revision, position }, to))
            })
            .optional()?;
        let held = |to: i64| to == crate::at::OPEN || (at != At::Head && to > until);
        Ok(found.filter(|(_, to)| held(*to)).map(|(document, _)| document))
    }
}

/// A snapshot that is held: let go also where the work panics, or it would pin the file's log.
struct Held<'a>(&'a Reader);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.depth.set(0);
        let ended = self.0.conn.prepare_cached("ROLLBACK").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            tracing::error!(%error, "a snapshot of the views did not end");
        }
    }
}

/// How a stored time meets a window: 0 not, 1 possibly, 2 certainly.
fn overlaps(time: String, window: String) -> i64 {
    use assay_domain::value::Match;
    let (Ok(time), Ok(window)) = (Edtf::try_from(time), Edtf::try_from(window)) else {
        return 1;
    };
    match time.overlaps(&window) {
        Match::No => 0,
        Match::Possible => 1,
        Match::Certain => 2,
    }
}

/// The last position projected into a file.
pub(crate) fn position(conn: &Connection) -> Result<u64> {
    let mut statement = conn.prepare_cached("SELECT position FROM meta WHERE one = 1")?;
    let position: Option<i64> = statement.query_row([], |row| row.get(0)).optional()?;
    Ok(position.map_or(0, number))
}

/// A position and when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Moment {
    /// A position of the journal; 0 before anything happened.
    pub position: u64,
    /// When its entry was recorded; null for 0.
    pub recorded_at: Option<Instant>,
}

/// The position a moment means, at most what this node has projected, and when it was recorded.
pub fn moment(db: &Reader, at: At) -> Result<Moment> {
    let position = db.resolve(at)?.min(db.position()?);
    let mut statement =
        db.conn.prepare_cached("SELECT recorded_at FROM history WHERE position = ?")?;
    let micros: Option<i64> = statement.query_row([sql(position)], |row| row.get(0)).optional()?;
    let recorded_at = micros.and_then(Instant::of_micros);
    if position > 0 && recorded_at.is_none() {
        return Err(ViewError::Damaged(format!("no history of position {position}")));
    }
    Ok(Moment { position, recorded_at })
}
