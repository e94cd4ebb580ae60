//! Writing to the vault: one transaction, in which the total goes along with every row.

use assay_store::vault::{Key, KeyId, VaultError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::rows::{read_key, read_secret, select_keys, select_secrets};
use super::schema::{insert_key, write_secret};
use crate::rows::Id;
use assay_store::seals::{KeyRow, Seals, SecretRow, Total};

/// Why a step did not write.
pub(super) enum Stop {
    /// The vault's own rules.
    Refused(VaultError),
    /// The database itself failed.
    Failed(rusqlite::Error),
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// What the worker wants to hear: SQLite's error outside, ours inside.
pub(super) fn settled<T>(done: Result<T, Stop>) -> rusqlite::Result<Result<T, VaultError>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(Stop::Refused(error)) => Ok(Err(error)),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Reads the total that stands in the file.
pub(super) fn total(connection: &Connection, seals: &Seals) -> Result<Total, Stop> {
    let stored: Option<Vec<u8>> = connection
        .prepare_cached("SELECT value FROM meta WHERE name = 'total'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let stored = stored.ok_or_else(|| VaultError::Corrupt("the total is gone".to_owned()))?;
    Ok(Total::unwrap(seals, &stored)?)
}

/// A transaction that is being written. Dropped before [`Step::finish`], it leaves no trace.
struct Step<'a> {
    transaction: Transaction<'a>,
    seals: &'a Seals,
    before: Total,
    total: Total,
}

impl<'a> Step<'a> {
    fn begin(connection: &'a mut Connection, seals: &'a Seals) -> Result<Self, Stop> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = total(&transaction, seals)?;
        Ok(Self { transaction, seals, total: before.clone(), before })
    }

    fn key(&self, id: KeyId) -> Result<Option<KeyRow>, Stop> {
        let mut statement = self.transaction.prepare_cached(select_keys!("WHERE id = ?"))?;
        let found = statement.query_row([Id(id)], read_key).optional()?;
        Ok(found.map(|(key, _)| key))
    }

    fn secret(&self, name: &str) -> Result<Option<SecretRow>, Stop> {
        let mut statement = self.transaction.prepare_cached(select_secrets!("WHERE name = ?"))?;
        let found = statement.query_row([name], read_secret).optional()?;
        Ok(found.map(|(secret, _)| secret))
    }

    fn insert(&mut self, key: &KeyRow) -> Result<(), Stop> {
        insert_key(&self.transaction, self.seals, key)?;
        self.total.add_key(self.seals, key);
        Ok(())
    }

    fn finish(self) -> Result<(), Stop> {
        if self.total == self.before {
            return Ok(()); // No row was written.
        }
        let wrapped = self.total.wrap(self.seals)?;
        self.transaction
            .prepare_cached("UPDATE meta SET value = ? WHERE name = 'total'")?
            .execute([wrapped])?;
        Ok(self.transaction.commit()?)
    }
}

/// Stores keys that nobody has seen before.
pub(super) fn insert(
    connection: &mut Connection,
    seals: &Seals,
    keys: &[KeyRow],
) -> Result<(), Stop> {
    let mut step = Step::begin(connection, seals)?;
    for key in keys {
        step.insert(key)?;
    }
    step.finish()
}

/// Stores keys that came from elsewhere, unless they are there already.
pub(super) fn adopt(
    connection: &mut Connection,
    seals: &Seals,
    keys: &[(KeyId, Key)],
    now: i64,
) -> Result<(), Stop> {
    let mut step = Step::begin(connection, seals)?;
    for (id, key) in keys {
        match step.key(*id)? {
            None => {
                let wrapped = Some(seals.wrap_key(*id, key)?);
                step.insert(&KeyRow { id: *id, wrapped, created_at: now, destroyed_at: None })?;
            }
            Some(KeyRow { wrapped: None, .. }) => return Err(VaultError::DestroyedKey(*id).into()),
            Some(KeyRow { wrapped: Some(known), .. }) => {
                if seals.unwrap_key(*id, &known)? != *key {
                    return Err(VaultError::OtherKey(*id).into());
                }
            }
        }
    }
    step.finish()
}

/// Asked again, it clears the WAL again: the first time may have been interrupted before that.
///
/// The total loses what the row says now, not what its MAC says: a row that was changed behind our
/// back leaves the total wrong for ever, also when its key is destroyed.
pub(super) fn destroy(
    connection: &mut Connection,
    seals: &Seals,
    id: KeyId,
    now: i64,
) -> Result<(), Stop> {
    let mut step = Step::begin(connection, seals)?;
    let mut key = step.key(id)?.ok_or(VaultError::UnknownKey(id))?;
    if key.wrapped.is_some() {
        step.total.take_key(seals, &key);
        (key.wrapped, key.destroyed_at) = (None, Some(now));
        step.total.add_key(seals, &key);
        let overwrite = "UPDATE keys SET wrapped = NULL, destroyed_at = ?, mac = ? WHERE id = ?";
        step.transaction.execute(overwrite, params![now, seals.mac_of_key(&key), Id(id)])?;
        step.finish()?;
    } else {
        drop(step);
    }
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let waits = "the key is destroyed, but a reader keeps its bytes in the WAL: ask again";
        return Err(VaultError::Unavailable(waits.to_owned()).into());
    }
    Ok(())
}

/// Writes a secret in the place of the one at `version`.
pub(super) fn put(
    connection: &mut Connection,
    seals: &Seals,
    version: Option<u64>,
    secret: &SecretRow,
) -> Result<u64, Stop> {
    let mut step = Step::begin(connection, seals)?;
    let before = step.secret(&secret.name)?;
    let current = before.as_ref().map(|before| before.version);
    if current != version {
        return Err(VaultError::Conflict { current }.into());
    }
    if let Some(before) = before {
        step.total.take_secret(seals, &before);
    }
    step.total.add_secret(seals, secret);
    write_secret(&step.transaction, seals, secret)?;
    step.finish()?;
    Ok(secret.version)
}

/// Removes a secret, if there is one.
pub(super) fn remove(connection: &mut Connection, seals: &Seals, name: &str) -> Result<(), Stop> {
    let mut step = Step::begin(connection, seals)?;
    let Some(before) = step.secret(name)? else { return Ok(()) };
    step.total.take_secret(seals, &before);
    step.transaction.prepare_cached("DELETE FROM secrets WHERE name = ?")?.execute([name])?;
    step.finish()
}
