//! How a bundle is made: every entry proved before it is written, every key tried before it is given away.

mod pack;

use std::io::{self, Seek, Write};

use assay_ledger::{CheckpointError, Hash, NoteError, SignedCheckpoint, VerifierKey};
use assay_store::journal::{Entry, Journal};
use assay_store::leaf::leaf_of;
use assay_store::vault::{Key, KeyId};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::container::ENTRIES_NAME;
use crate::error::BundleError;
use crate::keys::{KeyFault, Keys};
use crate::limits::{
    BUNDLE_BYTES_MAX, ENTRIES_MAX, KEYS_MAX, LINE_BYTES_MAX, PROOF_HASHES_MAX, TIMESTAMPS_MAX,
};
use crate::line::{Data, Line};
use crate::manifest::{Member, Withheld};
use crate::text::count;
use crate::trust::timestamped;

pub(crate) use pack::consistency_text;

/// Why a proof could not be had; the caller's own error.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The most entries asked of the journal at once.
const BATCH_MAX: usize = 256;

/// How much of an entry the reader gets to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Its data as stored: sealed values stay sealed unless their key is disclosed.
    Full,
    /// Its envelope and the digest of its data.
    NoData,
}

/// The maker's word on who made the file, of what, when and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Which case.
    pub case: Uuid,
    /// Up to which position the case was taken: not before its last entry, not beyond the checkpoint.
    pub as_of: u64,
    /// When the file is made, in microseconds since 1970 (UTC).
    pub made_at: i64,
    /// The user who makes it.
    pub made_by: Uuid,
    /// For whom.
    pub recipient: Option<String>,
}

/// What is to go into a bundle.
pub struct Order<'a> {
    /// Where the entries stand.
    pub journal: &'a dyn Journal,
    /// Which of them, ascending. Of each stream of the case they must be all from revision 0 on.
    pub positions: Vec<u64>,
    /// The signed checkpoint, with its cosignatures, that all proofs lead to.
    pub checkpoint: &'a str,
    /// The keys that signed it: each must have, and one must bear the log's origin as its name.
    pub log_keys: Vec<VerifierKey>,
    /// The inclusion proof of the leaf with this index (from 0) in the checkpoint's tree.
    pub proof: &'a dyn Fn(u64) -> Result<Vec<Hash>, Failure>,
    /// The keys to disclose: each must open something in the entries whose data is disclosed, or it is refused.
    pub keys: Vec<(KeyId, Key)>,
    /// How much of each entry is disclosed; asked twice for each.
    pub withhold: &'a dyn Fn(&Entry) -> Disclosure,
    /// What is withheld and why, in the maker's words; needed as soon as the data of an entry is.
    pub withheld: Vec<Withheld>,
    /// The size of an older checkpoint the recipient holds, and the proof that the log continues it.
    pub consistency: Option<(u64, Vec<Hash>)>,
    /// RFC 3161 timestamps of the checkpoint's text.
    pub timestamps: Vec<Vec<u8>>,
    /// The maker's word.
    pub about: About,
}

/// What a bundle holds, for whoever records that it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many entries.
    pub entries: u64,
    /// The data of how many of them is withheld.
    pub withheld: u64,
    /// How many keys.
    pub keys: u64,
}

/// Writes a bundle; `progress` is told how many entries are done, of how many, all counted twice.
///
/// The same order makes the same bytes. What is written would verify: the proofs, the keys, the checkpoint's
/// signatures and the digests of the timestamps are checked first, before a byte is written.
pub fn write<W: Write + Seek>(
    out: W,
    order: &Order<'_>,
    mut progress: impl FnMut(u64, u64),
) -> Result<Written, BundleError> {
    let note = sound_checkpoint(order)?;
    let keys = sorted_keys(order)?;
    let total = count(order.positions.len()) * 2;
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, total);
    };
    let survey = survey(order, &note, &keys, &mut step)?;
    let written = survey.written;
    let members = pack::members(order, &note, &keys, survey)?;
    pack::pack(out, order, &note, members, &mut step)?;
    Ok(written)
}

/// The checkpoint, signed by every key that is named, with timestamps that are of it.
fn sound_checkpoint(order: &Order<'_>) -> Result<SignedCheckpoint, BundleError> {
    let note = SignedCheckpoint::parse(order.checkpoint)?;
    let checkpoint = note.checkpoint();
    for key in &order.log_keys {
        note.note().verified_by(key).map_err(CheckpointError::from)?;
    }
    if order.log_keys.is_empty() {
        return Err(CheckpointError::from(NoteError::Unsigned).into());
    }
    if !order.log_keys.iter().any(|key| key.name() == checkpoint.origin) {
        return Err(BundleError::Origin(checkpoint.origin.clone()));
    }
    if order.timestamps.len() > TIMESTAMPS_MAX {
        return Err(BundleError::TooLarge { what: "the timestamps", limit: count(TIMESTAMPS_MAX) });
    }
    let (digest, nobody) = (timestamped(&note), assay_timestamp::Trust::nobody());
    for (timestamp, number) in order.timestamps.iter().zip(1..) {
        assay_timestamp::verify(timestamp, &digest, None, &nobody)
            .map_err(|source| BundleError::Timestamp { number, source })?;
    }
    if let Some((old_size, proof)) = &order.consistency
        && (*old_size > checkpoint.size || proof.len() > PROOF_HASHES_MAX)
    {
        return Err(BundleError::Consistency);
    }
    if order.about.as_of > checkpoint.size {
        return Err(BundleError::Position(order.about.as_of));
    }
    Ok(note)
}

