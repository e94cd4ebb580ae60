//! `assay backup`: everything a house needs, as of one moment, while the server goes on.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_commands::Clock;
use assay_store_sqlite::{JournalSummary, backup_journal, backup_vault, journal_summary};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::files::{self, below, clear_beside, copy, partial, put_in_place};
use super::manifest::{Manifest, list};
use super::verify::{Found, verify};
use crate::check::Verdict;
use crate::cli::Backup;
use crate::clock::SystemClock;
use crate::data_dir::{DataDir, private_dir};
use crate::exit::{Exit, usage};
use crate::keys::MasterFrom;
use crate::open::must_be_ready;
use crate::progress::{Progress, seconds};
use crate::project::aside;
use crate::settings::Settings;

/// How often the keys are looked at again because one was added or put away meanwhile.
const KEYS_TRIES_MAX: usize = 5;

/// Makes a backup, checks it, and says what is in it.
pub(crate) async fn run(settings: &Settings, asked: &Backup) -> anyhow::Result<Exit> {
    let dir = DataDir::at(&settings.data_dir);
    must_be_ready(settings, &dir)?;
    if !dir.journal().exists() {
        return Err(usage(format!("{} has no journal yet", dir.root().display())));
    }
    let target = asked.to.clone();
    let made = partial(&target);
    must_be_free(&target, &made)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let (taken_at, started) = (clock.now(), std::time::Instant::now());
    let master = MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir);
    let key = asked.with_master_key.then(|| master.clone());
    let (from, into) = (dir.clone(), made.clone());
    let summary = aside(move |_| take(&from, &into, key.as_ref())).await?;
    let found = if asked.no_verify {
        None
    } else {
        let unread = |error: anyhow::Error| format!("the master key is not at hand: {error:#}");
        Some(verify(&DataDir::at(&made), master.read().map_err(unread), &clock).await?)
    };
    if let Some(found) = found.as_ref().filter(|found| !found.holds()) {
        say_wrong(asked, found, &made)?;
        return Ok(Exit::DoesNotHold);
    }
    let manifest = Manifest {
        format: Manifest::format(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: taken_at.to_string(),
        log_id: summary.log_id,
        entries: summary.entries,
        root: hex::encode(summary.root),
        node: summary.is_replica,
        master_key: asked.with_master_key,
        verified: found.is_some(),
        files: Vec::new(),
    };
    let manifest = aside(move |_| finish(manifest, &made, &target)).await?;
    say(asked, &manifest, found.as_ref(), started.elapsed())?;
    Ok(Exit::Holds)
}

fn must_be_free(target: &Path, made: &Path) -> anyhow::Result<()> {
    if target.symlink_metadata().is_ok() {
        let shown = target.display();
        return Err(usage(format!("{shown} is there already: a backup gets a new directory")));
    }
    if made.symlink_metadata().is_ok() {
        return Err(usage(format!(
            "{} is there: another backup is being made, or one broke off; where none is running, remove it",
            made.display()
        )));
    }
    Ok(())
}

/// Copies everything, in the order in which nothing names what is not there: what was signed before what it is
/// over, and that before the keys that it names.
fn take(
    from: &DataDir,
    into: &Path,
    master: Option<&MasterFrom>,
) -> anyhow::Result<JournalSummary> {
    if let Some(parent) = into.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
    }
    private_dir(into).with_context(|| format!("making {}", into.display()))?;
    copy_ledger(&from.ledger(), &into.join("ledger"))?;
    for name in below(&from.bundles())? {
        copy(&from.bundles().join(&name), &into.join("bundles").join(&name))?;
    }
    if from.demo_mark().exists() {
        copy(&from.demo_mark(), &into.join("demo"))?;
    }
    copy_keys(&from.log_keys(), &into.join("keys"))?;
    if let Some(master) = master {
        keep_master(master, &into.join("keys"))?;
    }
    let mut progress = Progress::new("pages of the journal copied");
    let copied = DataDir::at(into);
    let told = &mut |done, all| progress.set(done, all);
    backup_journal(&from.journal(), &copied.journal(), told).context("copying the journal")?;
    progress.finish();
    let summary = journal_summary(copied.journal()).context("reading the copied journal")?;
    if !summary.is_replica {
        let mut progress = Progress::new("pages of the vault copied");
        let told = &mut |done, all| progress.set(done, all);
        backup_vault(&from.vault(), &copied.vault(), told).context("copying the vault")?;
        progress.finish();
    }
    clear_beside(into)?;
    Ok(summary)
}

