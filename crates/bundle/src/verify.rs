//! Every check of a bundle: what holds, what does not and what was not checked, from the file and the reader's keys.

mod entries;

use std::io::{Read, Seek};
use std::sync::Arc;

use assay_ledger::{SignedCheckpoint, VerifierKey, empty_root, verify_consistency};
use assay_timestamp::{Anchor, REPLY_BYTES_MAX};

use crate::README;
use crate::container::{
    CHECKPOINT_NAME, CONSISTENCY_NAME, Container, ENTRIES_NAME, EVIDENCE, KEYS_NAME, MANIFEST_NAME,
    README_NAME, next_line, timestamp_name, words,
};
use crate::error::BundleError;
use crate::keys::{Keys, parse_key};
use crate::layout::{Refused, no};
use crate::limits::{KEYS_MAX, MANIFEST_BYTES_MAX, NOTE_BYTES_MAX, PROOF_HASHES_MAX};
use crate::manifest::Manifest;
use crate::report::{CheckName, Report};
use crate::text::{base64, count, hash_of, hex_of};
use crate::trust::{Trust, proof_words, timestamped};
use crate::write::consistency_text;

/// What nobody should conclude from a bundle that holds.
const DOES_NOT_PROVE: [&str; 7] = [
    "that the case has no later entries: the file ends where its maker ended it",
    "that no stream was left out whole or cut at its end; for that, compare the number of entries and the file's \
     SHA-256 with what the log recorded of this export, or the file with a mirror of the log",
    "that what is withheld, or sealed under a key that is not here, is of no importance",
    "that what sources say is true: only that it was recorded, as it stands here",
    "who a user id is in the flesh",
    "the time of entries, but for the server's clock and that they were there when the checkpoint was timestamped",
    "who made the file, when, for whom and why something is withheld: that is the maker's word",
];

/// A bundle looked at: the report, and what is needed to go on if it holds.
pub(crate) struct Examined<R> {
    pub(crate) report: Report,
    pub(crate) parts: Option<Parts<R>>,
}

/// The parts of a bundle that were readable.
pub(crate) struct Parts<R> {
    pub(crate) container: Container<R>,
    pub(crate) manifest: Manifest,
    pub(crate) note: SignedCheckpoint,
    pub(crate) keys: Keys,
}

/// Verifies a bundle; `progress` is told how many bytes are done, of how many.
///
/// # Errors
///
/// Where the file cannot be read, or the question has no keys. What does not hold stands in the report.
pub fn verify<R: Read + Seek>(
    file: R,
    trust: &Trust,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, BundleError> {
    Ok(examine(file, trust, &mut progress)?.report)
}

pub(crate) fn examine<R: Read + Seek>(
    file: R,
    trust: &Trust,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Examined<R>, BundleError> {
    trust.check()?;
    let mut report = Report::new("A case bundle", &CheckName::BUNDLE, &DOES_NOT_PROVE);
    let mut container = match Container::open(file) {
        Ok(container) => container,
        Err(refused) => return stop(report, CheckName::Container, refused),
    };
    let manifest = match manifest(&mut container) {
        Ok(manifest) => manifest,
        Err(refused) => return stop(report, CheckName::Manifest, refused),
    };
    report.what = format!(
        "Case {} from the log {} at size {}, {} entries",
        manifest.case,
        shown(&manifest.origin),
        manifest.size,
        manifest.entries
    );
    let mut progress = Progress::new(&container, progress);
    if let Err(refused) = whole(&mut container, &manifest, &mut progress) {
        return stop(report, CheckName::Container, refused);
    }
    let members = container.members.len();
    let held = format!("{members} members, each as the manifest says, and nothing besides");
    report.hold(CheckName::Container, held);
    let note = match checkpoint(&mut container) {
        Ok(note) => note,
        Err(refused) => return stop(report, CheckName::Signature, refused),
    };
    trust.vouch(&note, &mut report);
    if let Err(words) = agree(&manifest, &note) {
        report.fail(CheckName::Manifest, words, None);
    }
    told(
        timestamps(&mut container, &note, trust, &mut report),
        CheckName::Timestamps,
        &mut report,
    )?;
    told(older(&mut container, &note, trust, &mut report), CheckName::Older, &mut report)?;
    evidence(&container, &manifest, &mut report);
    let mut keys = Keys::default();
    let read = read_keys(&mut container, &mut keys);
    if read.is_ok() && count(keys.len()) != manifest.keys {
        report.fail(CheckName::Manifest, "it counts other keys than there are", None);
    }
    told(read, CheckName::Keys, &mut report)?;
    let mut parts = Parts { container, manifest, note, keys };
    let read = entries::read(&mut parts, &mut report, &mut progress);
    told(read, CheckName::Entries, &mut report)?;
    report.hold(CheckName::Manifest, "it agrees with the checkpoint, the entries and the keys");
    Ok(Examined { report, parts: Some(parts) })
}

/// How many bytes are done: every member once, and the entries a second time.
pub(crate) struct Progress<'a> {
    done: u64,
    total: u64,
    tell: &'a mut dyn FnMut(u64, u64),
}

impl<'a> Progress<'a> {
    fn new<R>(container: &Container<R>, tell: &'a mut dyn FnMut(u64, u64)) -> Self {
        let members = container.members.iter();
        let total = members.map(|member| match member.name.as_str() {
            MANIFEST_NAME => 0,
            ENTRIES_NAME => member.size_bytes * 2,
            _ => member.size_bytes,
        });
        Self { done: 0, total: total.sum(), tell }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        (self.tell)(self.done, self.total);
    }
}

/// The check fails, and nothing after it can be looked at.
fn stop<R>(
    mut report: Report,
    name: CheckName,
    refused: Refused,
) -> Result<Examined<R>, BundleError> {
    report.fail(name, words(refused)?, None);
    Ok(Examined { report, parts: None })
}

/// The check fails if something was refused; the others go on.
fn told(
    result: Result<(), Refused>,
    name: CheckName,
    report: &mut Report,
) -> Result<(), BundleError> {
    if let Err(refused) = result {
        report.fail(name, words(refused)?, None);
    }
    Ok(())
}

/// Text of the file's maker, as far as it can be shown in one line.
fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(100).collect()
}