fn sorted_keys(order: &Order<'_>) -> Result<Vec<(KeyId, Key)>, BundleError> {
    let mut keys = order.keys.clone();
    if count(keys.len()) > KEYS_MAX {
        return Err(BundleError::TooLarge { what: "the keys", limit: KEYS_MAX });
    }
    keys.sort_by_key(|(id, _)| *id);
    let twice = keys.windows(2).find_map(|pair| match pair {
        [(one, _), (other, _)] if one == other => Some(*one),
        _ => None,
    });
    twice.map_or(Ok(keys), |id| Err(BundleError::RepeatedKey(id)))
}

/// What the first pass over the entries found out.
struct Survey {
    written: Written,
    entries: Member,
}

fn survey(
    order: &Order<'_>,
    note: &SignedCheckpoint,
    disclosed: &[(KeyId, Key)],
    step: &mut dyn FnMut(),
) -> Result<Survey, BundleError> {
    let mut keys = Keys::default();
    for (id, key) in disclosed {
        keys.add(*id, key.clone());
    }
    let (mut hasher, mut size_bytes) = (Sha256::new(), 0);
    let mut written = Written { entries: 0, withheld: 0, keys: count(disclosed.len()) };
    each_line(order, note, &mut |line, bytes| {
        let position = line.position;
        keys.try_on(line).map_err(|fault| match fault {
            KeyFault::NotJson => BundleError::NotJson(position),
            KeyFault::DoesNotOpen(key) => BundleError::WrongKey { key, position },
        })?;
        written.entries += 1;
        written.withheld += u64::from(matches!(line.data, Data::Withheld(_)));
        hasher.update(bytes);
        size_bytes += count(bytes.len());
        step();
        Ok(())
    })?;
    if let Some(idle) = keys.idle() {
        return Err(BundleError::IdleKey(idle));
    }
    if written.withheld > 0 && order.withheld.is_empty() {
        return Err(BundleError::Unexplained);
    }
    if size_bytes > BUNDLE_BYTES_MAX {
        return Err(BundleError::TooLarge { what: "the entries", limit: BUNDLE_BYTES_MAX });
    }
    let sha256 = hex::encode(hasher.finalize());
    Ok(Survey { written, entries: Member { name: ENTRIES_NAME.to_owned(), size_bytes, sha256 } })
}

/// What is done with each line and its bytes.
type Take<'a> = dyn FnMut(&Line, &[u8]) -> Result<(), BundleError> + 'a;

/// Every entry as a line with its newline, proved.
fn each_line(
    order: &Order<'_>,
    note: &SignedCheckpoint,
    take: &mut Take<'_>,
) -> Result<(), BundleError> {
    let (size, root) = (note.checkpoint().size, &note.checkpoint().root);
    if count(order.positions.len()) > ENTRIES_MAX {
        return Err(BundleError::TooLarge { what: "the entries", limit: ENTRIES_MAX });
    }
    let mut rest = order.positions.as_slice();
    let mut last = 0;
    while let Some(first) = rest.first() {
        let run = rest.iter().zip(*first..).take(BATCH_MAX);
        let run = run.take_while(|(position, wanted)| *position == wanted).count();
        let before = first.checked_sub(1).ok_or(BundleError::Position(*first))?;
        let entries = order.journal.entries(before, run)?;
        if entries.is_empty() {
            return Err(BundleError::Missing(*first));
        }
        for (entry, wanted) in entries.iter().zip(rest) {
            if *wanted <= last || *wanted > order.about.as_of {
                return Err(BundleError::Position(*wanted));
            }
            last = *wanted;
            let line = line_of(order, entry, *wanted)?;
            line.verify(size, root)
                .map_err(|source| BundleError::Unproved { position: last, source })?;
            let mut bytes = line.to_bytes().map_err(io::Error::from)?;
            bytes.push(b'\n');
            if bytes.len() > LINE_BYTES_MAX {
                let limit = count(LINE_BYTES_MAX);
                return Err(BundleError::TooLarge { what: "an entry's line", limit });
            }
            take(&line, &bytes)?;
        }
        rest = rest.get(entries.len()..).unwrap_or_default();
    }
    Ok(())
}

fn line_of(order: &Order<'_>, entry: &Entry, position: u64) -> Result<Line, BundleError> {
    let recorded = &entry.recorded;
    if entry.position != position {
        return Err(BundleError::Missing(position));
    }
    if leaf_of(position, &recorded.stream, recorded.revision, &recorded.fact) != entry.leaf_hash {
        return Err(BundleError::Damaged(position));
    }
    let proof =
        (order.proof)(position - 1).map_err(|source| BundleError::NoProof { position, source })?;
    let full = (order.withhold)(entry) == Disclosure::Full;
    Line::of(entry, full, proof).ok_or(BundleError::NotJson(position))
}
