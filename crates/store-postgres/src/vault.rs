//! The vault in the same database: keys and secrets, each wrapped by the master key.
//!
//! Read in this order: `rows` (what stands in the tables), `birth` (the first rows, by which the
//! master key is known again), `step` (writing), `names` (listing), `check` (is it still right?).

mod birth;
mod check;
mod names;
mod rows;
mod step;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use assay_store::master::MasterKey;
use assay_store::seals::{KeyRow, Seals, SecretRow};
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::address::Address;
use crate::error::OpenError;
use crate::options::Options;
use crate::readers::Readers;
use crate::schema;
use crate::session::within;
use rows::{read_key, read_secret, select_keys, select_secrets};
use step::{Change, Stop, change};

pub use assay_store::checked::{CheckError, VaultFault, VaultReport, VaultRow};

/// Tells the time, in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How long tidying up after a destroyed key may take.
const VACUUM_MAX: Duration = Duration::from_mins(10);

/// The vault in a PostgreSQL database that [`prepare`](crate::prepare) made the tables in, shared
/// by all nodes. Every answer to a write means: it is on the server's disk, and on its standby's
/// where `synchronous_standby_names` names one.
///
/// **Destroying a key** overwrites its row. PostgreSQL keeps the row as it was until VACUUM has
/// freed its place, and the bytes there until something else is written over them; VACUUM is
/// asked for at once, in the background, and does its work when no older snapshot needs the row.
/// The bytes also stand in the write-ahead log until it is recycled, on standbys and in archives
/// of that log, and in backups made before. All of these hold the key only wrapped by the master
/// key; turning to a new master key and destroying the old one ends them.
///
/// **Every row is proved**: a MAC under the master key over all columns of a row, and a total over
/// all rows that every writer locks first, so that [`Self::check`] finds each change that did not
/// come through here. An older state put in the place of the whole one is not noticed.
pub struct PostgresVault {
    readers: Arc<Readers>,
    seals: Seals,
    clock: Clock,
    /// Asks for VACUUM; a full channel means that one is about to begin.
    untidy: mpsc::Sender<()>,
}

impl fmt::Debug for PostgresVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresVault")
    }
}

impl PostgresVault {
    /// Opens the vault of a database that was prepared, and makes its first rows if there are none;
    /// another master key than the one it was made with is refused. Inside a tokio runtime.
    pub async fn open(
        options: Options,
        master: MasterKey,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let readers = Arc::new(Readers::new(Address::of(&options)?, options.answer_max)?);
        schema::check(&readers).await?;
        let seals = Seals::new(master);
        let mut session = readers.session().await.map_err(|trouble| trouble.for_opener())?;
        birth::know_again(&mut session, options.answer_max, &seals).await?;
        drop(session);
        let (untidy, told) = mpsc::channel(1);
        tokio::spawn(tidy(Arc::clone(&readers), told));
        Ok(Self { readers, seals, clock, untidy })
    }

    /// Reads and proves everything: every row, and whether one is gone. Names the first wrong row,
    /// never what it holds. As long as the vault is big; it sees one moment of it.
    pub async fn check(&self) -> Result<VaultReport, CheckError> {
        check::check(&self.readers, &self.seals).await
    }

    async fn change(&self, wanted: &Change) -> Result<(), VaultError> {
        let mut is_again = false;
        loop {
            let session = self.readers.session().await;
            let mut session = session.map_err(|trouble| trouble.for_vault())?;
            let done = change(&mut session, self.readers.answer_max(), &self.seals, wanted).await;
            match done {
                Ok(()) => return Ok(()),
                Err(Stop::Refused(error)) => return Err(error),
                // The connection was stale; nothing was asked of it yet.
                Err(Stop::NotBegun(trouble)) if trouble.is_lost() && !is_again => {
                    self.readers.give_up(session);
                    is_again = true;
                }
                Err(Stop::NotBegun(trouble) | Stop::Failed(trouble)) => {
                    self.readers.give_up(session);
                    return Err(trouble.for_vault());
                }
                Err(Stop::Unknown) => {
                    self.readers.give_up(session);
                    let what = "PostgreSQL warned while it committed: ask again";
                    return Err(VaultError::Unavailable(what.to_owned()));
                }
            }
        }
    }

