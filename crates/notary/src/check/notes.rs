//! Every signed note: its form, its signatures, its timestamps, and what belongs beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assay_ledger::{CosignatureError, SignedCheckpoint};
use assay_timestamp::{Trust, verify};
use sha2::{Digest as _, Sha256};

use crate::check::names::{entries, is_file, unknown};
use crate::check::{Fault, Known, LedgerReport, Signed};
use crate::checkpoints::{Checkpoints, Name, read_signed};
use crate::files;

/// What stands in the directory for one size.
#[derive(Default)]
struct Beside {
    note: bool,
    at: bool,
    timestamps: BTreeSet<u32>,
}

/// Checks all notes and answers the roots they state.
pub(super) fn check(
    checkpoints: &Checkpoints,
    known: Known<'_>,
    report: &mut LedgerReport,
) -> Result<Signed, Fault> {
    let mut signed = Signed::new();
    for (size, beside) in by_size(checkpoints.dir(), report)? {
        let place = checkpoints.place(Name::Note(size));
        if !beside.note {
            // The time is written first: a crash came in between.
            if beside.timestamps.is_empty() {
                report.leftovers += 1;
                continue;
            }
            return Err(Fault::of(format!("{} is gone", place.display())));
        }
        let shown = place.display().to_string();
        let numbered = beside.timestamps.iter().zip(1..).all(|(found, number)| *found == number);
        if !beside.at || !numbered {
            return Err(Fault::of(format!("something that belongs to {shown} is gone")));
        }
        let published = checkpoints.load(size)?;
        let published = published.ok_or_else(|| Fault::of(format!("{shown} is gone")))?;
        let note = read(&published.note, &shown, known, report.entries)?;
        count_signatures(&note, &shown, known, report)?;
        check_timestamps(&note, &published.timestamps, &shown)?;
        report.timestamps += u64::try_from(published.timestamps.len()).unwrap_or(0);
        report.checkpoints += 1;
        report.newest = size;
        signed.entry(size).or_default().push((note.checkpoint().root, shown));
    }
    Ok(signed)
}

/// Checks a copy of a note that stands elsewhere, if it is there.
pub(super) fn check_copy(
    path: &Path,
    known: Known<'_>,
    signed: &mut Signed,
    report: &LedgerReport,
) -> Result<(), Fault> {
    let Some(text) = files::read_text(path)? else { return Ok(()) };
    let shown = path.display().to_string();
    let note = read(&text, &shown, known, report.entries)?;
    count_signatures(&note, &shown, known, &mut LedgerReport::default())?;
    let checkpoint = note.checkpoint();
    signed.entry(checkpoint.size).or_default().push((checkpoint.root, shown));
    Ok(())
}

/// A note of this log, signed by a known key, and not larger than the journal.
fn read(
    text: &str,
    shown: &str,
    known: Known<'_>,
    entries: u64,
) -> Result<SignedCheckpoint, Fault> {
    let signed = read_signed(text, known.origin, known.keys);
    let signed = signed.map_err(|error| Fault::of(format!("{shown}: {error}")))?;
    let size = signed.checkpoint().size;
    if size > entries {
        let what = format!("the journal ends here, and {shown} is over {size} entries");
        return Err(Fault { what, position: Some(entries) });
    }
    Ok(signed)
}

fn count_signatures(
    note: &SignedCheckpoint,
    shown: &str,
    known: Known<'_>,
    report: &mut LedgerReport,
) -> Result<(), Fault> {
    for line in note.note().signatures() {
        if known.keys.iter().any(|key| key.matches(line)) {
            continue;
        }
        let mut witnessed = false;
        for witness in known.witnesses {
            match witness.verify_signature(note, line) {
                Ok(_) => witnessed = true,
                Err(CosignatureError::Unsigned { .. }) => {}
                Err(wrong) => return Err(Fault::of(format!("{shown}: {wrong}"))),
            }
        }
        report.cosignatures += u64::from(witnessed);
        report.unknown_signatures += u64::from(!witnessed);
    }
    Ok(())
}

fn check_timestamps(
    note: &SignedCheckpoint,
    timestamps: &[Vec<u8>],
    shown: &str,
) -> Result<(), Fault> {
    let digest: [u8; 32] = Sha256::digest(note.note().text()).into();
    for (reply, number) in timestamps.iter().zip(1..) {
        verify(reply, &digest, None, &Trust::nobody())
            .map_err(|error| Fault::of(format!("timestamp {number} of {shown}: {error}")))?;
    }
    Ok(())
}

fn by_size(dir: &Path, report: &mut LedgerReport) -> Result<BTreeMap<u64, Beside>, Fault> {
    let mut sizes: BTreeMap<u64, Beside> = BTreeMap::new();
    for entry in entries(dir)? {
        let path = entry.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(Name::parse);
        match name {
            _ if !is_file(&entry)? => return Err(unknown(&path)),
            Some(Name::Note(size)) => sizes.entry(size).or_default().note = true,
            Some(Name::At(size)) => sizes.entry(size).or_default().at = true,
            Some(Name::Timestamp(size, number)) => {
                sizes.entry(size).or_default().timestamps.insert(number);
            }
            None if files::is_unfinished(&path) => report.leftovers += 1,
            None => return Err(unknown(&path)),
        }
    }
    Ok(sizes)
}
