//! `assay log copy`: a whole log, and what belongs to it, from one store into another.

use std::io::Write as _;
use std::sync::Arc;

use assay_commands::Clock;

use super::copying::{Copied, Stage, copy};
use super::keys::carry;
use super::stores::{Opened, Opening, Where};
use super::vault::{VaultCopied, copy_vault};
use crate::cli::LogCopy;
use crate::clock::SystemClock;
use crate::exit::{Exit, usage};
use crate::progress::Progress;
use crate::settings::Settings;

/// Copies, compares, and says what came of it.
pub(crate) async fn run(settings: &Settings, asked: &LogCopy) -> anyhow::Result<Exit> {
    let (from, to) = (Where::parse(&asked.from, settings), Where::parse(&asked.to, settings));
    if from == to {
        return Err(usage("the source and the target are the same"));
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opening =
        |master| Opening { settings, clock: &clock, master, with_vault: !asked.without_vault };
    let at_source = opening(asked.from_master_key_file.as_deref());
    let source = from.open_source(&at_source).await?;
    let at_target = opening(asked.to_master_key_file.as_deref());
    let target = to.open_target(&at_target, || from.master(&at_source)).await?;
    let copied = copy_log(&source, &target).await?;
    say(&copied, &from, &to)?;
    if copied.differs_at.is_some() {
        return Ok(Exit::DoesNotHold);
    }
    if asked.without_vault {
        let mut out = std::io::stdout().lock();
        writeln!(out, "the vault was not copied (--without-vault): nobody can log in there")?;
    } else {
        say_vault(&vault_and_keys(&source, &target, &copied).await?)?;
    }
    end(asked, &copied)
}

async fn copy_log(source: &Opened, target: &Opened) -> anyhow::Result<Copied> {
    let mut running: Option<(Stage, Progress)> = None;
    let mut told = |stage, done, all| {
        if running.as_ref().is_none_or(|(before, _)| *before != stage)
            && let Some((_, ended)) = running.replace((stage, Progress::new(words(stage))))
        {
            ended.finish();
        }
        if let Some((_, progress)) = &mut running {
            progress.set(done, all);
        }
    };
    let copied = copy(source.log.as_ref(), target.log.as_ref(), &mut told).await;
    if let Some((_, progress)) = running {
        progress.finish();
    }
    copied
}

const fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::Comparing => "entries compared that are there already",
        Stage::Copying => "entries copied",
        Stage::Verifying => "entries read again",
    }
}

async fn vault_and_keys(
    source: &Opened,
    target: &Opened,
    copied: &Copied,
) -> anyhow::Result<(VaultCopied, u64)> {
    let (Some(from), Some(to)) = (&source.vault, &target.vault) else {
        return Ok((VaultCopied::default(), 0));
    };
    let mut progress = Progress::new("keys copied");
    let told = &mut |done, all| progress.set(done, all);
    let vault = copy_vault(from.as_ref(), to.as_ref(), &copied.keys, told).await;
    progress.finish();
    let carried = match (&source.keys, &target.keys) {
        (Some(from), Some(to)) => carry(from, to).await?,
        _ => 0,
    };
    Ok((vault?, carried))
}

fn say(copied: &Copied, from: &Where, to: &Where) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let root = |root: &[u8]| hex::encode(root);
    let Copied { entries, there_before, entries_there, .. } = copied;
    let new = entries.saturating_sub(*there_before);
    writeln!(out, "{new} entries copied; {there_before} of {entries} were there already")?;
    writeln!(out, "{}: {entries} entries, ledger root {}", from.words(), root(&copied.root))?;
    writeln!(
        out,
        "{}: {entries_there} entries, ledger root {}",
        to.words(),
        root(&copied.root_there)
    )?;
    match copied.differs_at {
        None => writeln!(out, "both are the same")?,
        Some(position) => writeln!(out, "THEY DIFFER, first at entry {position}")?,
    }
    Ok(())
}

fn say_vault((vault, carried): &(VaultCopied, u64)) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let VaultCopied { held, destroyed, written, same, removed, left } = vault;
    writeln!(
        out,
        "every key that the log names is there: {held} held, {destroyed} known as destroyed (where one was never \
         seen there, a random key was destroyed in its name)"
    )?;
    writeln!(
        out,
        "secrets: {written} written, {same} the same already, {removed} removed, {left} left behind (sessions and \
         nodes: everybody logs in again)"
    )?;
    writeln!(out, "keys that sign checkpoints: {carried} carried over")?;
    Ok(())
}

/// Whether it holds: an entry that came meanwhile is missing there.
fn end(asked: &LogCopy, copied: &Copied) -> anyhow::Result<Exit> {
    if copied.came_after == 0 {
        return Ok(Exit::Holds);
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} entries came into {} after the copying began and are NOT copied: stop what writes there and run this \
         again",
        copied.came_after,
        if asked.from.contains("://") { "the source" } else { asked.from.as_str() }
    )?;
    Ok(Exit::DoesNotHold)
}
