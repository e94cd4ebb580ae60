//! The vault in a file of its own, `vault.db`: keys and secrets, each wrapped by the master key.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use rusqlite_migration::{M, Migrations};
use zeroize::Zeroizing;

use crate::connection;
use crate::error::{OpenError, vault_error};
use crate::readers::Pool;
use crate::rows::{Count, Id};
use crate::worker::Worker;

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

/// What is wrapped at the vault's birth, to know the master key again.
const CHECK_WORD: &[u8] = b"assay vault v1";
const CHECK_CONTEXT: &str = "check";

/// Tells the time, in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The embedded vault. Every answer to a write means: it is on disk.
///
/// **Destroying a key** overwrites its row (`secure_delete`), moves the WAL into the file and
/// truncates it, so that neither file holds the wrapped bytes any more. Outside our power remain:
/// backups made before, copies of the blocks that an SSD, a file system with snapshots or a
/// virtual disk keeps, and whoever read the key while it lived. All of these hold the key only
/// wrapped by the master key; turning to a new master key and destroying the old one ends them.
pub struct SqliteVault {
    pool: Pool,
    worker: Worker,
    master: MasterKey,
    clock: Clock,
}

impl fmt::Debug for SqliteVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SqliteVault {}", self.pool.path().display())
    }
}

impl SqliteVault {
    /// Opens the vault at a path, and makes it if there is none; another master key than the one
    /// it was made with is refused.
    pub fn open(
        path: impl AsRef<Path>,
        master: MasterKey,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let mut connection = connection::for_writing(path)?;
        connection.pragma_update(None, "secure_delete", true)?;
        Migrations::new(vec![M::up(V1)]).to_latest(&mut connection)?;
        check_master(&mut connection, &master)?;
        let pool = Pool::open(path)?;
        Ok(Self { pool, worker: Worker::start("vault-writer", connection)?, master, clock })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.pool.path()
    }

    fn unwrap_key(&self, id: KeyId, wrapped: &[u8]) -> Result<Key, VaultError> {
        let plain = Zeroizing::new(self.master.unwrap(&key_context(id), wrapped)?);
        let bytes = <[u8; 32]>::try_from(plain.as_slice());
        bytes.map(Key).map_err(|_| VaultError::Corrupt(format!("key {id} has no 256 bits")))
    }

    fn look_up(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, VaultError> {
        let found = self.pool.with(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT wrapped FROM keys WHERE id = ?")?;
            ids.iter()
                .map(|id| {
                    statement
                        .query_row([Id(*id)], |row| row.get::<_, Option<Vec<u8>>>(0))
                        .optional()
                })
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        let found = found.map_err(|error| vault_error(&error))?;
        let state = |(id, found): (&KeyId, Option<Option<Vec<u8>>>)| match found {
            None => Err(VaultError::UnknownKey(*id)),
            Some(None) => Ok(KeyState::Destroyed),
            Some(Some(wrapped)) => self.unwrap_key(*id, &wrapped).map(KeyState::Held),
        };
        ids.iter().zip(found).map(state).collect()
    }

    async fn make(&self, count: usize) -> Result<Vec<(KeyId, Key)>, VaultError> {
        let now = (self.clock)();
        let millis = u64::try_from(now / 1_000).unwrap_or_default();
        let (mut made, mut wrapped) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            // Ordered by time, so that keys made together lie together.
            let random: [u8; 10] = rand::random();
            let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
            let key = Key(rand::random());
            wrapped.push((id, self.master.wrap(&key_context(id), &key.0)?));
            made.push((id, key));
        }
        self.worker
            .ask(move |connection| {
                let step = connection.transaction()?;
                let mut insert = step.prepare_cached(
                    "INSERT INTO keys (id, wrapped, created_at) VALUES (?, ?, ?)",
                )?;
                for (id, wrapped) in wrapped {
                    insert.execute(params![Id(id), wrapped, now])?;
                }
                drop(insert);
                step.commit().map(Ok)
            })
            .await?;
        Ok(made)
    }

    fn read_secret(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        let found = self.pool.with(|connection| {
            connection
                .prepare_cached("SELECT version, wrapped FROM secrets WHERE name = ?")?
                .query_row([name], |row| Ok((row.get::<_, Count>(0)?.0, row.get::<_, Vec<u8>>(1)?)))
                .optional()
        });
        let found = found.map_err(|error| vault_error(&error))?;
        let open = |(version, wrapped): (u64, Vec<u8>)| {
            let bytes = self.master.unwrap(&secret_context(name, version), &wrapped)?;
            Ok(Secret { version, bytes })
        };
        found.map(open).transpose()
    }

    fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> rusqlite::Result<Vec<String>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.pool.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT name FROM secrets WHERE name >= ?1 AND (?2 IS NULL OR name > ?2)
                 AND substr(name, 1, length(?1)) = ?1 ORDER BY name LIMIT ?3",
            )?;
            statement.query_map(params![prefix, after, limit], |row| row.get(0))?.collect()
        })
    }
}

