//! Rebuilding: the views made anew beside the old ones and swapped in, and two files compared row for row.

use std::path::Path;
use std::sync::Arc;

use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use rusqlite::Connection;
use tokio::runtime::Handle;

use crate::at::{At, sql};
use crate::db::{Reader, VERSION, position, remove, swap, with_end};
use crate::dump::{Line, lines};
use crate::error::Result;
use crate::projector::pump;
use crate::rows::{Schema, Tables};

/// The most differences a comparison names.
const DIFFERENCES_MAX: usize = 1_000;

/// What a rebuild did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// How many entries were folded.
    pub entries: u64,
}

/// Makes the views anew from the whole journal, and puts them in the place of the old ones.
///
/// For use while no server runs on the same file.
pub fn rebuild(
    path: &Path,
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
    mut progress: impl FnMut(u64, u64),
) -> Result<Rebuilt> {
    let shadow = with_end(path, ".rebuild");
    remove(&shadow)?;
    let entries = build(&shadow, journal, keys, runtime, |done, head| {
        progress(done, head);
        Ok(())
    })?;
    swap(&shadow, path)?;
    Ok(Rebuilt { entries })
}

/// Makes views in a new file, fast and unsafe: a crash leaves a file that nobody uses.
pub(crate) fn build(
    path: &Path,
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
    progress: impl FnMut(u64, u64) -> Result<()>,
) -> Result<u64> {
    let mut conn = Connection::open(path)?;
    conn.set_prepared_statement_cache_capacity(128);
    conn.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;
         PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF;",
    )?;
    conn.execute_batch(&Schema::tables())?;
    // What was destroyed before now is not in what we make; said once all of it stands.
    let made_to = journal.head()?;
    pump(&mut conn, &mut Tables::default(), journal, keys, runtime, progress)?;
    conn.execute("UPDATE meta SET made_to = ?", [sql(made_to)])?;
    conn.execute_batch(&Schema::indexes())?;
    conn.execute_batch(&format!("PRAGMA user_version = {VERSION}; PRAGMA optimize;"))?;
    position(&conn)
}

/// A row that two files do not agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which table.
    pub table: String,
    /// The row in the first file, as a line of the canonical dump; nothing where it has none.
    pub left: Option<String>,
    /// The row in the second file.
    pub right: Option<String>,
}

/// Compares two files row for row, up to the last position both know; names at most 1,000 differences.
pub fn compare(left: &Path, right: &Path) -> Result<Vec<Difference>> {
    let (left, right) = (Reader::open(left)?, Reader::open(right)?);
    left.snapshot(|| {
        right.snapshot(|| {
            let at = At::Position(left.position()?.min(right.position()?));
            let mut found = Vec::new();
            for table in crate::dump::tables() {
                merge(table, &left, &right, at, &mut found)?;
            }
            Ok(found)
        })
    })
}

fn merge(
    table: &str,
    left: &Reader,
    right: &Reader,
    at: At,
    found: &mut Vec<Difference>,
) -> Result<()> {
    // Both lists are in the order of the keys: whoever is behind has a row the other lacks.
    let mut others = lines(right, table, at)?.into_iter().peekable();
    let mut note = |left: Option<Line>, right: Option<Line>| {
        if found.len() < DIFFERENCES_MAX {
            let text = |line: Option<Line>| line.map(|line| line.text);
            found.push(Difference {
                table: table.to_owned(),
                left: text(left),
                right: text(right),
            });
        }
    };
    for line in lines(left, table, at)? {
        while let Some(other) = others.next_if(|other| other.key < line.key) {
            note(None, Some(other));
        }
        match others.next_if(|other| other.key == line.key) {
            Some(other) if other.text == line.text => (),
            other => note(Some(line), other),
        }
    }
    others.for_each(|other| note(None, Some(other)));
    Ok(())
}
