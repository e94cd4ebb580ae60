//! A line of `entries.ndjson`: an entry of the log with all that its leaf commits to, and the proof of it.

use assay_ledger::{Hash, ProofError, leaf_hash, verify_inclusion};
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::journal::Entry;
use assay_store::leaf::leaf_record;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::limits::{NAME_BYTES_MAX, PROOF_HASHES_MAX};
use crate::text::{base64, hash_of, hex_of};

/// What an entry says, or the digest of it where it is withheld.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// The stored JSON text, byte for byte.
    Full(String),
    /// The SHA-256 of it.
    Withheld(Hash),
}

/// An entry and its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its place in the log, from 1.
    pub position: u64,
    /// The stream it stands in.
    pub stream: String,
    /// Its place in the stream, from 0.
    pub revision: u64,
    /// The fact's id.
    pub id: Uuid,
    /// The fact's wire name.
    pub name: String,
    /// Who, when and why.
    pub envelope: Envelope,
    /// What it says.
    pub data: Data,
    /// The hashes from the leaf's sibling up to the root's child.
    pub proof: Vec<Hash>,
}

/// The line as JSON: all fields always there and in this order, no white space.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    position: u64,
    stream: String,
    revision: u64,
    fact: Uuid,
    name: String,
    recorded_at: i64,
    actor: Uuid,
    actor_kind: ActorKind,
    on_behalf_of: Option<Uuid>,
    session: Option<Uuid>,
    command: Uuid,
    causation: Option<Uuid>,
    correlation: Uuid,
    case: Option<Uuid>,
    request_mac: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data_sha256: Option<String>,
    proof: Vec<String>,
}

impl Line {
    /// An entry of the journal as it goes into a bundle; none where its data is no text.
    pub(crate) fn of(entry: &Entry, full: bool, proof: Vec<Hash>) -> Option<Self> {
        let recorded = &entry.recorded;
        let fact = &recorded.fact;
        let data = if full {
            Data::Full(String::from_utf8(fact.data.to_vec()).ok()?)
        } else {
            Data::Withheld(Sha256::digest(&fact.data).into())
        };
        Some(Self {
            position: entry.position,
            stream: recorded.stream.clone(),
            revision: recorded.revision,
            id: fact.id,
            name: fact.name.clone(),
            envelope: fact.envelope.clone(),
            data,
            proof,
        })
    }

    /// Reads a line without its newline; there is one spelling only.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(line).ok()?;
        let read = Self::from_wire(wire)?;
        (read.to_bytes().ok()? == line).then_some(read)
    }

    /// The line, byte for byte what [`Self::parse`] reads.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.to_wire())
    }

    /// The record that is the leaf of this entry (see [`assay_store::leaf`]).
    pub fn record(&self) -> Vec<u8> {
        let mut record = leaf_record(self.position, &self.stream, self.revision, &self.fact());
        if let Data::Withheld(digest) = self.data {
            // The record ends with the digest of the data, whoever made it.
            record.truncate(record.len().saturating_sub(digest.len()));
            record.extend_from_slice(&digest);
        }
        record
    }

    /// The leaf of this entry.
    pub fn leaf(&self) -> Hash {
        leaf_hash(&self.record())
    }

    /// Whether the entry stands at its place in the tree of this size and root; every hash of the proof is used.
    pub fn verify(&self, size: u64, root: &Hash) -> Result<(), ProofError> {
        let no_leaf = ProofError::NoSuchLeaf { index: 0, size };
        let index = self.position.checked_sub(1).ok_or(no_leaf)?;
        verify_inclusion(&self.leaf(), index, size, &self.proof, root)
    }

    /// The fact as it was appended; without its data where that is withheld.
    pub fn fact(&self) -> NewFact {
        let data = match &self.data {
            Data::Full(text) => text.clone().into(),
            Data::Withheld(_) => Bytes::new(),
        };
        NewFact { id: self.id, name: self.name.clone(), envelope: self.envelope.clone(), data }
    }

    fn to_wire(&self) -> Wire {
        let e = &self.envelope;
        let (data, data_sha256) = match &self.data {
            Data::Full(text) => (Some(text.clone()), None),
            Data::Withheld(digest) => (None, Some(hex::encode(digest))),
        };
        Wire {
            position: self.position,
            stream: self.stream.clone(),
            revision: self.revision,
            fact: self.id,
            name: self.name.clone(),
            recorded_at: e.recorded_at,
            actor: e.actor,
            actor_kind: e.actor_kind,
            on_behalf_of: e.on_behalf_of,
            session: e.session,
            command: e.command,
            causation: e.causation,
            correlation: e.correlation,
            case: e.case,
            request_mac: e.request_mac.map(hex::encode),
            data,
            data_sha256,
            proof: self.proof.iter().map(|hash| base64(hash)).collect(),
        }
    }

    fn from_wire(wire: Wire) -> Option<Self> {
        let request_mac = match &wire.request_mac {
            None => None,
            Some(text) => Some(hex_of(text)?),
        };
        let data = match (wire.data, wire.data_sha256) {
            (Some(text), None) => Data::Full(text),
            (None, Some(digest)) => Data::Withheld(hex_of(&digest)?),
            _ => return None,
        };
        let named = |name: &str| (1..=NAME_BYTES_MAX).contains(&name.len());
        let small = wire.proof.len() <= PROOF_HASHES_MAX;
        if !(named(&wire.stream) && named(&wire.name) && small) {
            return None;
        }
        Some(Self {
            position: wire.position,
            stream: wire.stream,
            revision: wire.revision,
            id: wire.fact,
            name: wire.name,
            envelope: Envelope {
                recorded_at: wire.recorded_at,
                actor: wire.actor,
                actor_kind: wire.actor_kind,
                on_behalf_of: wire.on_behalf_of,
                session: wire.session,
                command: wire.command,
                causation: wire.causation,
                correlation: wire.correlation,
                case: wire.case,
                request_mac,
            },
            data,
            proof: wire.proof.iter().map(|hash| hash_of(hash)).collect::<Option<_>>()?,
        })
    }
}
