//! Where a log and its vault are, as the command line says it: a data directory or an address.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::Clock;
use assay_store::log::Log;
use assay_store::master::MasterKey;
use assay_store::replica::Replica as _;
use assay_store::vault::Vault;
use assay_store_sqlite::{Options, SqliteLog, SqliteVault};

use super::keys::Place;
use crate::data_dir::{DataDir, Held};
use crate::exit::usage;
use crate::keys::{MasterFrom, make_jwt_key};
use crate::open::micros;
use crate::settings::{Settings, Store, redacted};
use crate::upstream;

/// What stands before a path.
const FILE: &str = "file:";

/// Where a store is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Where {
    /// A data directory.
    Dir(PathBuf),
    /// An engine elsewhere.
    Elsewhere(Box<Store>),
}

/// A store that is open.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its log.
    pub(super) log: Arc<dyn Log>,
    /// Its vault, where it was asked for.
    pub(super) vault: Option<Arc<dyn Vault>>,
    /// Where it keeps the keys that sign, where the vault was asked for.
    pub(super) keys: Option<Place>,
    _held: Option<Held>,
}

/// How to open one.
pub(super) struct Opening<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clock: &'a Arc<dyn Clock>,
    /// The file with the master key, where one was named.
    pub(super) master: Option<&'a Path>,
    pub(super) with_vault: bool,
}

impl Where {
    /// Reads what the command line says; an address takes its further settings from `[store]`.
    pub(super) fn parse(text: &str, settings: &Settings) -> Self {
        let path = |path: &str| {
            let path = path.strip_prefix("//").unwrap_or(path);
            PathBuf::from(path)
        };
        let store = |url: &str, url_file| {
            Self::Elsewhere(Box::new(Store {
                url: url.to_owned(),
                url_file,
                ..settings.store.clone()
            }))
        };
        match text.strip_prefix(FILE).map(path) {
            Some(path) if path.is_file() => store("", Some(path)),
            Some(path) => Self::Dir(path),
            None if text.contains("://") => store(text, None),
            None => Self::Dir(PathBuf::from(text)),
        }
    }

    /// In words, without a password.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Dir(path) => path.display().to_string(),
            Self::Elsewhere(store) => match &store.url_file {
                Some(path) => format!("the address in {}", path.display()),
                None => redacted(&store.url),
            },
        }
    }

    /// Opens what is to be copied.
    pub(super) async fn open_source(&self, asked: &Opening<'_>) -> anyhow::Result<Opened> {
        match self {
            Self::Elsewhere(store) => elsewhere(store, asked, master_elsewhere(asked)?).await,
            Self::Dir(path) => {
                let dir = DataDir::at(path);
                let shown = path.display();
                if !dir.journal().exists() {
                    return Err(usage(format!("{shown} holds no log: there is no journal.db")));
                }
                let held = dir.hold()?;
                let log = journal(&dir)?;
                if asked.with_vault && log.upstream()?.is_some() {
                    return Err(usage(format!(
                        "{shown} belongs to a node, whose vault is elsewhere: copy from the address of its log, \
                         or the log alone (--without-vault)"
                    )));
                }
                embedded(dir, held, log, asked)
            }
        }
    }

    /// Opens what is to be written, and makes it where there is nothing; `same` is the source's master key.
    pub(super) async fn open_target(
        &self,
        asked: &Opening<'_>,
        same: impl FnOnce() -> anyhow::Result<MasterKey>,
    ) -> anyhow::Result<Opened> {
        match self {
            Self::Elsewhere(store) => {
                let master = match asked.master {
                    Some(path) => MasterFrom::File(path.to_owned()).read()?,
                    None => same()?,
                };
                upstream::prepare(store, asked.settings).await?;
                elsewhere(store, asked, master).await
            }
            Self::Dir(path) => {
                let dir = DataDir::at(path);
                dir.make()?;
                let held = dir.hold()?;
                dir.make_files(!asked.with_vault)?;
                let log = journal(&dir)?;
                if log.upstream()?.is_some() {
                    let shown = path.display();
                    return Err(usage(format!(
                        "{shown} holds a node's copy of a log that is elsewhere; it cannot be written into"
                    )));
                }
                if asked.with_vault {
                    master_of_dir(asked, &dir).make_if_missing()?;
                    if !dir.jwt_key().exists() {
                        make_jwt_key(&dir)?;
                    }
                }
                embedded(dir, held, log, asked)
            }
        }
    }

    /// The master key of a store that is copied.
    pub(super) fn master(&self, asked: &Opening<'_>) -> anyhow::Result<MasterKey> {
        match self {
            Self::Dir(path) => master_of_dir(asked, &DataDir::at(path)).read(),
            Self::Elsewhere(_) => master_elsewhere(asked),
        }
    }
}