fn manifest<R: Read + Seek>(container: &mut Container<R>) -> Result<Manifest, Refused> {
    let bytes = container.read(MANIFEST_NAME, MANIFEST_BYTES_MAX)?.unwrap_or_default();
    Manifest::parse(&bytes).ok_or_else(|| no("it is not written as a manifest of this format is"))
}

fn whole<R: Read + Seek>(
    container: &mut Container<R>,
    manifest: &Manifest,
    progress: &mut Progress<'_>,
) -> Result<(), Refused> {
    let readme = container.read(README_NAME, NOTE_BYTES_MAX)?;
    if readme.as_deref() != Some(README.as_bytes()) {
        return Err(no(format!("{README_NAME} is not the text that stands in every bundle")));
    }
    container.compare(manifest, &mut |bytes| progress.add(bytes))
}

fn checkpoint<R: Read + Seek>(container: &mut Container<R>) -> Result<SignedCheckpoint, Refused> {
    let bytes = container.read(CHECKPOINT_NAME, NOTE_BYTES_MAX)?.unwrap_or_default();
    let text = String::from_utf8(bytes).map_err(|_| no("the checkpoint is no text"))?;
    SignedCheckpoint::parse(&text).map_err(|error| no(error.to_string()))
}

/// Whether the manifest says of the checkpoint what the checkpoint says.
fn agree(manifest: &Manifest, note: &SignedCheckpoint) -> Result<(), String> {
    let checkpoint = note.checkpoint();
    let same = manifest.origin == checkpoint.origin
        && manifest.size == checkpoint.size
        && manifest.root == base64(&checkpoint.root);
    if !same {
        return Err("it describes another checkpoint than the one in the file".to_owned());
    }
    if manifest.as_of > checkpoint.size {
        return Err("it goes beyond the checkpoint".to_owned());
    }
    if manifest.log_keys.is_empty() {
        return Err("it names no key".to_owned());
    }
    for text in &manifest.log_keys {
        let signed =
            VerifierKey::parse(text).is_ok_and(|key| note.note().verified_by(&key).is_ok());
        if !signed {
            return Err("it names a key that did not sign the checkpoint".to_owned());
        }
    }
    Ok(())
}

