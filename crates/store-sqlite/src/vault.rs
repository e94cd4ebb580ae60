//! The vault in a file of its own, `vault.db`: keys and secrets, each wrapped by the master key.
//!
//! Read in this order: `schema` (the tables), `rows` (what stands in them), `step` (writing), `check` (is the file still right?).

mod check;
mod rows;
mod schema;
mod step;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::seals::{KeyRow, Seals, SecretRow};
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};
use rusqlite::{Connection, OptionalExtension as _, params};
use zeroize::Zeroizing;

use crate::connection;
use crate::error::{OpenError, vault_error};
use crate::readers::Pool;
use crate::rows::{Count, Id};
use crate::worker::Worker;
use rows::{read_key, select_keys};
use step::Stop;

pub use assay_store::checked::{VaultFault, VaultReport, VaultRow};

/// Tells the time, in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The embedded vault. Every answer to a write means: it is on disk.
///
/// **Destroying a key** overwrites its row (`secure_delete`), moves the WAL into the file and
/// truncates it, so that neither file holds the wrapped bytes any more. Outside our power remain:
/// backups made before, copies of the blocks that an SSD, a file system with snapshots or a
/// virtual disk keeps, and whoever read the key while it lived. All of these hold the key only
/// wrapped by the master key; turning to a new master key and destroying the old one ends them.
///
/// **Every row is proved**: a MAC under the master key over all columns of a row, and a total over
/// all rows, so that [`Self::check`] finds each change that did not come through here. An older
/// file put in the place of the whole one is not noticed.
pub struct SqliteVault {
    pool: Pool,
    worker: Worker,
    seals: Arc<Seals>,
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
        let seals = Arc::new(Seals::new(master));
        schema::migrate(&mut connection, &seals)?;
        step::total(&connection, &seals).map_err(|stop| match stop {
            Stop::Refused(error) => OpenError::Inconsistent(error.to_string()),
            Stop::Failed(error) => error.into(),
        })?;
        let pool = Pool::open(path)?;
        Ok(Self { pool, worker: Worker::start("vault-writer", connection)?, seals, clock })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.pool.path()
    }

    /// Reads and proves everything: every row, whether one is gone, tables and triggers word for
    /// word, and what SQLite itself can say. Names the first wrong row, never what it holds.
    ///
    /// Blocking, and as long as the vault is big: for a thread that may wait. Destroying a key
    /// meanwhile asks to be done again, since the check still reads what was there.
    pub fn check(&self) -> Result<VaultReport, VaultFault> {
        let found = self.pool.with(|connection| Ok(check::check(connection, &self.seals)));
        found.map_err(OpenError::from)?
    }

    /// Writes on the worker's thread.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection, &Seals) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, VaultError> {
        let seals = Arc::clone(&self.seals);
        self.worker.ask(move |connection| step::settled(work(connection, &seals))).await
    }

    fn look_up(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, VaultError> {
        let found = self.pool.with(|connection| {
            let mut statement = connection.prepare_cached(select_keys!("WHERE id = ?"))?;
            ids.iter()
                .map(|id| statement.query_row([Id(*id)], read_key).optional())
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        let found = found.map_err(|error| vault_error(&error))?;
        let state = |(id, found): (&KeyId, Option<(KeyRow, _)>)| {
            let (key, mac) = found.ok_or(VaultError::UnknownKey(*id))?;
            if mac != self.seals.mac_of_key(&key) {
                let what = format!("key {id} is not as it was written");
                return Err(VaultError::Corrupt(what));
            }
            key.wrapped.map_or(Ok(KeyState::Destroyed), |wrapped| {
                self.seals.unwrap_key(*id, &wrapped).map(KeyState::Held)
            })
        };
        ids.iter().zip(found).map(state).collect()
    }

    async fn make(&self, count: usize) -> Result<Vec<(KeyId, Key)>, VaultError> {
        let now = (self.clock)();
        let millis = u64::try_from(now / 1_000).unwrap_or_default();
        let (mut made, mut rows) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for _ in 0..count {
            // Ordered by time, so that keys made together lie together.
            let random: [u8; 10] = rand::random();
            let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
            let key = Key(rand::random());
            let wrapped = Some(self.seals.wrap_key(id, &key)?);
            rows.push(KeyRow { id, wrapped, created_at: now, destroyed_at: None });
            made.push((id, key));
        }
        self.write(move |connection, seals| step::insert(connection, seals, &rows)).await?;
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
            let bytes = self.seals.unwrap_secret(name, version, &wrapped)?;
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

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        let now = (self.clock)();
        self.write(move |connection, seals| step::adopt(connection, seals, &keys, now)).boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        async move { self.look_up(&ids) }.boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        let now = (self.clock)();
        self.write(move |connection, seals| step::destroy(connection, seals, id, now)).boxed()
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
            let wrapped = self.seals.wrap_secret(name, next, &bytes)?;
            let secret = SecretRow { name: name.to_owned(), version: next, wrapped };
            self.write(move |connection, seals| step::put(connection, seals, version, &secret))
                .await
        }
        .boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        let name = name.to_owned();
        self.write(move |connection, seals| step::remove(connection, seals, &name)).boxed()
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
