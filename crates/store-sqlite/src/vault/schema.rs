//! The tables of the vault. A file once written is opened for ever: steps are only ever added.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use rusqlite_migration::{HookError, HookResult, M, Migrations};

use super::rows::{read_key, read_secret};
use crate::error::OpenError;
use crate::rows::{Count, Id};
use crate::shape::Shape;
use assay_store::seals::{KeyRow, Seals, SecretRow, Total};

/// Version 1. A destroyed key keeps its row, so that "destroyed" and "never seen" stay different.
const V1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE keys (
    id           BLOB PRIMARY KEY,
    wrapped      BLOB,
    created_at   INTEGER NOT NULL,
    destroyed_at INTEGER,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER keys_stay_destroyed BEFORE UPDATE ON keys WHEN OLD.destroyed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a destroyed key does not come back'); END;
CREATE TRIGGER keys_remain BEFORE DELETE ON keys
BEGIN SELECT RAISE(ABORT, 'keys are destroyed, not deleted'); END;
";

/// Version 2: each row has a MAC over all its columns, and `meta` a wrapped total over all rows, so
/// that a changed row is noticed and one that is gone as well. What stood there before is believed.
const V2: &str = "
DROP TRIGGER keys_stay_destroyed;
DROP TRIGGER keys_remain;
ALTER TABLE keys RENAME TO keys_v1;
ALTER TABLE secrets RENAME TO secrets_v1;
CREATE TABLE keys (
    id           BLOB PRIMARY KEY,
    wrapped      BLOB,
    created_at   INTEGER NOT NULL,
    destroyed_at INTEGER,
    mac          BLOB NOT NULL,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    mac     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
";

/// After the rows were carried over.
const V2_END: &str = "
DROP TABLE keys_v1;
DROP TABLE secrets_v1;
CREATE TRIGGER keys_stay_destroyed BEFORE UPDATE ON keys WHEN OLD.destroyed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a destroyed key does not come back'); END;
CREATE TRIGGER keys_remain BEFORE DELETE ON keys
BEGIN SELECT RAISE(ABORT, 'keys are destroyed, not deleted'); END;
";

/// Brings a vault's file up to date, after its master key was found to be the right one. A file
/// from a newer program is refused.
pub(super) fn migrate(connection: &mut Connection, seals: &Arc<Seals>) -> Result<(), OpenError> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        Migrations::new(vec![M::up(V1)]).to_latest(connection)?;
    }
    check_master(connection, seals)?;
    Ok(migrations(seals).to_latest(connection)?)
}

/// The first table or trigger that is not as the newest version has it.
pub(super) fn differs(
    connection: &Connection,
    seals: &Arc<Seals>,
) -> Result<Option<String>, OpenError> {
    let mut fresh = Connection::open_in_memory()?;
    migrations(seals).to_latest(&mut fresh)?;
    Ok(Shape::of(connection)?.differs(&Shape::of(&fresh)?))
}

fn migrations(seals: &Arc<Seals>) -> Migrations<'static> {
    let seals = Arc::clone(seals);
    let carry = move |step: &Transaction<'_>| carry_over(step, &seals);
    Migrations::new(vec![M::up(V1), M::up_with_hook(V2, carry)])
}

/// Knows the master key again, or makes a new file's check word.
fn check_master(connection: &mut Connection, seals: &Seals) -> Result<(), OpenError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stored: Option<Vec<u8>> = step
        .query_row("SELECT value FROM meta WHERE name = 'check'", [], |row| row.get(0))
        .optional()?;
    if let Some(stored) = stored {
        return if seals.is_check_word(&stored) { Ok(()) } else { Err(OpenError::WrongMasterKey) };
    }
    let full = "SELECT EXISTS (SELECT 1 FROM keys) OR EXISTS (SELECT 1 FROM secrets)
                OR EXISTS (SELECT 1 FROM meta)";
    if step.query_row(full, [], |row| row.get(0))? {
        // Only a vault at its birth has none; with a new one any master key would seem right.
        return Err(OpenError::Inconsistent("the vault's check word is gone".to_owned()));
    }
    let wrapped = seals.check_word().map_err(|error| OpenError::Inconsistent(error.to_string()))?;
    step.execute("INSERT INTO meta VALUES ('check', ?)", [wrapped])?;
    Ok(step.commit()?)
}

fn carry_over(step: &Transaction<'_>, seals: &Seals) -> HookResult {
    let mut total = Total::default();
    let mut old = step.prepare(
        "SELECT id, wrapped, created_at, destroyed_at, zeroblob(32) FROM keys_v1 ORDER BY id",
    )?;
    let mut rows = old.query([])?;
    while let Some(row) = rows.next()? {
        let (key, _) = read_key(row)?;
        total.add_key(seals, &key);
        insert_key(step, seals, &key)?;
    }
    drop(rows);
    let mut old =
        step.prepare("SELECT name, version, wrapped, zeroblob(32) FROM secrets_v1 ORDER BY name")?;
    let mut rows = old.query([])?;
    while let Some(row) = rows.next()? {
        let (secret, _) = read_secret(row)?;
        total.add_secret(seals, &secret);
        write_secret(step, seals, &secret)?;
    }
    drop(rows);
    drop(old);
    let wrapped = total.wrap(seals).map_err(|error| HookError::Hook(error.to_string()))?;
    step.execute("INSERT INTO meta VALUES ('total', ?)", [wrapped])?;
    Ok(step.execute_batch(V2_END)?)
}

/// Writes a new key's row.
pub(super) fn insert_key(
    connection: &Connection,
    seals: &Seals,
    key: &KeyRow,
) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT INTO keys VALUES (?, ?, ?, ?, ?)")?.execute(params![
        Id(key.id),
        key.wrapped,
        key.created_at,
        key.destroyed_at,
        seals.mac_of_key(key)
    ])?;
    Ok(())
}

/// Writes a secret's row over the one before it.
pub(super) fn write_secret(
    connection: &Connection,
    seals: &Seals,
    secret: &SecretRow,
) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?)")?.execute(
        params![secret.name, Count(secret.version), secret.wrapped, seals.mac_of_secret(secret)],
    )?;
    Ok(())
}