fn timestamps<R: Read + Seek>(
    container: &mut Container<R>,
    note: &SignedCheckpoint,
    trust: &Trust,
    report: &mut Report,
) -> Result<(), Refused> {
    let digest = timestamped(note);
    let (mut anchored, mut unvouched) = (Vec::new(), Vec::new());
    for number in 1.. {
        let limit = count(REPLY_BYTES_MAX);
        let Some(bytes) = container.read(&timestamp_name(number), limit)? else { break };
        let verified = assay_timestamp::verify(&bytes, &digest, None, &trust.timestamp_roots)
            .map_err(|error| no(format!("timestamp {number}: {error}")))?;
        match verified.anchored {
            Anchor::Root(_) => anchored.push(format!("{} ({})", verified.time, verified.signer)),
            Anchor::Unvouched => unvouched.push(verified.time.to_string()),
        }
    }
    if anchored.is_empty() && unvouched.is_empty() {
        report.skip(CheckName::Timestamps, "there is none");
    } else if anchored.is_empty() {
        let times = unvouched.join(", ");
        let words = format!("{times}, but nobody you named vouches for the authority");
        report.skip(CheckName::Timestamps, words);
    } else {
        let words = format!("the checkpoint existed by {}", anchored.join(", "));
        report.hold(CheckName::Timestamps, words);
    }
    Ok(())
}

fn older<R: Read + Seek>(
    container: &mut Container<R>,
    note: &SignedCheckpoint,
    trust: &Trust,
    report: &mut Report,
) -> Result<(), Refused> {
    let text = container.read(CONSISTENCY_NAME, NOTE_BYTES_MAX)?;
    let proof =
        match &text {
            None => None,
            Some(text) => Some(parse_consistency(text).ok_or_else(|| {
                no(format!("{CONSISTENCY_NAME} is not written as such a proof is"))
            })?),
        };
    let (size, root) = (note.checkpoint().size, &note.checkpoint().root);
    trust.continues(note, report, |old_size, old_root| match &proof {
        Some((from, proof)) if *from == old_size => {
            verify_consistency(old_size, old_root, size, root, proof).map_err(proof_words)
        }
        _ if old_size == size && old_root == root => Ok(()),
        _ if old_size == size => Err(format!("your checkpoint of {size} has another root")),
        _ if old_size == 0 && *old_root == empty_root() => Ok(()),
        _ => Err(format!("the file holds no proof that the log continues yours of {old_size}")),
    });
    Ok(())
}

/// Reads what [`consistency_text`] writes, and nothing else.
fn parse_consistency(bytes: &[u8]) -> Option<(u64, Vec<assay_ledger::Hash>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (first, rest) = text.split_once('\n')?;
    let old_size = first.strip_prefix("old ")?.parse().ok()?;
    let proof: Vec<_> = rest.lines().map(hash_of).collect::<Option<_>>()?;
    let one_spelling = consistency_text(old_size, &proof) == text;
    (one_spelling && proof.len() <= PROOF_HASHES_MAX).then_some((old_size, proof))
}

fn evidence<R>(container: &Container<R>, manifest: &Manifest, report: &mut Report) {
    let files = manifest.files.iter().filter(|file| file.name.starts_with(EVIDENCE));
    let mut found = 0;
    for file in files {
        found += 1;
        let named = file.name.strip_prefix(EVIDENCE).and_then(hex_of::<32>);
        if named.is_none() || named != hex_of(&file.sha256) {
            let words = format!("{} is not what its name says", shown(&file.name));
            report.fail(CheckName::Evidence, words, None);
        }
    }
    if found == 0 {
        let words = format!("there is none among the {} members", container.members.len());
        report.skip(CheckName::Evidence, words);
    } else {
        report.hold(
            CheckName::Evidence,
            format!("{found} files, each with the bytes it is named by"),
        );
    }
}

fn read_keys<R: Read + Seek>(container: &mut Container<R>, keys: &mut Keys) -> Result<(), Refused> {
    let failed = Arc::clone(container.failed());
    let mut reader = container.named(KEYS_NAME)?;
    let mut line = Vec::new();
    let malformed = || no("a key is not written as keys are, or not in their order");
    while next_line(&mut reader, &mut line, &failed)? {
        let (id, key) = parse_key(&line).ok_or_else(malformed)?;
        if keys.last().is_some_and(|last| id <= last) {
            return Err(malformed());
        }
        keys.add(id, key);
        if count(keys.len()) > KEYS_MAX {
            return Err(no(format!("there are more than {KEYS_MAX} keys")));
        }
    }
    Ok(())
}
