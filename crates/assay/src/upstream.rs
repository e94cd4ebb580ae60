//! A log and a vault that are elsewhere: which engine an address names, and both opened there.

use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::Clock;
use assay_store::checked::{CheckError, VaultFault};
use assay_store::log::Log;
use assay_store::master::MasterKey;
use assay_store::vault::Vault;
use assay_store_postgres::{self as postgres, PostgresLog, PostgresVault};
use assay_store_sqlite::SqliteVault;

use crate::data_dir::read_private;
use crate::exit::usage;
use crate::open::micros;
use crate::project::aside;
use crate::settings::{Settings, Store};

/// A log and a vault elsewhere.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// The log.
    pub(crate) log: Arc<dyn Log>,
    /// The vault.
    pub(crate) vault: Arc<dyn Vault>,
    /// The vault's rows, to be checked.
    pub(crate) rows: Rows,
    /// What the log counted.
    pub(crate) counted: Counted,
}

/// What an upstream log counted since it was opened.
#[derive(Clone, Debug)]
pub(crate) enum Counted {
    /// By the writer to PostgreSQL.
    Postgres(Arc<PostgresLog>),
    /// KurrentDB counts for itself.
    #[cfg(feature = "kurrentdb")]
    Nothing,
}

impl Counted {
    /// Tells it to the metrics.
    pub(crate) fn tell(&self) {
        match self {
            Self::Postgres(log) => {
                let stats = log.stats();
                metrics::counter!("assay_log_commits_total").absolute(stats.commits);
                metrics::counter!("assay_log_appends_total").absolute(stats.appends);
                metrics::counter!("assay_log_facts_total").absolute(stats.facts);
                metrics::counter!("assay_log_turned_away_total").absolute(stats.turned_away);
                metrics::counter!("assay_log_reconnects_total").absolute(stats.reconnects);
                metrics::counter!("assay_log_unknown_total").absolute(stats.unknown);
            }
            #[cfg(feature = "kurrentdb")]
            Self::Nothing => {}
        }
    }
}

/// The rows of a vault, whatever it is made of.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// In a file.
    Sqlite(Arc<SqliteVault>),
    /// In PostgreSQL.
    Postgres(Arc<PostgresVault>),
    /// In KurrentDB.
    #[cfg(feature = "kurrentdb")]
    Kurrent(Arc<assay_store_kurrentdb::KurrentVault>),
}

/// How many rows of a vault were found as they were written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsChecked {
    /// Keys, held or destroyed.
    pub(crate) keys: u64,
    /// Secrets.
    pub(crate) secrets: u64,
}

impl Rows {
    /// Proves every row; says in words what is wrong with the first that is not as it was written.
    pub(crate) async fn check(&self) -> anyhow::Result<Result<RowsChecked, VaultFault>> {
        let found = match self {
            Self::Sqlite(vault) => {
                let vault = Arc::clone(vault);
                aside(move |_| Ok(vault.check())).await?.map_err(CheckError::from)
            }
            Self::Postgres(vault) => vault.check().await,
            #[cfg(feature = "kurrentdb")]
            Self::Kurrent(vault) => vault.check().await,
        };
        match found {
            Ok(rows) => Ok(Ok(RowsChecked {
                keys: rows.keys.saturating_add(rows.destroyed),
                secrets: rows.secrets,
            })),
            Err(CheckError::Fault(fault)) => Ok(Err(fault)),
            Err(away @ CheckError::Unavailable(_)) => {
                Err(anyhow::Error::new(away).context("checking the vault"))
            }
        }
    }
}

/// The engines there are.
enum Engine {
    Postgres(postgres::Options),
    #[cfg(feature = "kurrentdb")]
    Kurrent(assay_store_kurrentdb::Options),
}

