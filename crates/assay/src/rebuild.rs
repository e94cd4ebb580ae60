//! `assay rebuild`: the views made anew from the journal, and compared with those that were there.

use std::fs::{Permissions, set_permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_commands::Clock;
use assay_views::rebuild::{Difference, compare, rebuild};
use assay_views::{At, Views, dump};

use crate::cli::Rebuild;
use crate::clock::SystemClock;
use crate::exit::Exit;
use crate::open::{Opened, open};
use crate::progress::{Progress, per_second, seconds};
use crate::project::aside;
use crate::settings::Settings;

/// How many differing rows are shown.
const SHOWN_MAX: usize = 5;

/// How new views compare with those that were there.
#[derive(Debug)]
pub(crate) struct Compared {
    /// How many entries were folded.
    pub(crate) entries: u64,
    /// How long that took.
    pub(crate) took: Duration,
    /// The position both know.
    pub(crate) position: u64,
    /// SHA-256 of the canonical dump of what was there, as of that position.
    pub(crate) before: String,
    /// The same of what was made.
    pub(crate) after: String,
    /// The first rows that differ.
    pub(crate) differences: Vec<String>,
    /// The first entry that made a row that differs.
    pub(crate) first_difference: Option<u64>,
}

impl Compared {
    /// Whether both are equal, row for row.
    pub(crate) fn holds(&self) -> bool {
        self.before == self.after
    }
}

/// Makes the views anew.
pub(crate) async fn run(settings: &Settings, asked: &Rebuild) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = open(settings, clock).await?;
    let compared = beside(&opened).await?;
    let live = opened.dir.views();
    if asked.compare {
        remove(&new_file(&live))?;
    } else {
        replace(&new_file(&live), &live)?;
    }
    let mut out = std::io::stdout().lock();
    let rate = per_second(compared.entries, compared.took);
    writeln!(
        out,
        "{} entries folded in {} seconds: {rate} entries a second",
        compared.entries,
        seconds(compared.took)
    )?;
    let position = compared.position;
    if position == 0 && compared.entries > 0 {
        writeln!(out, "there was nothing to compare with")?;
        return Ok(Exit::Holds);
    }
    if compared.holds() {
        writeln!(out, "the result equals what was there, up to entry {position}")?;
        writeln!(out, "SHA-256 of every row: {}", compared.after)?;
        return Ok(Exit::Holds);
    }
    writeln!(out, "the result does NOT equal what was there, up to entry {position}:")?;
    for difference in &compared.differences {
        writeln!(out, "  {difference}")?;
    }
    Ok(Exit::DoesNotHold)
}

/// Makes new views beside the live ones, in a file of their own, and compares the two.
pub(crate) async fn beside(opened: &Opened) -> anyhow::Result<Compared> {
    let live = opened.dir.views();
    let (journal, keys) = (opened.journal(), Arc::clone(&opened.keys));
    aside(move |runtime| {
        let was = Views::open(&live).context("opening the views")?;
        let new = new_file(&live);
        remove(&new)?;
        let mut progress = Progress::new("entries folded");
        let built = rebuild(&new, &journal, &keys, runtime, |done, all| progress.set(done, all));
        let took = progress.finish();
        let built = built.context("making the views anew")?;
        set_permissions(&new, Permissions::from_mode(0o600))?;
        let (before, after) = (was.reader()?, Views::open(&new)?.reader()?);
        let position = before.position()?.min(after.position()?);
        let at = At::Position(position);
        let (before, after) = (dump::digest(&before, at)?, dump::digest(&after, at)?);
        let found = if before == after { Vec::new() } else { compare(&live, &new)? };
        let first_difference = found.iter().filter_map(since).min();
        let differences = found.into_iter().take(SHOWN_MAX).map(describe).collect();
        let entries = built.entries;
        Ok(Compared { entries, took, position, before, after, differences, first_difference })
    })
    .await
}

fn describe(difference: Difference) -> String {
    let missing = || "no such row".to_owned();
    let was = difference.left.unwrap_or_else(missing);
    let is = difference.right.unwrap_or_else(missing);
    format!("{}: was {was}; is {is}", difference.table)
}

/// The entry that made a differing row.
fn since(difference: &Difference) -> Option<u64> {
    let lines = difference.left.iter().chain(&difference.right);
    let made = lines.filter_map(|line| {
        let row: serde_json::Value = serde_json::from_str(line).ok()?;
        row.get("from_pos").or_else(|| row.get("position"))?.as_u64()
    });
    made.min()
}

/// Where new views are made: beside the live ones.
pub(crate) fn new_file(live: &Path) -> PathBuf {
    live.with_extension("db.new")
}

/// Puts new views in the place of the live ones.
fn replace(new: &Path, live: &Path) -> anyhow::Result<()> {
    // A write-ahead log of the old file must not be taken for one of the new.
    for end in ["-wal", "-shm"] {
        remove_one(&with_end(live, end))?;
    }
    std::fs::rename(new, live).with_context(|| format!("replacing {}", live.display()))?;
    for end in ["-wal", "-shm"] {
        remove_one(&with_end(new, end))?;
    }
    Ok(())
}

/// Removes a file of views with what stands beside it.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    ["", "-wal", "-shm", "-journal"]
        .into_iter()
        .try_for_each(|end| remove_one(&with_end(path, end)))
}

fn remove_one(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
