//! How every connection is made: the same settings, set and then read back, or it is refused.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;

/// The first version without the WAL-reset bug, as SQLite numbers versions.
const VERSION_MIN: i32 = 3_051_003;
/// How long one statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The page cache of one connection. SQLite reads a negative number as kibibytes.
const CACHE_KIB: &str = "-2000";
/// Pages of WAL after which a commit itself moves them into the file, should the background be late.
const AUTOCHECKPOINT_PAGES: u32 = 8_000;
const STATEMENTS_MAX: usize = 64;

/// What every connection must answer. `synchronous` is per connection, so no single place can set it.
const PRAGMAS: [(&str, &str); 4] =
    [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("trusted_schema", "0")];

/// Opens for writing, and makes the file if there is none.
pub(crate) fn for_writing(path: &Path) -> Result<Connection, OpenError> {
    drop(private(path)?);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = open(path, flags)?;
    // The page size is settled by the first write; afterwards the line has no effect.
    connection.execute_batch("PRAGMA page_size = 8192")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "journal_size_limit", -1)?;
    // REPLACE deletes rows, and without this their triggers stay silent.
    connection.pragma_update(None, "recursive_triggers", true)?;
    set_autocheckpoint(&connection, true)?;
    checked(connection)
}

/// Opens a file, and makes it for its owner alone if there is none; the WAL takes its mode from it.
pub(crate) fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens for reading only.
pub(crate) fn for_reading(path: &Path) -> Result<Connection, OpenError> {
    checked(open(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?)
}

/// Whether commits move a long WAL into the file themselves.
pub(crate) fn set_autocheckpoint(connection: &Connection, on: bool) -> rusqlite::Result<()> {
    let pages = if on { AUTOCHECKPOINT_PAGES } else { 0 };
    connection.pragma_update(None, "wal_autocheckpoint", pages)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < VERSION_MIN {
        return Err(OpenError::TooOld { found: rusqlite::version() });
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // Plans do not look at bound values: a bound LIMIT would have each statement prepared anew.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.execute_batch(&format!("PRAGMA cache_size = {CACHE_KIB}"))?;
    Ok(connection)
}

fn checked(connection: Connection) -> Result<Connection, OpenError> {
    for (pragma, wanted) in PRAGMAS {
        let found = connection.pragma_query_value(None, pragma, |row| {
            Ok(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                other => String::from_utf8_lossy(other.as_bytes()?).into_owned(),
            })
        })?;
        if found != wanted {
            return Err(OpenError::Pragma { pragma, found, wanted });
        }
    }
    Ok(connection)
}
