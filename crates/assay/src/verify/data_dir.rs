//! Verifying a data directory: every entry from its stored bytes, up to the signed checkpoints.

use std::collections::BTreeSet;
use std::path::Path;

use assay_bundle::{CheckName, Report, Trust};
use assay_ledger::{Hash, SignedCheckpoint};
use assay_store_sqlite::{Checked, check_journal_at};

use uuid::Uuid;

use crate::exit::usage;
use crate::log_keys;

/// The checks of a data directory, in the order of the report.
const CHECKS: [CheckName; 5] = [
    CheckName::Signature,
    CheckName::Origin,
    CheckName::Witnesses,
    CheckName::Older,
    CheckName::Entries,
];

/// What nobody should conclude from it.
const NOT_PROVED: [&str; 5] = [
    "that entries after the checkpoint are untouched: no signature covers them yet",
    "that the directory was not put back to an earlier state, or that the keeper of the key did not sign two \
     histories: give an older checkpoint you kept, or witnesses",
    "that what sources say is true, or that a user id is a certain person",
    "when things were recorded, beyond the server's own clock",
    "that the vault still opens the sealed texts (`assay check` looks at that)",
];

/// Recomputes the ledger from the journal's bytes and compares it with every checkpoint at hand.
pub(super) fn verify(
    dir: &Path,
    trust: &Trust,
    progress: impl FnMut(u64, u64),
) -> anyhow::Result<Report> {
    let path = dir.join("ledger").join("latest");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        usage(format!(
            "there is no signed checkpoint to verify against: {}: {error}",
            path.display()
        ))
    })?;
    let what = format!("The data directory {}.", dir.display());
    let mut report = Report::new(&what, &CHECKS, &NOT_PROVED);
    let Ok(note) = SignedCheckpoint::parse(&text) else {
        report.fail(CheckName::Signature, "the directory's latest checkpoint is none", None);
        return Ok(report);
    };
    let mut sizes: BTreeSet<u64> = trust.older.iter().map(|old| old.checkpoint().size).collect();
    sizes.insert(note.checkpoint().size);
    let checked = check_journal_at(dir.join("journal.db"), &sizes, progress);
    trust.vouch(&note, &mut report);
    trust.continues(&note, &mut report, |size, root| same_root(&checked, size, root));
    let history = log_keys::history_in(&dir.join("journal.db")).ok().flatten();
    entries(&note, &checked, history, &mut report);
    Ok(report)
}

fn entries(note: &SignedCheckpoint, checked: &Checked, history: Option<Uuid>, report: &mut Report) {
    let checkpoint = note.checkpoint();
    match &checked.verdict {
        Err(fault) => report.fail(CheckName::Entries, fault.what.clone(), fault.position),
        Ok(journal)
            if !checkpoint.origin.ends_with(&history.unwrap_or(journal.log_id).to_string()) =>
        {
            let log = history.unwrap_or(journal.log_id);
            let words = format!("the journal is the log {log}, the checkpoint's another");
            report.fail(CheckName::Origin, words, None);
        }
        Ok(_) => {}
    }
    if let Err(words) = same_root(checked, checkpoint.size, &checkpoint.root) {
        report.fail(CheckName::Entries, words, None);
    }
    if let Ok(journal) = &checked.verdict {
        let later = journal.entries.saturating_sub(checkpoint.size);
        let words = format!(
            "all {} entries in {} streams match their leaves; the signed root covers the first {}, {later} \
             are newer",
            journal.entries, journal.streams, checkpoint.size
        );
        report.hold(CheckName::Entries, words);
    }
}

/// Whether the journal's own bytes make this root at this size.
fn same_root(checked: &Checked, size: u64, root: &Hash) -> Result<(), String> {
    match (checked.roots.get(&size), &checked.verdict) {
        (Some(found), _) if found == root => Ok(()),
        (Some(_), _) => {
            Err(format!("the first {size} entries make another root than the checkpoint of {size}"))
        }
        (None, Ok(journal)) => Err(format!(
            "the journal has {} entries, and a checkpoint over {size} was signed: its end is missing",
            journal.entries
        )),
        (None, Err(fault)) => Err(format!("nothing can be said of {size}: {fault}")),
    }
}
