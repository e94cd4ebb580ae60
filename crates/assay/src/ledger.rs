//! `assay ledger`: the keys and the checkpoints of this log, and mirrors of others.

mod mirror;

use std::io::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::Clock;

use crate::cli::LedgerAct;
use crate::clock::SystemClock;
use crate::data_dir::DataDir;
use crate::exit::{Exit, usage};
use crate::keys::MasterFrom;
use crate::log_keys::{self, Shelf};
use crate::notary;
use crate::open::{must_be_ready, open};
use crate::project::aside;
use crate::settings::Settings;
use crate::upstream;

/// Does what was asked.
pub(crate) async fn run(settings: &Settings, act: LedgerAct) -> anyhow::Result<Exit> {
    let dir = DataDir::at(&settings.data_dir);
    if let LedgerAct::Mirror { from, to, token_file, entries } = act {
        return mirror::run(&from, &to, token_file.as_deref(), entries).await;
    }
    must_be_ready(settings, &dir)?;
    match act {
        LedgerAct::Key => key(&dir),
        LedgerAct::Checkpoint { sign: true } => sign(settings).await,
        LedgerAct::Checkpoint { sign: false } => checkpoint(&dir),
        LedgerAct::Rotate => {
            let made = log_keys::rotate(&shelf(settings, &dir).await?).await?;
            say(&format!(
                "{made}\nmade; from the next start on it signs beside the others. Publish it, let \
                 some checkpoints carry both signatures, then retire the old one."
            ))
        }
        LedgerAct::Retire { key } => {
            let retired = log_keys::retire(&shelf(settings, &dir).await?, &key).await?;
            say(&format!("{retired}\nput away; from the next start on it signs no more."))
        }
        LedgerAct::Mirror { .. } => Ok(Exit::Holds),
    }
}

/// Where the keys lie, without opening the house.
async fn shelf(settings: &Settings, dir: &DataDir) -> anyhow::Result<Shelf> {
    if !settings.store.elsewhere() {
        return Ok(Shelf::Files(dir.clone()));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let master = MasterFrom::choose(settings.keys.master_key_file.as_deref(), dir).read()?;
    let upstream = upstream::open(&settings.store, settings, master, &clock).await?;
    Ok(Shelf::Vault(upstream.vault, dir.clone()))
}

fn say(words: &str) -> anyhow::Result<Exit> {
    writeln!(std::io::stdout(), "{words}")?;
    Ok(Exit::Holds)
}

fn key(dir: &DataDir) -> anyhow::Result<Exit> {
    let keys = log_keys::known_publicly(dir)?;
    if keys.is_empty() {
        return Err(usage("there is no key yet: it is made at the first start of the server"));
    }
    let lines: Vec<String> = keys.iter().map(ToString::to_string).collect();
    say(&lines.join("\n"))
}

fn checkpoint(dir: &DataDir) -> anyhow::Result<Exit> {
    let path = dir.ledger().join("latest");
    let note = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(usage("no checkpoint was signed yet"));
        }
        other => other.with_context(|| format!("reading {}", path.display()))?,
    };
    write!(std::io::stdout(), "{note}")?;
    Ok(Exit::Holds)
}

async fn sign(settings: &Settings) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = open(settings, clock).await?;
    let notary = notary::open(settings, &opened, None).await?;
    let signed = aside(move |_| notary.sign().map_err(notary::refused)).await?;
    write!(std::io::stdout(), "{}", signed.note)?;
    Ok(Exit::Holds)
}
