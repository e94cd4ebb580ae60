//! The tables of the journal. A file once written is opened for ever: steps are only ever added.

use rusqlite::{Connection, OptionalExtension as _};
use rusqlite_migration::{M, Migrations};

use crate::error::OpenError;

/// Version 1.
///
/// - Streams and names of facts are numbered: text keys in the indexes cost 1.8 times the time.
/// - No index but the two that promises need: place in the stream, and id.
/// - `leaf` stands before `data`, so that reading it does not walk through a big fact.
/// - No foreign keys from entries: the writer made the numbers itself in the same transaction, and
///   two more lookups on the hot path would only ask it again. `check` asks them all.
/// - The triggers are against accidents. Whoever owns the file is caught by the ledger instead.
const V1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('log_id', randomblob(16));

CREATE TABLE streams (sid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE names (nid INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE entries (
    position     INTEGER PRIMARY KEY,
    sid          INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    id           BLOB NOT NULL,
    nid          INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    actor        BLOB NOT NULL,
    actor_kind   INTEGER NOT NULL,
    on_behalf_of BLOB,
    session      BLOB,
    command      BLOB NOT NULL,
    causation    BLOB,
    correlation  BLOB NOT NULL,
    case_id      BLOB,
    request_mac  BLOB,
    leaf         BLOB NOT NULL,
    data         BLOB NOT NULL,
    UNIQUE (sid, revision),
    UNIQUE (id)
) STRICT;

CREATE TABLE ledger (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    size     INTEGER NOT NULL,
    frontier BLOB NOT NULL
) STRICT;
INSERT INTO ledger VALUES (1, 0, x'0000000000000000');

CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER streams_stay BEFORE UPDATE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never renamed'); END;
CREATE TRIGGER streams_remain BEFORE DELETE ON streams
BEGIN SELECT RAISE(ABORT, 'streams are never deleted'); END;
CREATE TRIGGER names_stay BEFORE UPDATE ON names
BEGIN SELECT RAISE(ABORT, 'names are never changed'); END;
CREATE TRIGGER names_remain BEFORE DELETE ON names
BEGIN SELECT RAISE(ABORT, 'names are never deleted'); END;
CREATE TRIGGER ledger_grows BEFORE UPDATE ON ledger WHEN NEW.size <= OLD.size
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_remains BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is never deleted'); END;
";

/// Brings a journal's file up to date, or refuses one from a newer program.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    Ok(Migrations::new(vec![M::up(V1)]).to_latest(connection)?)
}

/// The log's id, made with its file.
pub(crate) fn log_id(connection: &Connection) -> Result<uuid::Uuid, OpenError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE name = 'log_id'", [], |row| row.get(0))
        .optional()?;
    let bytes: [u8; 16] = found
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| OpenError::Inconsistent("the log has no id".to_owned()))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}
