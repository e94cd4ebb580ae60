//! A proof to keep beside a record: one small text that shows, without asking anybody, that it was logged and witnessed.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::cosignature::{CosignatureError, WitnessVerifier};
use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::proof::{ProofError, verify_inclusion};
use crate::text::{TEXT_BYTES_MAX, decimal, decode, encode, hash_lines, line};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// No leaf lies deeper than this in a tree of 64-bit size.
const HASHES_MAX: usize = 64;

/// A leaf's place, its proof and the checkpoint it leads to. **Shape**: a text of lines, kept as `.tlog-proof`.
///
/// Source: C2SP tlog-proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Anything the application adds, for example how to come by the record; nobody signs it. Mostly empty;
    /// the whole text has at most 1 MiB.
    pub extra: Vec<u8>,
    /// Which leaf, counted from 0.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The checkpoint, with the signatures of the log and of its witnesses.
    pub checkpoint: SignedCheckpoint,
}

/// Whom the reader trusts.
#[derive(Clone, Copy, Debug)]
pub struct ProofPolicy<'a> {
    /// The log's origin.
    pub origin: &'a str,
    /// The log's keys, of which at least one must have signed.
    pub log_keys: &'a [VerifierKey],
    /// The witnesses.
    pub witnesses: &'a [WitnessVerifier],
    /// How many witnesses, by different keys, must have cosigned; 0 for none.
    pub witnesses_min: usize,
}

/// Who vouches for a proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The names of the log's keys that signed.
    pub log_keys: Vec<String>,
    /// The witnesses' names and when they cosigned, in seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
}

/// Why a text is no proof, or proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// The text has not the form of a proof.
    #[error("this is no `c2sp.org/tlog-proof@v1`")]
    Shape,
    /// The checkpoint is none, or not signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The record is not in the checkpoint's tree.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// A witness's cosignature is wrong.
    #[error(transparent)]
    Cosignature(#[from] CosignatureError),
    /// Too few of the trusted witnesses have cosigned.
    #[error("{found} of the trusted witnesses have cosigned, {wanted} are needed")]
    Witnesses {
        /// How many are needed.
        wanted: usize,
        /// How many have, by different keys.
        found: usize,
    },
}

impl TlogProof {
    /// Reads a proof; nothing in it is checked.
    pub fn parse(text: &str) -> Result<Self, TlogProofError> {
        let (extra, index, hashes, rest) = read_head(text).ok_or(TlogProofError::Shape)?;
        Ok(Self { extra, index, hashes, checkpoint: SignedCheckpoint::parse(rest)? })
    }

    /// The proof as it is written, byte for byte what [`Self::parse`] read.
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Checks that the record of this leaf hash is in the log and that whom the reader trusts vouches for it.
    pub fn verify(&self, leaf: &Hash, policy: &ProofPolicy<'_>) -> Result<Vouched, TlogProofError> {
        let log_keys = self.checkpoint.verify_for(policy.origin, policy.log_keys)?;
        let head = self.checkpoint.checkpoint();
        verify_inclusion(leaf, self.index, head.size, &self.hashes, &head.root)?;
        let mut seen = BTreeSet::new();
        let mut witnesses = Vec::new();
        for witness in policy.witnesses {
            match witness.verify(&self.checkpoint) {
                Ok(seconds) if seen.insert(witness.public_key()) => {
                    witnesses.push((witness.name().to_owned(), seconds));
                }
                Ok(_) | Err(CosignatureError::Unsigned { .. }) => {}
                Err(wrong) => return Err(wrong.into()),
            }
        }
        let (wanted, found) = (policy.witnesses_min, witnesses.len());
        if found < wanted {
            return Err(TlogProofError::Witnesses { wanted, found });
        }
        Ok(Vouched { log_keys, witnesses })
    }
}

/// All before the checkpoint, and the text of the checkpoint.
fn read_head(text: &str) -> Option<(Vec<u8>, u64, Vec<Hash>, &str)> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let (header, rest) = line(text)?;
    let (mut next, mut rest) = line(rest)?;
    let mut extra = Vec::new();
    if let Some(base64) = next.strip_prefix("extra ") {
        extra = decode(base64).filter(|extra| !extra.is_empty())?;
        (next, rest) = line(rest)?;
    }
    let index = decimal(next.strip_prefix("index ")?)?;
    let (hashes, rest) = hash_lines(rest, HASHES_MAX)?;
    (header == HEADER).then_some((extra, index, hashes, rest))
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(f, "extra {}", encode(&self.extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{}", encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, TlogProofError> {
        Self::parse(text)
    }
}