/// Opens log and vault where the settings say.
pub(crate) async fn open(
    store: &Store,
    settings: &Settings,
    master: MasterKey,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Upstream> {
    let told = micros(clock);
    match engine(store, settings)? {
        Engine::Postgres(options) => {
            let log = PostgresLog::open(options.clone()).await.map_err(told_postgres)?;
            let vault = PostgresVault::open(options, master, told).await.map_err(told_postgres)?;
            let (log, vault) = (Arc::new(log), Arc::new(vault));
            let counted = Counted::Postgres(log.clone());
            Ok(Upstream { log, vault: vault.clone(), rows: Rows::Postgres(vault), counted })
        }
        #[cfg(feature = "kurrentdb")]
        Engine::Kurrent(options) => {
            use assay_store_kurrentdb::{KurrentLog, KurrentVault};
            let log = KurrentLog::open(options.clone()).await.map_err(told_kurrent)?;
            let vault = KurrentVault::open(options, master, told).await.map_err(told_kurrent)?;
            let (log, vault) = (Arc::new(log), Arc::new(vault));
            let (rows, counted) = (Rows::Kurrent(vault.clone()), Counted::Nothing);
            Ok(Upstream { log, vault, rows, counted })
        }
    }
}

/// Makes what a log and a vault need there; harmless where it is done already.
pub(crate) async fn prepare(store: &Store, settings: &Settings) -> anyhow::Result<()> {
    match engine(store, settings)? {
        Engine::Postgres(options) => postgres::prepare(&options).await.map_err(told_postgres),
        #[cfg(feature = "kurrentdb")]
        Engine::Kurrent(options) => {
            assay_store_kurrentdb::prepare(&options).await.map_err(told_kurrent)
        }
    }
}

fn engine(store: &Store, settings: &Settings) -> anyhow::Result<Engine> {
    let url = address(store)?;
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let queue_appends_max = settings.limits.queue_appends_max;
    match scheme {
        "postgresql" | "postgres" => {
            let mut options = postgres::Options::new(url);
            options.tls_roots.clone_from(&store.tls_roots_file);
            options.plaintext = store.plaintext;
            options.queue_appends_max = queue_appends_max;
            Ok(Engine::Postgres(options))
        }
        #[cfg(feature = "kurrentdb")]
        "kurrentdb" | "kurrentdb+discover" | "esdb" | "esdb+discover" => {
            let mut options = assay_store_kurrentdb::Options::new(url);
            options.tls_roots.clone_from(&store.tls_roots_file);
            options.plaintext = store.plaintext;
            options.queue_appends_max = queue_appends_max;
            Ok(Engine::Kurrent(options))
        }
        #[cfg(not(feature = "kurrentdb"))]
        "kurrentdb" | "kurrentdb+discover" | "esdb" | "esdb+discover" => Err(usage(
            "this program was built without KurrentDB: build it with the feature `kurrentdb`",
        )),
        other => Err(usage(format!(
            "the setting store.url begins with {other:?}; `postgresql` or `kurrentdb` is wanted"
        ))),
    }
}

/// The address, from the settings or from the file they name.
fn address(store: &Store) -> anyhow::Result<String> {
    match &store.url_file {
        None => Ok(store.url.clone()),
        Some(path) => {
            let text = read_private(path).context("reading the setting store.url_file")?;
            Ok(text.trim().to_owned())
        }
    }
}

fn told_postgres(error: postgres::OpenError) -> anyhow::Error {
    match error {
        postgres::OpenError::NotPrepared => not_prepared(),
        postgres::OpenError::WrongMasterKey => wrong_master(),
        other => anyhow::Error::new(other).context("PostgreSQL"),
    }
}

#[cfg(feature = "kurrentdb")]
fn told_kurrent(error: assay_store_kurrentdb::OpenError) -> anyhow::Error {
    match error {
        assay_store_kurrentdb::OpenError::NotPrepared => not_prepared(),
        assay_store_kurrentdb::OpenError::WrongMasterKey => wrong_master(),
        other => anyhow::Error::new(other).context("KurrentDB"),
    }
}

fn not_prepared() -> anyhow::Error {
    usage("there is no house at store.url yet: run `assay init` with the same settings once")
}

fn wrong_master() -> anyhow::Error {
    usage("this master key is not the one that the vault at store.url was made with")
}
