//! Is a backup, or what was made of one, right? Its journal, what was signed of it, its vault.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use assay_commands::Clock;
use assay_ledger::{SignedCheckpoint, VerifierKey};
use assay_store::keyring::sealed_keys;
use assay_store::master::MasterKey;
use assay_store::vault::{KeyId, Vault as _};
use assay_store_sqlite::{
    Checked, JournalReport, OpenError, Options, SqliteLog, SqliteVault, check_journal_at,
};

use super::files::{below, clear_beside};
use super::reading::Reading;
use crate::check::Verdict;
use crate::data_dir::DataDir;
use crate::log_keys::{Shelf, known_publicly};
use crate::open::micros;
use crate::progress::Progress;
use crate::project::aside;

/// How many keys are asked for at once.
const KEYS: usize = 500;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The journal, where it is right.
    pub(super) journal: Option<JournalReport>,
    /// How many entries the newest checkpoint is over; 0 where there is none.
    pub(super) newest_checkpoint: u64,
    /// Each part with its verdict.
    pub(super) parts: Vec<(&'static str, Verdict)>,
}

impl Found {
    /// Whether nothing is wrong.
    pub(super) fn holds(&self) -> bool {
        !self.parts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Wrong { .. }))
    }

    /// What is wrong, in words.
    pub(super) fn wrong(&self) -> Vec<String> {
        let words = |(part, verdict): &(&'static str, Verdict)| match verdict {
            Verdict::Wrong { position: Some(at), what } => {
                Some(format!("{part}: entry {at}: {what}"))
            }
            Verdict::Wrong { position: None, what } => Some(format!("{part}: {what}")),
            Verdict::Right(_) | Verdict::Unchecked(_) => None,
        };
        self.parts.iter().filter_map(words).collect()
    }

    /// What was not checked, and why.
    pub(super) fn unchecked(&self) -> Vec<String> {
        let words = |(part, verdict): &(&'static str, Verdict)| match verdict {
            Verdict::Unchecked(why) => Some(format!("{part}: {why}")),
            Verdict::Right(_) | Verdict::Wrong { .. } => None,
        };
        self.parts.iter().filter_map(words).collect()
    }
}

/// Checks what lies in a directory that nobody uses; `master` is the key, or why there is none.
pub(super) async fn verify(
    dir: &DataDir,
    master: Result<MasterKey, String>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Found> {
    let root = dir.root().to_owned();
    let ledger = dir.ledger();
    let notes = aside(move |_| notes(&ledger)).await?;
    let sizes: BTreeSet<u64> = notes.iter().filter_map(Note::size).collect();
    let newest_checkpoint = sizes.last().copied().unwrap_or_default();
    let path = dir.journal();
    let checked = aside(move |_| {
        let mut progress = Progress::new("entries checked");
        let checked = check_journal_at(path, &sizes, |done, all| progress.set(done, all));
        progress.finish();
        Ok(checked)
    })
    .await?;
    let mut found = Found { journal: None, newest_checkpoint, parts: Vec::new() };
    let keys = keys(dir).await?;
    match &checked.verdict {
        Err(fault) => {
            let wrong = Verdict::Wrong { position: fault.position, what: fault.what.clone() };
            found.parts.push(("journal and ledger", wrong));
        }
        Ok(report) => {
            let words = format!("{} entries in {} streams", report.entries, report.streams);
            found.parts.push(("journal and ledger", Verdict::Right(words)));
            found.journal = Some(report.clone());
        }
    }
    found.parts.push(("checkpoints", signed(&notes, &keys, &checked)));
    let vault = match (&found.journal, dir.vault().exists()) {
        (None, _) => Verdict::Unchecked("the journal it must agree with is not right".to_owned()),
        (Some(journal), false) if journal.is_replica => {
            Verdict::Unchecked("it is elsewhere, as the log is".to_owned())
        }
        (Some(_), false) => {
            Verdict::Wrong { position: None, what: "there is no vault.db".to_owned() }
        }
        (Some(_), true) => match master {
            Ok(master) => vault(dir, master, clock).await?,
            Err(why) => Verdict::Unchecked(why),
        },
    };
    found.parts.push(("vault", vault));
    aside(move |_| clear_beside(&root)).await?;
    Ok(found)
}

/// A signed note and the file it stands in.
struct Note {
    path: PathBuf,
    signed: Result<SignedCheckpoint, String>,
}

impl Note {
    fn size(&self) -> Option<u64> {
        self.signed.as_ref().ok().map(|signed| signed.checkpoint().size)
    }
}

fn notes(ledger: &Path) -> anyhow::Result<Vec<Note>> {
    let mut notes = Vec::new();
    for name in below(ledger)? {
        let is_note = name.extension().is_some_and(|ending| ending == "note");
        if is_note || name == Path::new("latest") {
            let path = ledger.join(name);
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("reading {}", path.display()))?;
            let signed = SignedCheckpoint::parse(&text).map_err(|error| error.to_string());
            notes.push(Note { path, signed });
        }
    }
    Ok(notes)
}

