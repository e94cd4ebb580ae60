//! Opening a house: its log and its vault, here or elsewhere, the keys at hand, and this node's journal.

use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::{Clock, House};
use assay_nodes::Replication;
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::log::{Log, Token};
use assay_store::replica::Replica as _;
use assay_store_sqlite::{Options, SqliteLog, SqliteVault};

use crate::data_dir::{DataDir, Held};
use crate::exit::usage;
use crate::keys::MasterFrom;
use crate::log_keys::Shelf;
use crate::progress::{Progress, per_second};
use crate::settings::Settings;
use crate::upstream::{self, Counted, Rows};

/// A house with its directory, held by this process.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Everything that writes goes through it.
    pub(crate) house: Arc<House>,
    /// The log, as the house sees it.
    pub(crate) log: Arc<dyn Log>,
    /// This node's journal; where nothing is elsewhere, the log itself.
    pub(crate) local: Arc<SqliteLog>,
    /// The keys at hand.
    pub(crate) keys: Arc<KeyRing>,
    /// The vault's rows, to be checked.
    pub(crate) rows: Rows,
    /// What a log elsewhere counted.
    pub(crate) counted: Option<Counted>,
    /// What fills the journal, where the log is elsewhere.
    pub(crate) replication: Option<Arc<Replication>>,
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
        self.local.clone()
    }

    /// Where the keys that sign checkpoints lie.
    pub(crate) fn shelf(&self) -> Shelf {
        match &self.replication {
            None => Shelf::Files(self.dir.clone()),
            Some(_) => Shelf::Vault(Arc::clone(self.keys.vault()), self.dir.clone()),
        }
    }

    /// The journal's last position.
    pub(crate) fn head(&self) -> anyhow::Result<u64> {
        Ok(Journal::head(self.local.as_ref())?)
    }
}

/// Refuses a directory that is not set up; a node of a log elsewhere needs nothing in it.
pub(crate) fn must_be_ready(settings: &Settings, dir: &DataDir) -> anyhow::Result<()> {
    if settings.store.elsewhere() { dir.make() } else { dir.must_be_ready() }
}

/// Opens a directory that is set up and that nobody else holds.
pub(crate) async fn open(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let dir = DataDir::at(&settings.data_dir);
    must_be_ready(settings, &dir)?;
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
    if settings.store.elsewhere() {
        open_node(settings, clock, dir, held).await
    } else {
        open_embedded(settings, clock, dir, held).await
    }
}

/// Log, journal and vault are files of the directory.
async fn open_embedded(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    dir: DataDir,
    held: Held,
) -> anyhow::Result<Opened> {
    dir.make_files(false)?;
    let local = journal(settings, &dir)?;
    if let Some(upstream) = local.upstream()? {
        return Err(usage(format!(
            "{} holds a copy of the log {upstream}, which is elsewhere: say where with the \
             setting store.url",
            dir.root().display()
        )));
    }
    let vault = vault(settings, &clock, &dir)?;
    let keys = Arc::new(KeyRing::new(vault.clone()));
    keys.recall().await.context("reading what is held back")?;
    let log: Arc<dyn Log> = local.clone();
    let house = House::new(Arc::clone(&log), local.clone(), Arc::clone(&keys), clock);
    let (house, rows) = (Arc::new(house), Rows::Sqlite(vault));
    let (counted, replication, held) = (None, None, Some(held));
    Ok(Opened { house, log, local, keys, rows, counted, replication, dir, held })
}

/// Log and vault are elsewhere; the journal here is filled before anybody asks it.
async fn open_node(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    dir: DataDir,
    held: Held,
) -> anyhow::Result<Opened> {
    let from = MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir);
    let master = from.read().context(
        "every node needs the same master key: bring it from where the house was set up",
    )?;
    let upstream = upstream::open(&settings.store, settings, master, &clock).await?;
    dir.make_files(true)?;
    let local = journal(settings, &dir)?;
    let told = micros(&clock);
    let started = Replication::start(upstream.log, local.clone(), told).await;
    let replication = Arc::new(started.map_err(|error| usage(error.to_string()))?);
    // In the log's own places: only it knows how far its end is.
    let mut progress = Progress::new("of the log copied");
    let place = |token: Option<Token>| token.map_or(0, |Token(place)| place);
    let caught_up = replication.caught_up(|now| progress.set(place(now.token), place(now.head)));
    caught_up.await.map_err(|error| usage(error.to_string()))?;
    let (entries, took) = (replication.progress().entries, progress.finish());
    let rate = per_second(entries, took);
    tracing::info!(entries, seconds = took.as_secs_f64(), rate, "this node has what the log held");
    let keys = Arc::new(KeyRing::new(upstream.vault));
    keys.recall().await.context("reading what is held back")?;
    let log = replication.log();
    let house = House::new(Arc::clone(&log), local.clone(), Arc::clone(&keys), clock);
    let (house, rows, replication) = (Arc::new(house), upstream.rows, Some(replication));
    let (counted, held) = (Some(upstream.counted), Some(held));
    Ok(Opened { house, log, local, keys, rows, counted, replication, dir, held })
}

fn journal(settings: &Settings, dir: &DataDir) -> anyhow::Result<Arc<SqliteLog>> {
    let options =
        Options { queue_appends_max: settings.limits.queue_appends_max, ..Options::default() };
    let log = SqliteLog::open(dir.journal(), options)
        .with_context(|| format!("opening {}", dir.journal().display()))?;
    Ok(Arc::new(log))
}

/// The clock in microseconds.
pub(crate) fn micros(clock: &Arc<dyn Clock>) -> Arc<dyn Fn() -> i64 + Send + Sync> {
    let clock = Arc::clone(clock);
    Arc::new(move || clock.now().as_microsecond())
}

/// The vault of the directory, opened with the master key.
fn vault(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    dir: &DataDir,
) -> anyhow::Result<Arc<SqliteVault>> {
    let from = MasterFrom::choose(settings.keys.master_key_file.as_deref(), dir);
    let master = from.read()?;
    let vault =
        SqliteVault::open(dir.vault(), master, micros(clock)).map_err(|error| match error {
            assay_store_sqlite::OpenError::WrongMasterKey => usage(format!(
                "the master key from {} is not the one that {} was made with",
                from.describe(),
                dir.vault().display()
            )),
            other => anyhow::Error::new(other).context("opening the vault"),
        })?;
    Ok(Arc::new(vault))
}
