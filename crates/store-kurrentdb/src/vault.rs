//! KurrentDB as the vault: one stream for each key and each secret, of which the last event counts.
//!
//! Read in this order: `rows` (what an event holds), `keys` and `secrets` (how they are written), `names` (which secrets there are), `check` (are they still as they were written?).

mod check;
mod keys;
mod names;
mod rows;
mod secrets;

use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::seals::Seals;
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use kurrentdb::{EventData, StreamState};
use zeroize::Zeroizing;

use crate::birth::{log_id_at, random_id};
use crate::connection::Connection;
use crate::error::{OpenError, Trouble};
use crate::options::Options;
use names::Names;
use rows::Streams;

pub use assay_store::checked::{CheckError, VaultFault, VaultReport, VaultRow};

/// Tells the time, in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How many keys are written or read at once.
const CALLS_IN_FLIGHT_MAX: usize = 32;

/// The vault on KurrentDB. Every answer to a write means: it is on the disks of most nodes.
///
/// **Destroying a key** writes that it was destroyed over it: its stream keeps one event only
/// (`$maxCount`), so the wrapped bytes are not read any more at once. **They leave the disks at the
/// next scavenge** of every node, so a cluster that holds a vault is scavenged on a schedule. The
/// same holds for secrets that were replaced or dropped. Backups made before keep the bytes, wrapped
/// by the master key.
///
/// **Every row is proved** by a MAC under the master key. There is no total over all rows, since
/// many nodes write at once: a row that is missing, or an older one put back in its place, is not
/// noticed by [`Self::check`].
///
/// Keys are written one by one: when [`Vault::new_keys`] or [`Vault::adopt_keys`] fails for want of
/// a server, some may be there. New ones nobody knows; adopted ones are adopted again.
#[derive(Debug)]
pub struct KurrentVault {
    options: Options,
    connection: Connection,
    streams: Streams,
    seals: Arc<Seals>,
    clock: Told,
    names: Names,
}

struct Told(Clock);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl KurrentVault {
    /// Opens the vault beside the log that [`crate::prepare`] made; the first one to open it makes it.
    ///
    /// # Errors
    ///
    /// `NotPrepared` where there is no log; `WrongMasterKey` where the vault was made with another;
    /// otherwise as [`OpenError`] says.
    pub async fn open(
        options: Options,
        master: MasterKey,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let names = options.names()?;
        let connection = Connection::open(&options).await?;
        log_id_at(&connection, &names).await?;
        let streams = Streams::new(names.vault());
        let seals = Arc::new(Seals::new(master));
        let word = EventData::binary(rows::CHECK_EVENT, seals.check_word()?.into());
        let word = [word.id(random_id())];
        let there = match connection.last_of(&streams.check()).await? {
            Some(there) => Some(there),
            None => match connection.append(&streams.check(), StreamState::NoStream, &word).await {
                Ok(_) | Err(Trouble::Moved { .. }) => connection.last_of(&streams.check()).await?,
                Err(trouble) => return Err(trouble.into()),
            },
        };
        if !there.is_some_and(|there| seals.is_check_word(&there.data)) {
            return Err(OpenError::WrongMasterKey);
        }
        let names = Names::new(connection.clone(), streams.clone(), Arc::clone(&seals));
        Ok(Self { options, connection, streams, seals, clock: Told(clock), names })
    }

    /// What it was opened with.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// Reads and proves everything: every row that counts. Names the first wrong one, never what it holds.
    ///
    /// # Errors
    ///
    /// The first fault, or that the vault could not be read.
    pub async fn check(&self) -> Result<VaultReport, CheckError> {
        check::check(&self.connection, &self.streams, &self.seals).await
    }

    /// Written before what it hides, so that nothing is left over when we stop in between.
    async fn keep_last_only(&self, stream: &str) -> Result<(), VaultError> {
        let event = [rows::keep_last_event()?];
        let stream = format!("$${stream}");
        match self.connection.append(&stream, StreamState::NoStream, &event).await {
            Ok(_) | Err(Trouble::Moved { .. }) => Ok(()),
            Err(trouble) => Err(trouble.into()),
        }
    }
}

impl Vault for KurrentVault {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        self.make(count).boxed()
    }

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        self.adopt(keys).boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        let states = stream::iter(ids).map(|id| self.look_up(id)).buffered(CALLS_IN_FLIGHT_MAX);
        states.try_collect().boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        self.end(id).boxed()
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
        let bytes = Zeroizing::new(bytes);
        async move { self.put(name, version, &bytes).await }.boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        self.remove(name).boxed()
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        self.names.list(prefix, after, limit).boxed()
    }
}
