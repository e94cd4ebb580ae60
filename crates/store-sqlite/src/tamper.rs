//! Changing a journal behind its back, for the tests of what notices it. Behind the feature `tamper`.
//!
//! The feature is never on by default: the program must not contain the words with which its own
//! record is rewritten. Tests turn it on to do what somebody who owns the file could do, and then
//! ask each check what it sees. Nobody may have the journal open meanwhile.
//!
//! Each call drops the triggers, makes one change and puts the triggers back, in one transaction;
//! the leaves stay as they were. [`rehash`] then makes the file whole in itself again.

mod testing;

use std::path::Path;

use assay_store::fact::NewFact;
use rusqlite::{ToSql, params};

use crate::error::OpenError;
use crate::rows::Count;
use testing::{copy, replace_fact, rewrite, shift, without_triggers};

/// What stands where an entry was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing: its position is missing.
    Left,
    /// The entries after it, each moved down by one.
    Closed,
}

/// Runs statements on a journal or a vault while its triggers are away.
pub fn sql(path: impl AsRef<Path>, statements: &str) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| step.execute_batch(statements))
}

/// Drops the triggers for good.
pub fn drop_triggers(path: impl AsRef<Path>) -> Result<(), OpenError> {
    testing::drop_triggers(path.as_ref())
}

/// Puts other data into an entry.
pub fn edit_data(path: impl AsRef<Path>, position: u64, data: &[u8]) -> Result<(), OpenError> {
    edit_column(path, position, "data", data)
}

/// Puts another value into a column of an entry, by the column's name.
pub fn edit_column(
    path: impl AsRef<Path>,
    position: u64,
    column: &str,
    value: impl ToSql,
) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| {
        let edit = testing::edit_statement(column);
        step.execute(&edit, params![value, Count(position)]).map(|_| ())
    })
}

/// Takes an entry out.
pub fn delete(path: impl AsRef<Path>, position: u64, gap: Gap) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| {
        testing::take_out(step, position, position)?;
        if gap == Gap::Closed { shift(step, position, -1) } else { Ok(()) }
    })
}

/// Exchanges the places of two entries.
pub fn swap(path: impl AsRef<Path>, a: u64, b: u64) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| testing::exchange(step, a, b))
}

/// Takes out every entry after a position, and leaves the ledger as it was.
pub fn truncate(path: impl AsRef<Path>, to: u64) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| testing::take_out(step, to.saturating_add(1), u64::MAX))
}

/// Puts a copy of an entry, with a new id and changed as wanted, behind a position; what stood there
/// moves up by one. The copy is in the same stream, after its last revision.
pub fn insert(
    path: impl AsRef<Path>,
    after: u64,
    copy_of: u64,
    change: impl FnOnce(&mut NewFact),
) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| {
        let mut fact = testing::fact_at(step, copy_of)?;
        fact.id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
        change(&mut fact);
        // Kept beside the others until there is room for it.
        copy(step, copy_of, 0)?;
        replace_fact(step, 0, &fact)?;
        shift(step, after, 1)?;
        testing::exchange(step, 0, after.saturating_add(1))
    })
}

/// Makes the file whole in itself again, as its writer would have written it: from a position on,
/// positions and revisions without gaps, time that never goes back, leaves over what is there now;
/// then the ledger, and no stream or name without an entry.
pub fn rehash(path: impl AsRef<Path>, from: u64) -> Result<(), OpenError> {
    without_triggers(path.as_ref(), |step| rewrite(step, from))
}
