//! The entries one by one: their proofs, their order, their streams, and what disclosed keys open in them.

use std::io::{Read, Seek};
use std::sync::Arc;

use crate::container::{ENTRIES_NAME, next_line};
use crate::keys::{KeyFault, Keys};
use crate::layout::{Refused, no};
use crate::limits::ENTRIES_MAX;
use crate::line::{Data, Line};
use crate::manifest::Manifest;
use crate::report::{CheckName, Report};
use crate::streams::Streams;
use crate::text::count;
use crate::trust::proof_words;
use crate::verify::{Parts, Progress};

/// Reads all entries; where a line cannot be read, nothing is said of what lies behind it.
pub(super) fn read<R: Read + Seek>(
    parts: &mut Parts<R>,
    report: &mut Report,
    progress: &mut Progress<'_>,
) -> Result<(), Refused> {
    let Parts { container, manifest, note, keys } = parts;
    let (size, root) = (note.checkpoint().size, &note.checkpoint().root);
    let failed = Arc::clone(container.failed());
    let mut reader = container.named(ENTRIES_NAME)?;
    let mut streams = Streams::new(manifest.case);
    let mut fault = None;
    let mut bytes = Vec::new();
    while next_line(&mut reader, &mut bytes, &failed)? {
        if streams.entries == ENTRIES_MAX {
            return Err(no(format!("there are more than {ENTRIES_MAX} entries")));
        }
        let line = Line::parse(&bytes);
        let line = line.ok_or_else(|| {
            no(format!("line {} is not written as entries are", streams.entries + 1))
        })?;
        if let Err(error) = line.verify(size, root) {
            report.fail(CheckName::Entries, proof_words(error), Some(line.position));
        }
        if fault.is_none() {
            fault = keys.try_on(&line).err().map(|fault| (fault, line.position));
        }
        streams.withheld += u64::from(matches!(line.data, Data::Withheld(_)));
        streams.see(&line);
        progress.add(count(bytes.len()) + 1);
    }
    let held =
        format!("all {} are in the log at their places, as they stand here", streams.entries);
    report.hold(CheckName::Entries, held);
    counted(manifest, &streams, report);
    opened(keys, fault.as_ref(), report);
    streams.tell(report);
    Ok(())
}

fn counted(manifest: &Manifest, streams: &Streams, report: &mut Report) {
    if streams.entries != manifest.entries {
        report.fail(CheckName::Manifest, "it counts other entries than there are", None);
    }
    if streams.last_position() > manifest.as_of {
        report.fail(CheckName::Manifest, "there are entries beyond the moment it states", None);
    }
    let (withheld, all) = (streams.withheld, streams.entries);
    if withheld > 0 && manifest.withheld.is_empty() {
        let words = format!("the data of {withheld} entries is withheld, and nobody says why");
        report.fail(CheckName::Withheld, words, None);
    } else if withheld > 0 {
        let words = format!(
            "the data of {withheld} of {all} entries is withheld; their proofs hold all the same"
        );
        report.hold(CheckName::Withheld, words);
    } else {
        report.hold(CheckName::Withheld, format!("the data of all {all} entries is here"));
    }
}

fn opened(keys: &Keys, fault: Option<&(KeyFault, u64)>, report: &mut Report) {
    match fault {
        Some((KeyFault::NotJson, position)) => {
            report.fail(CheckName::Keys, "the entry's data is no JSON", Some(*position));
        }
        Some((KeyFault::DoesNotOpen(id), position)) => {
            let words = format!("key {id} does not open what is sealed under it");
            report.fail(CheckName::Keys, words, Some(*position));
        }
        None => {
            if let Some(id) = keys.idle() {
                report.fail(CheckName::Keys, format!("key {id} opens nothing in this file"), None);
            }
        }
    }
    let (opened, sealed) = (keys.opened, keys.sealed);
    if keys.len() == 0 {
        report.skip(CheckName::Keys, format!("no key is here: {sealed} sealed values stay closed"));
    } else {
        let words = format!(
            "{} keys open {opened} of {sealed} sealed values; the rest is withheld or forgotten",
            keys.len()
        );
        report.hold(CheckName::Keys, words);
    }
}