/// The keys that sign, and those that did.
async fn keys(dir: &DataDir) -> anyhow::Result<Vec<VerifierKey>> {
    if !dir.log_keys().exists() {
        return Ok(Vec::new());
    }
    let mut keys = known_publicly(dir)?;
    keys.extend(Shelf::Files(dir.clone()).retired().await?);
    Ok(keys)
}

/// Every note: its signature, and its root against that of the entries.
fn signed(notes: &[Note], keys: &[VerifierKey], checked: &Checked) -> Verdict {
    let newest = notes.iter().filter_map(Note::size).max();
    let Some(newest) = newest else {
        return Verdict::Unchecked("no checkpoint was signed yet".to_owned());
    };
    for Note { path, signed } in notes {
        let wrong = |what: &str| Verdict::Wrong {
            position: None,
            what: format!("{}: {what}", path.display()),
        };
        let signed = match signed {
            Ok(signed) => signed,
            Err(error) => return wrong(error),
        };
        if let Err(error) = signed.verify(keys) {
            return wrong(&error.to_string());
        }
        let checkpoint = signed.checkpoint();
        match checked.roots.get(&checkpoint.size) {
            Some(root) if *root == checkpoint.root => {}
            Some(_) => return wrong("the entries have another root"),
            None => return wrong("it is over more entries than there are, or than are right"),
        }
    }
    Verdict::Right(format!("each of {} agrees; the newest is over {newest} entries", notes.len()))
}

/// Every row of the vault, and every key that the log names.
async fn vault(
    dir: &DataDir,
    master: MasterKey,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Verdict> {
    let wrong = |what: String| Ok(Verdict::Wrong { position: None, what });
    let vault = match SqliteVault::open(dir.vault(), master, micros(clock)) {
        Ok(vault) => Arc::new(vault),
        Err(OpenError::WrongMasterKey) => {
            let why = "the master key at hand is not the one it was made with";
            return Ok(Verdict::Unchecked(why.to_owned()));
        }
        Err(error) => return wrong(error.to_string()),
    };
    let rows = Arc::clone(&vault);
    let rows = match aside(move |_| Ok(rows.check())).await? {
        Ok(rows) => rows,
        Err(fault) => return wrong(fault.to_string()),
    };
    let named = named(dir).await?;
    for part in named.chunks(KEYS) {
        let ids: Vec<KeyId> = part.iter().map(|(id, _)| *id).collect();
        if vault.keys(ids).await.is_ok() {
            continue;
        }
        for (id, position) in part {
            if let Err(error) = vault.keys(vec![*id]).await {
                return Ok(Verdict::Wrong { position: Some(*position), what: error.to_string() });
            }
        }
    }
    Ok(Verdict::Right(format!(
        "all {} keys that the log names are known; every row of {} keys and {} secrets is as it was written",
        named.len(),
        rows.keys.saturating_add(rows.destroyed),
        rows.secrets
    )))
}

/// Every key that the log names, with the first position that does.
async fn named(dir: &DataDir) -> anyhow::Result<Vec<(KeyId, u64)>> {
    let log = SqliteLog::open(dir.journal(), Options::default()).context("opening the journal")?;
    let mut progress = Progress::new("entries looked through for keys");
    let mut reading = Reading::whole(&log).await?;
    let (mut named, mut known, mut position) = (Vec::new(), HashSet::new(), 0_u64);
    while let Some(recorded) = reading.next().await.context("reading the journal")? {
        position = position.saturating_add(1);
        for key in sealed_keys(&recorded.fact.data) {
            if known.insert(key) {
                named.push((key, position));
            }
        }
        progress.set(position, reading.total(position));
    }
    progress.finish();
    Ok(named)
}