/// The file that was named; else the environment, the settings, the directory's own.
fn master_of_dir(asked: &Opening<'_>, dir: &DataDir) -> MasterFrom {
    match asked.master {
        Some(path) => MasterFrom::File(path.to_owned()),
        None => MasterFrom::choose(asked.settings.keys.master_key_file.as_deref(), dir),
    }
}

fn master_elsewhere(asked: &Opening<'_>) -> anyhow::Result<MasterKey> {
    master_of_dir(asked, &DataDir::at(&asked.settings.data_dir)).read()
}

async fn elsewhere(
    store: &Store,
    asked: &Opening<'_>,
    master: MasterKey,
) -> anyhow::Result<Opened> {
    let opened = upstream::open(store, asked.settings, master, asked.clock).await?;
    let vault = asked.with_vault.then_some(opened.vault);
    let keys = vault.clone().map(Place::Vault);
    Ok(Opened { log: opened.log, vault, keys, _held: None })
}

fn journal(dir: &DataDir) -> anyhow::Result<Arc<SqliteLog>> {
    let log = SqliteLog::open(dir.journal(), Options::default());
    Ok(Arc::new(log.with_context(|| format!("opening {}", dir.journal().display()))?))
}

fn embedded(
    dir: DataDir,
    held: Held,
    log: Arc<SqliteLog>,
    asked: &Opening<'_>,
) -> anyhow::Result<Opened> {
    if !asked.with_vault {
        return Ok(Opened { log, vault: None, keys: None, _held: Some(held) });
    }
    let from = master_of_dir(asked, &dir);
    let vault = SqliteVault::open(dir.vault(), from.read()?, micros(asked.clock));
    let vault = vault.map_err(|error| match error {
        assay_store_sqlite::OpenError::WrongMasterKey => usage(format!(
            "the master key from {} is not the one that {} was made with",
            from.describe(),
            dir.vault().display()
        )),
        other => anyhow::Error::new(other).context("opening the vault"),
    })?;
    let keys = Some(Place::Files(dir));
    Ok(Opened { log, vault: Some(Arc::new(vault)), keys, _held: Some(held) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_directory_an_address_or_a_file_with_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("url");
        std::fs::write(&file, "postgresql://a:b@c/d\n").unwrap();
        let settings = Settings::default();
        let parse = |text: &str| Where::parse(text, &settings);
        assert_eq!(parse("some/data"), Where::Dir("some/data".into()));
        assert_eq!(parse("file:some/data"), Where::Dir("some/data".into()));
        assert_eq!(parse("file:///some/data"), Where::Dir("/some/data".into()));
        let url = parse("postgresql://ana:secret@db/assay");
        assert!(!url.words().contains("secret"), "{}", url.words());
        assert!(matches!(url, Where::Elsewhere(store) if store.url.ends_with("db/assay")));
        let named = parse(&format!("file:{}", file.display()));
        assert!(matches!(named, Where::Elsewhere(store) if store.url_file == Some(file)));
    }
}