    async fn look_up(&self, ids: &[KeyId]) -> Result<Vec<KeyState>, VaultError> {
        let rows = self.readers.query(select_keys!("WHERE id = ANY($1)"), &[&ids]).await;
        let rows = rows.map_err(|trouble| trouble.for_vault())?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (key, mac) = read_key(row)?;
            found.insert(key.id, (key, mac));
        }
        let state = |id: &KeyId| {
            let (key, mac) = found.get(id).ok_or(VaultError::UnknownKey(*id))?;
            if *mac != self.seals.mac_of_key(key) {
                let what = format!("key {id} is not as it was written");
                return Err(VaultError::Corrupt(what));
            }
            key.wrapped.as_ref().map_or(Ok(KeyState::Destroyed), |wrapped| {
                self.seals.unwrap_key(*id, wrapped).map(KeyState::Held)
            })
        };
        ids.iter().map(state).collect()
    }

    async fn make(&self, count: usize) -> Result<Vec<(KeyId, Key)>, VaultError> {
        if count == 0 {
            return Ok(Vec::new());
        }
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
        self.change(&Change::Insert(rows)).await?;
        Ok(made)
    }

    async fn read_secret(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        if name.contains('\0') {
            return Ok(None);
        }
        let rows = self.readers.query(select_secrets!("WHERE name = $1"), &[&name]).await;
        let rows = rows.map_err(|trouble| trouble.for_vault())?;
        let Some(row) = rows.first() else { return Ok(None) };
        let (secret, _) = read_secret(row)?;
        let bytes = self.seals.unwrap_secret(name, secret.version, &secret.wrapped)?;
        Ok(Some(Secret { version: secret.version, bytes }))
    }
}

/// Has VACUUM done until nobody can ask for it any more.
async fn tidy(readers: Arc<Readers>, mut told: mpsc::Receiver<()>) {
    while told.recv().await.is_some() {
        let done = match readers.session().await {
            Ok(session) => {
                let done =
                    within(VACUUM_MAX, session.client.batch_execute("VACUUM assay.keys")).await;
                if done.is_err() {
                    readers.give_up(session);
                }
                done
            }
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = done {
            let error = trouble.told();
            tracing::warn!(error, "a destroyed key's place was not freed; autovacuum will");
        }
    }
}

impl Vault for PostgresVault {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        self.make(count).boxed()
    }

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            let now = (self.clock)();
            self.change(&Change::Adopt { keys, now }).await
        }
        .boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        async move { self.look_up(&ids).await }.boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        async move {
            let now = (self.clock)();
            self.change(&Change::Destroy { id, now }).await?;
            let _about_to = self.untidy.try_send(());
            Ok(())
        }
        .boxed()
    }

    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>> {
        self.read_secret(name).boxed()
    }

    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>> {
        async move {
            let bytes = Zeroizing::new(bytes);
            if name.contains('\0') {
                let what = "PostgreSQL holds no name with a zero byte";
                return Err(VaultError::Unavailable(what.to_owned()));
            }
            let next = version.unwrap_or(0).saturating_add(1);
            let wrapped = self.seals.wrap_secret(name, next, &bytes)?;
            let secret = SecretRow { name: name.to_owned(), version: next, wrapped };
            self.change(&Change::Put { version, secret }).await?;
            Ok(next)
        }
        .boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        async move {
            if name.contains('\0') {
                return Ok(());
            }
            self.change(&Change::Remove(name.to_owned())).await
        }
        .boxed()
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        names::list(&self.readers, prefix, after, limit).boxed()
    }
}
