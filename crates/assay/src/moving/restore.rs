//! `assay restore`: a data directory out of a backup, checked before it is put in place.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use assay_commands::Clock;
use assay_ledger::SignedCheckpoint;
use serde_json::json;

use super::files::{copy, partial, put_in_place};
use super::manifest::Manifest;
use super::verify::{Found, verify};
use crate::check::Verdict;
use crate::cli::Restore;
use crate::clock::SystemClock;
use crate::data_dir::DataDir;
use crate::exit::{Exit, usage};
use crate::keys::{MasterFrom, make_jwt_key};
use crate::progress::Progress;
use crate::project::aside;
use crate::settings::{AnchorKind, Settings};

/// Checks a backup, puts it in place, and says what is missing yet.
pub(crate) async fn run(settings: &Settings, asked: &Restore) -> anyhow::Result<Exit> {
    let target = DataDir::at(&settings.data_dir);
    let made = partial(target.root());
    must_be_empty(target.root(), &made)?;
    let from = asked.from.clone();
    let manifest = aside(move |_| {
        let manifest = Manifest::read(&from)?;
        let mut progress = Progress::new("bytes of the backup compared with their digests");
        manifest.check_files(&from, &mut |done, all| progress.set(done, all))?;
        progress.finish();
        Ok(manifest)
    })
    .await?;
    let prepared = prepare(settings, asked, &manifest, &made).await;
    let (found, master) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            remove(&made)?;
            return Err(error);
        }
    };
    let (whole, into) = (target.root().to_owned(), made);
    aside(move |_| put_in_place(&into, &whole)).await?;
    let later = later_checkpoints(settings, manifest.entries);
    say(asked, &target, &manifest, &found, &master, &later)?;
    Ok(Exit::Holds)
}

fn must_be_empty(target: &Path, made: &Path) -> anyhow::Result<()> {
    let shown = target.display();
    match fs::read_dir(target) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("looking into {shown}")),
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(usage(format!(
                    "{shown} is not empty: a backup is restored into a directory that is, or that is not there"
                )));
            }
        }
    }
    if made.symlink_metadata().is_ok() {
        return Err(usage(format!(
            "{} is there: another restore is running, or one broke off; where none is running, remove it",
            made.display()
        )));
    }
    Ok(())
}

/// Copies the backup beside its place and checks it there: what is wrong never gets the name.
async fn prepare(
    settings: &Settings,
    asked: &Restore,
    manifest: &Manifest,
    made: &Path,
) -> anyhow::Result<(Found, MasterFrom)> {
    let dir = DataDir::at(made);
    dir.make()?;
    let (from, into, listed) = (asked.from.clone(), made.to_owned(), manifest.clone());
    aside(move |_| copy_all(&from, &into, &listed)).await?;
    let master = MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir);
    let read = master.read().map_err(|error| format!("the master key is not at hand: {error:#}"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let found = verify(&dir, read, &clock).await?;
    if !found.holds() {
        bail!("the backup is not right, nothing was restored: {}", found.wrong().join("; "));
    }
    let journal = found.journal.as_ref().context("a journal that was checked")?;
    let is = (journal.log_id, journal.entries, hex::encode(journal.root));
    if is != (manifest.log_id, manifest.entries, manifest.root.clone()) {
        bail!("the backup's journal is not the one that backup.json names; nothing was restored");
    }
    if !manifest.node {
        make_jwt_key(&dir)?;
    }
    Ok((found, master))
}

fn copy_all(from: &Path, into: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let mut progress = Progress::new("bytes copied");
    let (all, mut done) = (manifest.bytes(), 0_u64);
    for listed in &manifest.files {
        copy(&from.join(&listed.path), &into.join(&listed.path))?;
        done = done.saturating_add(listed.bytes);
        progress.set(done, all);
    }
    progress.finish();
    // Once more, as it lies there now: between the look and the copy it may have changed.
    let mut progress = Progress::new("bytes compared again");
    for listed in &manifest.files {
        let path = into.join(&listed.path);
        let (_, sha256) = super::files::digest(&path, &mut |_| ())?;
        if sha256 != listed.sha256 {
            bail!("{} changed while it was copied", from.join(&listed.path).display());
        }
    }
    progress.set(all, all);
    progress.finish();
    Ok(())
}

fn remove(made: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(made) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", made.display()))
        }
        _ => Ok(()),
    }
}

