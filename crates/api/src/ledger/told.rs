//! What is told of the ledger, in JSON: hashes in hex, signed notes as they are.

use assay_ledger::{Hash, VerifierKey, WitnessVerifier};
use assay_notary::{Notary, NotaryState, Published};
use assay_store::journal::Entry;
use assay_views::Limit;
use assay_views::log_keys::LogKeyDoc;
use assay_views::page::LIMIT_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as B64;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::problem::Problem;

/// The keys of the ledger.
#[derive(Serialize, ToSchema)]
pub(crate) struct LedgerKeys {
    /// The log's name, the first line of its checkpoints.
    origin: String,
    /// The keys that sign now.
    signing: Vec<String>,
    /// The keys that signed earlier checkpoints and sign no more.
    retired: Vec<String>,
    /// The keys of the witnesses asked to cosign.
    witnesses: Vec<String>,
    /// What the log itself records of its keys: since when each signs, and why it stopped.
    #[schema(value_type = Vec<LogKeyDoc>)]
    recorded: Vec<Box<RawValue>>,
    /// Whether checkpoints are signed.
    state: SigningState,
}

/// Whether checkpoints are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SigningState {
    /// They are.
    Sound,
    /// The journal contradicts itself or what was signed: none is, until somebody has looked.
    Refusing,
}

impl SigningState {
    /// Of a notary.
    pub(crate) fn of(notary: &Notary) -> Self {
        match notary.state() {
            NotaryState::Sound => Self::Sound,
            NotaryState::Refusing { .. } => Self::Refusing,
        }
    }
}

/// How many recorded keys are told; there are not that many.
pub(crate) fn recorded_max() -> Result<Limit, Problem> {
    Ok(Limit::new(LIMIT_MAX)?)
}

impl LedgerKeys {
    pub(crate) fn of(notary: &Notary, recorded: Vec<Box<RawValue>>) -> Self {
        Self {
            origin: notary.origin().to_owned(),
            signing: notary.verifiers().iter().map(VerifierKey::to_text).collect(),
            retired: notary.retired().iter().map(VerifierKey::to_text).collect(),
            witnesses: notary.witnesses().iter().map(WitnessVerifier::to_text).collect(),
            recorded,
            state: SigningState::of(notary),
        }
    }
}

/// A signed checkpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub(crate) struct CheckpointDoc {
    /// How many entries it is over.
    size: u64,
    /// The root of the tree over them, hex.
    root: String,
    /// When it was signed, RFC 3339 in UTC.
    signed_at: String,
    /// The signed note, with the cosignatures received so far.
    note: String,
    /// Replies of time-stamping authorities (RFC 3161) over the SHA-256 of the note's text, base64.
    timestamps: Vec<String>,
}

impl CheckpointDoc {
    pub(crate) fn of(published: &Published) -> Result<Self, Problem> {
        let signed_at = Timestamp::from_microsecond(published.signed_at).map_err(Problem::fault)?;
        Ok(Self {
            size: published.checkpoint.size,
            root: hex::encode(published.checkpoint.root),
            signed_at: format!("{signed_at:.6}"),
            note: published.note.clone(),
            timestamps: published.timestamps.iter().map(|reply| B64.encode(reply)).collect(),
        })
    }
}

/// A part of the list of checkpoints.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckpointList {
    /// The checkpoints, the newest first.
    items: Vec<CheckpointDoc>,
    /// Give it as `cursor` for the next part; null at the end.
    next: Option<String>,
}

impl CheckpointList {
    /// Of one more than are told, where there are as many.
    pub(crate) fn of(found: &[Published], limit: usize) -> Result<Self, Problem> {
        let items: Vec<CheckpointDoc> =
            found.iter().take(limit).map(CheckpointDoc::of).collect::<Result<_, _>>()?;
        let more = found.len() > limit;
        let next = items.last().filter(|_| more).map(|last| last.size.to_string());
        Ok(Self { items, next })
    }
}

/// The proof that an entry is in the ledger.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntryProof {
    /// Its position.
    position: u64,
    /// Which leaf it is, counted from 0.
    index: u64,
    /// The hash of its record.
    leaf_hash: String,
    /// The hashes from the leaf's sibling up to the root, hex (RFC 6962, 2.1.1).
    hashes: Vec<String>,
    /// The checkpoint the proof leads to.
    checkpoint: CheckpointDoc,
}

impl EntryProof {
    pub(crate) fn of(
        entry: &Entry,
        hashes: &[Hash],
        published: &Published,
    ) -> Result<Self, Problem> {
        Ok(Self {
            position: entry.position,
            index: entry.position.saturating_sub(1),
            leaf_hash: hex::encode(entry.leaf_hash),
            hashes: hashes.iter().map(hex::encode).collect(),
            checkpoint: CheckpointDoc::of(published)?,
        })
    }
}

/// The proof that one tree continues another.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsistencyProof {
    /// The size of the older tree.
    from: u64,
    /// Its root, hex.
    from_root: String,
    /// The size of the newer tree.
    to: u64,
    /// Its root, hex.
    to_root: String,
    /// The hashes that lead from one to the other, hex (RFC 6962, 2.1.2).
    hashes: Vec<String>,
}

impl ConsistencyProof {
    pub(crate) fn of(
        (from, to): (u64, u64),
        (from_root, to_root): (Hash, Hash),
        hashes: &[Hash],
    ) -> Self {
        let (from_root, to_root) = (hex::encode(from_root), hex::encode(to_root));
        Self { from, from_root, to, to_root, hashes: hashes.iter().map(hex::encode).collect() }
    }
}