impl Vault for SqliteVault {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        self.make(count).boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        async move { self.look_up(&ids) }.boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        let now = (self.clock)();
        self.worker.ask(move |connection| destroy(connection, id, now)).boxed()
    }

    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>> {
        async move { self.read_secret(name) }.boxed()
    }

    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>> {
        async move {
            let bytes = Zeroizing::new(bytes);
            let next = version.unwrap_or(0) + 1;
            let wrapped = self.master.wrap(&secret_context(name, next), &bytes)?;
            let name = name.to_owned();
            let work = move |connection: &mut _| put(connection, &name, version, next, &wrapped);
            self.worker.ask(work).await
        }
        .boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        let name = name.to_owned();
        let work = move |connection: &mut Connection| {
            connection.prepare_cached("DELETE FROM secrets WHERE name = ?")?.execute([name])?;
            Ok(Ok(()))
        };
        self.worker.ask(work).boxed()
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        async move { self.list(prefix, after, limit).map_err(|error| vault_error(&error)) }.boxed()
    }
}

fn key_context(id: KeyId) -> String {
    format!("key/{id}")
}

/// With the version in it, an older value put back into the row does not open.
fn secret_context(name: &str, version: u64) -> String {
    format!("secret/{version}/{name}")
}

fn check_master(connection: &mut Connection, master: &MasterKey) -> Result<(), OpenError> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let stored: Option<Vec<u8>> = step
        .query_row("SELECT value FROM meta WHERE name = 'check'", [], |row| row.get(0))
        .optional()?;
    if let Some(stored) = stored {
        let word = master.unwrap(CHECK_CONTEXT, &stored);
        return if word.is_ok_and(|word| word == CHECK_WORD) {
            Ok(())
        } else {
            Err(OpenError::WrongMasterKey)
        };
    }
    let wrapped = master
        .wrap(CHECK_CONTEXT, CHECK_WORD)
        .map_err(|error| OpenError::Inconsistent(error.to_string()))?;
    step.execute("INSERT INTO meta VALUES ('check', ?)", [wrapped])?;
    Ok(step.commit()?)
}

/// Asked again, it clears the WAL again: the first time may have been interrupted before that.
fn destroy(
    connection: &mut Connection,
    id: KeyId,
    now: i64,
) -> rusqlite::Result<Result<(), VaultError>> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = step
        .query_row("SELECT destroyed_at IS NULL FROM keys WHERE id = ?", [Id(id)], |row| row.get(0))
        .optional()?;
    match known {
        None => return Ok(Err(VaultError::UnknownKey(id))),
        Some(false) => {}
        Some(true) => {
            let overwrite = "UPDATE keys SET wrapped = NULL, destroyed_at = ? WHERE id = ?";
            step.execute(overwrite, params![now, Id(id)])?;
        }
    }
    step.commit()?;
    let busy: bool =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    if busy {
        let waits = "the key is destroyed, but a reader keeps its bytes in the WAL: ask again";
        return Ok(Err(VaultError::Unavailable(waits.to_owned())));
    }
    Ok(Ok(()))
}

fn put(
    connection: &mut Connection,
    name: &str,
    version: Option<u64>,
    next: u64,
    wrapped: &[u8],
) -> rusqlite::Result<Result<u64, VaultError>> {
    let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let current = step
        .prepare_cached("SELECT version FROM secrets WHERE name = ?")?
        .query_row([name], |row| row.get::<_, Count>(0))
        .optional()?
        .map(|version| version.0);
    if current != version {
        return Ok(Err(VaultError::Conflict { current }));
    }
    step.prepare_cached("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?)")?.execute(params![
        name,
        Count(next),
        wrapped
    ])?;
    step.commit()?;
    Ok(Ok(next))
}