/// Copies checkpoints and tiles while the notary writes: each file is written once or replaced as a whole.
fn copy_ledger(from: &Path, to: &Path) -> anyhow::Result<()> {
    // Before the checkpoints are listed: then the one it copies is among them.
    let latest = Path::new("latest");
    if from.join(latest).exists() {
        copy(&from.join(latest), &to.join(latest))?;
    }
    // What belongs to a note is written before it: listed once more, it is there.
    let first: BTreeSet<PathBuf> = below(from)?.into_iter().collect();
    for name in below(from)? {
        let is_note = name.extension().is_some_and(|ending| ending == "note");
        if name != latest && (!is_note || first.contains(&name)) {
            copy(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

/// Copies the keys that sign checkpoints; neither the master key nor the one for access tokens.
fn copy_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    private_dir(to)?;
    let listed = || -> anyhow::Result<Vec<PathBuf>> {
        let mut names = below(from)?;
        let stays = [Path::new("master.key"), Path::new("jwt.pem")];
        names.retain(|name| !stays.contains(&name.as_path()));
        Ok(names)
    };
    // One may be made or put away meanwhile, which renames it.
    for _ in 0..KEYS_TRIES_MAX {
        let names = listed()?;
        for name in below(to)?.into_iter().filter(|name| !names.contains(name)) {
            fs::remove_file(to.join(name))?;
        }
        for name in names.iter().filter(|name| !to.join(name).exists()) {
            if from.join(name).exists() {
                copy(&from.join(name), &to.join(name))?;
            }
        }
        if listed()? == below(to)? {
            return Ok(());
        }
    }
    anyhow::bail!("the keys in {} do not keep still", from.display())
}

fn keep_master(master: &MasterFrom, keys: &Path) -> anyhow::Result<()> {
    let to = keys.join("master.key");
    match master {
        MasterFrom::File(path) => copy(path, &to),
        MasterFrom::Environment(hex) => {
            files::write(&to, format!("{}\n", hex.expose_secret().trim()).as_bytes())
        }
    }
}

/// Digests everything, writes what it is, and gives it its name.
fn finish(mut manifest: Manifest, made: &Path, target: &Path) -> anyhow::Result<Manifest> {
    let mut progress = Progress::new("bytes digested");
    let mut done = 0_u64;
    manifest.files = list(made, &mut |read| {
        done = done.saturating_add(read);
        progress.set(done, done);
    })?;
    progress.finish();
    manifest.write(made)?;
    put_in_place(made, target)?;
    Ok(manifest)
}

fn say_wrong(asked: &Backup, found: &Found, made: &Path) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if asked.json {
        let line = json!({"holds": false, "wrong": found.wrong(), "left_in": made});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    for words in found.wrong() {
        writeln!(out, "WRONG: {words}")?;
    }
    writeln!(
        out,
        "no backup was made. What was copied is left in {}: `assay check` says whether the data directory itself is \
         right",
        made.display()
    )?;
    Ok(())
}

fn say(
    asked: &Backup,
    manifest: &Manifest,
    found: Option<&Found>,
    took: Duration,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let unchecked = match found {
        Some(found) => found.unchecked(),
        None => vec!["everything: --no-verify".to_owned()],
    };
    if asked.json {
        let line = json!({
            "holds": true, "to": asked.to, "taken_at": manifest.taken_at, "log_id": manifest.log_id,
            "entries": manifest.entries, "root": manifest.root, "node": manifest.node,
            "newest_checkpoint": found.map(|found| found.newest_checkpoint),
            "files": manifest.files.len(), "bytes": manifest.bytes(), "verified": manifest.verified,
            "unchecked": unchecked, "took_s": seconds(took),
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let Manifest { entries, root, .. } = manifest;
    writeln!(out, "{} holds {entries} entries, ledger root {root}", asked.to.display())?;
    writeln!(out, "{} files, {} bytes", manifest.files.len(), manifest.bytes())?;
    for (part, verdict) in found.into_iter().flat_map(|found| &found.parts) {
        if let Verdict::Right(words) = verdict {
            writeln!(out, "{part}: right: {words}")?;
        }
    }
    for words in unchecked {
        writeln!(out, "not checked: {words}")?;
    }
    if manifest.node {
        writeln!(
            out,
            "this is a node: its log and its vault are elsewhere and are NOT in here; back them up there (docs/backup.md)"
        )?;
    }
    if asked.with_master_key {
        writeln!(out, "the master key is in it: whoever has this backup can read everything")?;
    } else {
        writeln!(
            out,
            "the master key is NOT in it: without that key nothing that is sealed can be read again"
        )?;
    }
    Ok(())
}