/// Checkpoints kept elsewhere that are over more entries than the backup has.
fn later_checkpoints(settings: &Settings, entries: u64) -> Vec<(PathBuf, u64)> {
    let files = settings.ledger.anchors.iter().filter(|anchor| anchor.kind == AnchorKind::File);
    let kept = files.map(|anchor| PathBuf::from(format!("{}.latest", anchor.to)));
    let kept = settings.ledger.second_place.clone().into_iter().chain(kept);
    let later = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?;
        let size = SignedCheckpoint::parse(&text).ok()?.checkpoint().size;
        (size > entries).then_some((path, size))
    };
    kept.filter_map(later).collect()
}

fn say(
    asked: &Restore,
    target: &DataDir,
    manifest: &Manifest,
    found: &Found,
    master: &MasterFrom,
    later: &[(PathBuf, u64)],
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let (newest, entries) = (found.newest_checkpoint, manifest.entries);
    if asked.json {
        let later: Vec<_> =
            later.iter().map(|(path, size)| json!({"file": path, "entries": size})).collect();
        let line = json!({
            "holds": true, "data_dir": target.root(), "taken_at": manifest.taken_at,
            "log_id": manifest.log_id, "entries": entries, "root": manifest.root,
            "newest_checkpoint": newest, "node": manifest.node, "unchecked": found.unchecked(),
            "later_checkpoints": later,
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    writeln!(
        out,
        "{} holds {entries} entries, ledger root {}",
        target.root().display(),
        manifest.root
    )?;
    for (part, verdict) in &found.parts {
        match verdict {
            Verdict::Right(words) => writeln!(out, "{part}: right: {words}")?,
            Verdict::Unchecked(why) => writeln!(out, "{part}: not checked: {why}")?,
            Verdict::Wrong { .. } => {}
        }
    }
    let beyond = entries.saturating_sub(newest);
    writeln!(out, "the newest checkpoint covers the first {newest} entries; {beyond} are newer")?;
    writeln!(out, "what was written after {} is MISSING", manifest.taken_at)?;
    say_master(&mut out, target, manifest, found, master)?;
    for (path, size) in later {
        writeln!(
            out,
            "LATER: {} holds a checkpoint over {size} entries; {} of them are not in this backup. Look for a newer \
             backup first. If there is none, these entries are lost: see docs/backup.md on how to go on",
            path.display(),
            size.saturating_sub(entries)
        )?;
    }
    if manifest.node {
        writeln!(out, "this is a node: say with store.url where its log and its vault are")?;
    }
    Ok(())
}

/// The master key: whether it was there and opened the vault.
fn say_master(
    out: &mut impl std::io::Write,
    target: &DataDir,
    manifest: &Manifest,
    found: &Found,
    master: &MasterFrom,
) -> anyhow::Result<()> {
    let opened = found
        .parts
        .iter()
        .any(|(part, verdict)| *part == "vault" && matches!(verdict, Verdict::Right(_)));
    // It was looked for where the directory was made; now it has its name.
    let place = match master {
        MasterFrom::File(path) if path.ends_with("keys/master.key") && !path.exists() => {
            target.master_key().display().to_string()
        }
        other => other.describe(),
    };
    if opened {
        writeln!(out, "the master key from {place} opens the vault")?;
    } else if !manifest.node {
        writeln!(
            out,
            "the master key is NEEDED and was not found, or is another one, in {place}: put the one that the backed up \
             house had there, or name it with ASSAY_MASTER_KEY or keys.master_key_file, before the server starts"
        )?;
    }
    Ok(())
}
