//! What a journal's file says of itself, read without walking through its entries.

use std::path::Path;

use assay_ledger::{Frontier, Hash};
use assay_store::log::Token;
use rusqlite::Connection;
use uuid::Uuid;

use crate::batch::Tip;
use crate::connection;
use crate::error::OpenError;
use crate::origin;
use crate::readers;
use crate::rows::Count;

/// What a journal says of itself. Believed, not proved: [`crate::check_journal`] proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalSummary {
    /// The log whose facts it holds.
    pub log_id: Uuid,
    /// Whether it is the copy of a log elsewhere.
    pub is_replica: bool,
    /// How far that log was followed.
    pub followed: Option<Token>,
    /// How many entries it has.
    pub entries: u64,
    /// The ledger's root over all of them.
    pub root: Hash,
    /// When the last entry was recorded, in microseconds since 1970 (UTC).
    pub last_recorded_at: Option<i64>,
}

/// Reads what a journal says of itself. The file may be in use, also by another process.
///
/// # Errors
///
/// `Inconsistent` where what it says does not fit together.
pub fn journal_summary(path: impl AsRef<Path>) -> Result<JournalSummary, OpenError> {
    let connection = connection::for_reading(path.as_ref())?;
    connection.execute_batch("BEGIN")?;
    summary(&connection)
}

/// The stream of a journal's file that was written first of those whose names start with a prefix.
pub fn first_stream(path: impl AsRef<Path>, prefix: &str) -> Result<Option<String>, OpenError> {
    Ok(readers::first_stream(&connection::for_reading(path.as_ref())?, prefix)?)
}

/// The same, inside a transaction.
pub(crate) fn summary(connection: &Connection) -> Result<JournalSummary, OpenError> {
    let tip = tip(connection)?;
    let origin = origin::read(connection, tip.position)?;
    Ok(JournalSummary {
        log_id: origin.log_id,
        is_replica: origin.is_copy,
        followed: origin.followed,
        entries: tip.position,
        root: tip.frontier.root(),
        last_recorded_at: (tip.position > 0).then_some(tip.recorded_at),
    })
}

/// The end of the log as stored; refused if the ledger does not cover exactly the entries.
pub(crate) fn tip(connection: &Connection) -> Result<Tip, OpenError> {
    let last = "SELECT coalesce(max(position), 0), coalesce(max(recorded_at), 0) FROM (
                SELECT position, recorded_at FROM entries ORDER BY position DESC LIMIT 1)";
    let (position, recorded_at) = connection
        .query_row(last, [], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, i64>(1)?)))?;
    let (size, frontier) =
        connection.query_row("SELECT size, frontier FROM ledger", [], |row| {
            Ok((row.get::<_, Count>(0)?.0, row.get::<_, Vec<u8>>(1)?))
        })?;
    let frontier = Frontier::from_bytes(&frontier)
        .map_err(|error| OpenError::Inconsistent(error.to_string()))?;
    if size != position || frontier.size() != position {
        return Err(OpenError::Inconsistent(format!(
            "the last entry is {position}, but the ledger has {size} leaves and its edge {}",
            frontier.size()
        )));
    }
    Ok(Tip { position, recorded_at, frontier })
}
