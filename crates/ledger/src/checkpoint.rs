//! Checkpoints: how large a log is and what its root is, in three lines that the log signs.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use crate::hash::Hash;
use crate::note::{NoteError, NoteSignature, SignedNote, SignerKey, VerifierKey};
use crate::text::{TEXT_BYTES_MAX, decimal, decode_hash, encode, line, printable};

/// The state of a log. **Shape**: origin, size and root in base64, a line each; then extension lines, if any.
///
/// Source: C2SP tlog-checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name among all logs, for example `example.com/log42`.
    pub origin: String,
    /// How many leaves the log has.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// Further lines, signed with the rest, that mean nothing here. Our own checkpoints have none.
    pub extensions: Vec<String>,
}

/// Why a text is no checkpoint, or none to rely on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note, or not signed as asked.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text has not the form of a checkpoint.
    #[error("a checkpoint is origin, size and root, a line each, and no line is empty")]
    Shape,
    /// It is a checkpoint of another log.
    #[error("this is a checkpoint of {found}, not of {wanted}")]
    OtherLog {
        /// The origin asked for.
        wanted: String,
        /// The origin the checkpoint states.
        found: String,
    },
}

impl Checkpoint {
    /// A checkpoint without extension lines.
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Self {
        Self { origin: origin.into(), size, root, extensions: Vec::new() }
    }

    /// Reads the lines, the last newline included, without signatures.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        Self::read(text).ok_or(CheckpointError::Shape)
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (origin, rest) = line(text)?;
        let (size, rest) = line(rest)?;
        let (root, mut rest) = line(rest)?;
        let mut extensions = Vec::new();
        while !rest.is_empty() {
            let (extension, after) = line(rest)?;
            extensions.push(extension.to_owned());
            rest = after;
        }
        let sound = |line: &str| !line.is_empty() && line.chars().all(printable);
        if !sound(origin) || !extensions.iter().all(|extension| sound(extension)) {
            return None;
        }
        let (size, root) = (decimal(size)?, decode_hash(root)?);
        Some(Self { origin: origin.to_owned(), size, root, extensions })
    }

    /// The lines that are signed, byte for byte what [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Signs the checkpoint with one or more keys; the log's own should bear the origin as its name.
    ///
    /// A log signs only what continues all it has signed before: the caller's duty.
    pub fn sign<K: Borrow<SignerKey>>(
        &self,
        keys: &[K],
    ) -> Result<SignedCheckpoint, CheckpointError> {
        let text = self.to_text();
        // An origin of two lines would be signed as something else.
        if Self::parse(&text)? != *self {
            return Err(CheckpointError::Shape);
        }
        Ok(SignedCheckpoint { checkpoint: self.clone(), note: SignedNote::sign(&text, keys)? })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, encode(self.root))?;
        self.extensions.iter().try_for_each(|extension| writeln!(f, "{extension}"))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        Self::parse(text)
    }
}

/// A checkpoint with the signatures under it, unchecked until asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: SignedNote,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint; no signature is checked.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let note = SignedNote::parse(text)?;
        Ok(Self { checkpoint: Checkpoint::parse(note.text())?, note })
    }

    /// What is signed.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with the signatures of the log and of its witnesses.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The whole as it is written, byte for byte what [`Self::parse`] read.
    pub fn to_text(&self) -> String {
        self.note.to_text()
    }

    /// Adds a signature made elsewhere, unless it is there already. It is not checked.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), CheckpointError> {
        Ok(self.note.add(signature)?)
    }

    /// The names of those log keys that have signed: at least one, and no wrong signature by any of them.
    ///
    /// Of which log the checkpoint is remains to be compared: see [`Self::verify_for`].
    pub fn verify(&self, log_keys: &[VerifierKey]) -> Result<Vec<String>, CheckpointError> {
        Ok(self.note.verify(log_keys)?)
    }

    /// As [`Self::verify`], and that it is a checkpoint of the log of this origin.
    pub fn verify_for(
        &self,
        origin: &str,
        log_keys: &[VerifierKey],
    ) -> Result<Vec<String>, CheckpointError> {
        if self.checkpoint.origin != origin {
            let (wanted, found) = (origin.to_owned(), self.checkpoint.origin.clone());
            return Err(CheckpointError::OtherLog { wanted, found });
        }
        self.verify(log_keys)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        Self::parse(text)
    }
}
