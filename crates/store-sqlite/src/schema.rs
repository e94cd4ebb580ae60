//! The tables of the journal. A file once written is opened for ever: steps are only ever added.

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};
use uuid::Uuid;

use crate::error::OpenError;
use crate::rows::Id;
use crate::shape::Shape;

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

/// Version 2: the log's id stands twice, so that a bit that changed in it is noticed. No leaf holds
/// it; whoever changes both is caught by a checkpoint kept elsewhere, whose origin names the log.
const V2: &str = "INSERT INTO meta SELECT 'log_id_again', value FROM meta WHERE name = 'log_id'";

/// Version 3: a journal may be the copy of a log elsewhere. Its `meta` then has a third row that says
/// so, `followed` says how far that log was followed, and `tokens` holds the places in that log of
/// the entries from the first on whose place is not its position.
///
/// `followed` stands twice for the reason that the log's id does: the way on rests on it.
const V3: &str = "
CREATE TABLE followed (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    token INTEGER,
    again INTEGER,
    CHECK (token IS again)
) STRICT;
INSERT INTO followed VALUES (1, NULL, NULL);
CREATE TABLE tokens (position INTEGER PRIMARY KEY, token INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX tokens_in_order ON tokens (token);

CREATE TRIGGER followed_grows BEFORE UPDATE ON followed
WHEN OLD.token IS NOT NULL AND (NEW.token IS NULL OR NEW.token < OLD.token)
BEGIN SELECT RAISE(ABORT, 'what was followed is never taken back'); END;
CREATE TRIGGER followed_remains BEFORE DELETE ON followed
BEGIN SELECT RAISE(ABORT, 'what was followed is never forgotten'); END;
CREATE TRIGGER tokens_stay BEFORE UPDATE ON tokens
BEGIN SELECT RAISE(ABORT, 'tokens are never changed'); END;
CREATE TRIGGER tokens_remain BEFORE DELETE ON tokens
BEGIN SELECT RAISE(ABORT, 'tokens are never deleted'); END;
";

fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(V1), M::up(V2), M::up(V3)])
}

/// Brings a journal's file up to date, or refuses one from a newer program.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    Ok(migrations().to_latest(connection)?)
}

/// Refuses a file whose tables, indexes or triggers are not those that its version was made with.
pub(crate) fn check_shape(connection: &Connection) -> Result<(), OpenError> {
    let mut fresh = Connection::open_in_memory()?;
    migrations().to_version(&mut fresh, version(connection)?)?;
    let differs = Shape::of(connection)?.differs(&Shape::of(&fresh)?);
    differs.map_or(Ok(()), |what| Err(OpenError::Inconsistent(what)))
}

/// How far a file was brought; an empty one is at 0.
pub(crate) fn version(connection: &Connection) -> Result<usize, OpenError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let unreadable = |_| OpenError::Inconsistent(format!("it is of version {version}"));
    usize::try_from(version).map_err(unreadable)
}

/// The log's id, made with its file or taken over from the log it is a copy of, and whether it is a
/// copy; refused where the file does not say one and the same.
pub(crate) fn log_id(connection: &Connection) -> Result<(Uuid, bool), OpenError> {
    let mut statement = connection.prepare("SELECT name, value FROM meta ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(String, [u8; 16])> = rows.collect::<rusqlite::Result<_>>()?;
    let rows: Vec<(&str, [u8; 16])> = rows.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    // Made of chance by SQL, which knows nothing of the bits that say so.
    let made = |id| uuid::Builder::from_random_bytes(id).into_uuid();
    match (version(connection)?, rows.as_slice()) {
        (1, [("log_id", id)]) => Ok((made(*id), false)),
        (2.., [("log_id", id), ("log_id_again", again)]) if id == again => Ok((made(*id), false)),
        (3.., [("log_id", id), ("log_id_again", again), ("upstream", upstream)])
            if id == again && id == upstream =>
        {
            Ok((Uuid::from_bytes(*id), true))
        }
        _ => Err(OpenError::Inconsistent("the log's id is damaged".to_owned())),
    }
}

/// Makes the journal the copy of a log elsewhere. It must be empty.
pub(crate) fn mark_as_copy(connection: &Connection, log: Uuid) -> rusqlite::Result<()> {
    connection.execute("UPDATE meta SET value = ?", [Id(log)])?;
    connection.execute("INSERT INTO meta VALUES ('upstream', ?)", [Id(log)])?;
    Ok(())
}
