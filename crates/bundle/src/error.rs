//! Why a bundle cannot be made, read or asked about: what does not hold is no error but a line of the report.

use assay_ledger::{CheckpointError, ProofError};
use assay_store::log::LogError;
use assay_store::vault::KeyId;
use assay_timestamp::TimestampError;

use crate::report::Report;
use crate::write::Failure;

/// Why a bundle could not be made or read, or was asked about wrongly.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file could not be read or written.
    #[error("the file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// The file could not be packed.
    #[error("the file cannot be packed: {0}")]
    Pack(String),
    /// The verifier was asked without a key of the log: nothing can be believed then.
    #[error("a key of the log is needed: the one in the file proves nothing")]
    NoKey,
    /// More witnesses are asked for than are named.
    #[error("{needed} witnesses are asked for, {named} are named")]
    TooFewWitnesses {
        /// How many must have cosigned.
        needed: usize,
        /// How many different keys were given.
        named: usize,
    },
    /// The bundle does not hold; the report says why. Nothing of it is to be used.
    #[error("the bundle does not hold")]
    DoesNotHold(Box<Report>),
    /// The bundle changed after it was verified.
    #[error("the file changed after it was verified, at position {position:?}")]
    Changed {
        /// At which entry, where that is known.
        position: Option<u64>,
    },
    /// The journal could not be read.
    #[error("the journal cannot be read")]
    Journal(#[from] LogError),
    /// Positions are counted from 1 and ascend.
    #[error("position {0} is out of order, or beyond the checkpoint or the moment asked for")]
    Position(u64),
    /// The journal has no such entry.
    #[error("the journal has no entry {0}")]
    Missing(u64),
    /// The journal's entry is not what its leaf commits to.
    #[error("the journal's entry {0} is damaged")]
    Damaged(u64),
    /// No proof could be had.
    #[error("there is no proof of entry {position}")]
    NoProof {
        /// Of which entry.
        position: u64,
        /// Why.
        source: Failure,
    },
    /// The proof does not lead to the checkpoint.
    #[error("the proof of entry {position} does not hold")]
    Unproved {
        /// Of which entry.
        position: u64,
        /// Why.
        source: ProofError,
    },
    /// An entry's data is not JSON text.
    #[error("the data of entry {0} is no JSON text")]
    NotJson(u64),
    /// The checkpoint is none, or not signed by every key that is named.
    #[error("the checkpoint cannot be given away")]
    Checkpoint(#[from] CheckpointError),
    /// The log's keys bear its origin as their name.
    #[error("no key of the log is named {0}, as its checkpoint is")]
    Origin(String),
    /// A timestamp is not over this checkpoint, or is broken.
    #[error("timestamp {number} is none of this checkpoint")]
    Timestamp {
        /// Which, counted from 1.
        number: usize,
        /// Why.
        source: TimestampError,
    },
    /// A key would be disclosed that opens nothing in the file.
    #[error("key {0} opens nothing in this file and stays undisclosed")]
    IdleKey(KeyId),
    /// A key does not open what names it.
    #[error("key {key} does not open a value of entry {position}")]
    WrongKey {
        /// Which key.
        key: KeyId,
        /// In which entry.
        position: u64,
    },
    /// A key is there twice.
    #[error("key {0} is there twice")]
    RepeatedKey(KeyId),
    /// Something is withheld and nobody says why.
    #[error("something is withheld, and no reason is given")]
    Unexplained,
    /// The consistency proof is not one from an older size to this one.
    #[error("the consistency proof does not fit the checkpoint")]
    Consistency,
    /// Something is over its limit; see [`crate::limits`].
    #[error("{what} is over its limit of {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// The limit, in the unit of what is limited.
        limit: u64,
    },
}
