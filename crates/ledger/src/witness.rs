//! Asking a witness to cosign a checkpoint: what is sent, what comes back, and when a witness agrees.
//!
//! Source: C2SP tlog-witness, `add-checkpoint`. Nothing here speaks HTTP; a server keeps the last checkpoint
//! of each log, asks [`consider`], stores its answer and only then cosigns it, one request at a time for a log.

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::hash::{Hash, empty_root};
use crate::note::VerifierKey;
use crate::proof::verify_consistency;
use crate::text::{TEXT_BYTES_MAX, decimal, encode, hash_lines, line};

pub use crate::note::{
    parse_signature_lines as parse_cosignature_lines, signature_lines as cosignature_lines,
};

/// The content type of the body that answers [`Refusal::Conflict`].
pub const CONFLICT_CONTENT_TYPE: &str = "text/x.tlog.size";

/// The most hashes a request may carry.
pub const PROOF_HASHES_MAX: usize = 63;

/// The request for a cosignature. **Shape**: `old <size>`, hashes in base64, an empty line, the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the log's last checkpoint that the witness cosigned, as far as the log knows; 0 for none.
    pub old_size: u64,
    /// That the new tree continues the old one.
    pub proof: Vec<Hash>,
    /// The new checkpoint, signed by the log.
    pub checkpoint: SignedCheckpoint,
}

/// Why a witness does not cosign, and the HTTP status that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read, or its old size is above the new one (400).
    #[error("the request is malformed")]
    BadRequest,
    /// No trusted key of the log has signed the checkpoint (403).
    #[error("the checkpoint is not signed by a trusted key of the log")]
    Forbidden,
    /// The witness does not know the log (404).
    #[error("this witness does not know the log")]
    NotFound,
    /// The witness last cosigned another size, or another root at this size (409).
    #[error("the last cosigned checkpoint has size {0}")]
    Conflict(u64),
    /// The proof does not hold (422).
    #[error("the consistency proof does not hold")]
    Unprocessable,
}

impl Refusal {
    /// The HTTP status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict(_) => 409,
            Self::Unprocessable => 422,
        }
    }
}

impl AddCheckpoint {
    /// Reads a request's body; anything else is [`Refusal::BadRequest`].
    pub fn parse(body: &str) -> Result<Self, Refusal> {
        Self::read(body).ok_or(Refusal::BadRequest)
    }

    fn read(body: &str) -> Option<Self> {
        if body.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (old, rest) = line(body)?;
        let old_size = decimal(old.strip_prefix("old ")?)?;
        let (proof, rest) = hash_lines(rest, PROOF_HASHES_MAX)?;
        Some(Self { old_size, proof, checkpoint: SignedCheckpoint::parse(rest).ok()? })
    }

    /// The request's body, byte for byte what [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for AddCheckpoint {
    type Err = Refusal;

    fn from_str(body: &str) -> Result<Self, Refusal> {
        Self::parse(body)
    }
}

/// The rule of a witness: the checkpoint to store and then to cosign, or why not.
///
/// `known` is the last checkpoint it cosigned of the request's origin; one of another log counts as not knowing
/// the log. `log_keys` are those it trusts for that origin; none means that it does not know the log.
pub fn consider(
    known: Option<&Checkpoint>,
    request: &AddCheckpoint,
    log_keys: &[VerifierKey],
) -> Result<Checkpoint, Refusal> {
    let new = request.checkpoint.checkpoint();
    if log_keys.is_empty() || known.is_some_and(|known| known.origin != new.origin) {
        return Err(Refusal::NotFound);
    }
    request.checkpoint.verify(log_keys).map_err(|_| Refusal::Forbidden)?;
    if request.old_size > new.size {
        return Err(Refusal::BadRequest);
    }
    let (known_size, known_root) =
        known.map_or_else(|| (0, empty_root()), |known| (known.size, known.root));
    let forked = known_size > 0 && known_size == new.size && known_root != new.root;
    if request.old_size != known_size || forked {
        return Err(Refusal::Conflict(known_size));
    }
    verify_consistency(known_size, &known_root, new.size, &new.root, &request.proof)
        .map_err(|_| Refusal::Unprocessable)?;
    Ok(new.clone())
}

/// The body that answers [`Refusal::Conflict`]: the size in decimal and a newline.
pub fn conflict_body(size: u64) -> String {
    format!("{size}\n")
}

/// Reads what [`conflict_body`] wrote.
pub fn parse_conflict_body(body: &str) -> Option<u64> {
    decimal(body.strip_suffix('\n')?)
}
