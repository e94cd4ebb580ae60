//! Opening a data directory: the log, the vault, the keys at hand and the house that writes with them.

use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::{Clock, House};
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::log::Log;
use assay_store_sqlite::{Options, SqliteLog, SqliteVault};

use crate::data_dir::{DataDir, Held};
use crate::exit::usage;
use crate::keys::MasterFrom;
use crate::settings::Settings;

/// A house with its directory, held by this process.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Everything that writes goes through it.
    pub(crate) house: Arc<House>,
    /// The same log, for what only the embedded one can tell.
    pub(crate) log: Arc<SqliteLog>,
    /// The keys at hand.
    pub(crate) keys: Arc<KeyRing>,
    /// The vault behind them, for what only the embedded one can tell.
    pub(crate) vault: Arc<SqliteVault>,
    /// Where it lies.
    pub(crate) dir: DataDir,
    held: Option<Held>,
}

impl Opened {
    /// Keeps the directory until the process is gone, so that nobody enters while we clear up.
    pub(crate) fn hold_until_exit(&mut self) {
        std::mem::forget(self.held.take());
    }

    /// The journal.
    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        self.log.clone()
    }
}

/// Opens a directory that is set up and that nobody else holds.
pub(crate) async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let dir = DataDir::at(&settings.data_dir);
    dir.must_be_ready()?;
    let held = dir.hold()?;
    open_held(settings, clock, dir, held).await
}

/// Opens a directory that this process holds already.
pub(crate) async fn open_held(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    dir: DataDir,
    held: Held,
) -> anyhow::Result<Opened> {
    dir.make_files()?;
    let vault = vault(settings, &clock, &dir)?;
    let keys = Arc::new(KeyRing::new(vault.clone()));
    keys.recall().await.context("reading what is held back")?;
    let options =
        Options { queue_appends_max: settings.limits.queue_appends_max, ..Options::default() };
    let log = SqliteLog::open(dir.journal(), options)
        .with_context(|| format!("opening {}", dir.journal().display()))?;
    let log = Arc::new(log);
    let (appended, journal): (Arc<dyn Log>, Arc<dyn Journal>) = (log.clone(), log.clone());
    let house = House::new(appended, journal, Arc::clone(&keys), clock);
    Ok(Opened { house: Arc::new(house), log, keys, vault, dir, held: Some(held) })
}

/// The vault, opened with the master key.
fn vault(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    dir: &DataDir,
) -> anyhow::Result<Arc<SqliteVault>> {
    let from = MasterFrom::choose(settings.keys.master_key_file.as_deref(), dir);
    let master = from.read()?;
    let told = Arc::clone(clock);
    let told = Arc::new(move || told.now().as_microsecond());
    let vault = SqliteVault::open(dir.vault(), master, told).map_err(|error| match error {
        assay_store_sqlite::OpenError::WrongMasterKey => usage(format!(
            "the master key from {} is not the one that {} was made with",
            from.describe(),
            dir.vault().display()
        )),
        other => anyhow::Error::new(other).context("opening the vault"),
    })?;
    Ok(Arc::new(vault))
}
