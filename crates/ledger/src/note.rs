//! Signed notes: a text, an empty line and one line per signature, readable by people and by programs.
//!
//! Source: C2SP signed-note; Go's `golang.org/x/mod/sumdb/note` reads and writes the same bytes.

mod key;
mod signature;
mod signer;

use std::borrow::Borrow;
use std::fmt;

use crate::text::{TEXT_BYTES_MAX, printable};

pub use key::{KeyError, VerifierKey};
pub(crate) use key::{NamedKey, valid_name};
pub use signature::NoteSignature;
pub(crate) use signer::NamedSecret;
pub use signer::SignerKey;

/// The most signatures a note may carry.
pub const SIGNATURES_MAX: usize = 100;

/// A text with the signatures under it. **Shape**: the text, an empty line, a line for each signature.
///
/// That it could be read says nothing about its truth: ask [`Self::verified_by`]. At most 1 MiB and
/// 100 signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Why a text is no signed note, or a note not signed as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The whole is larger than 1 MiB.
    #[error("a note has at most 1 MiB")]
    TooLong,
    /// The text is empty, lacks its last newline or has control characters.
    #[error("a note's text ends in a newline and has no control characters")]
    Text,
    /// There is no empty line between text and signatures.
    #[error("a note has an empty line between its text and its signatures")]
    NoSignatures,
    /// A note carries 1 to 100 signatures.
    #[error("a note carries 1 to 100 signatures")]
    SignatureCount,
    /// A line below the empty one is no signature.
    #[error("signature line {line} is malformed")]
    SignatureLine {
        /// Which signature, counted from 1.
        line: usize,
    },
    /// The key signed, but something else than this text.
    #[error("the signature of {name} is wrong")]
    Forged {
        /// The key's name.
        name: String,
    },
    /// None of the keys asked for has signed.
    #[error("none of the keys asked for has signed")]
    Unsigned,
}

impl SignedNote {
    /// A note out of its parts.
    pub fn new(text: &str, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || !text.chars().all(|c| c == '\n' || printable(c)) {
            return Err(NoteError::Text);
        }
        if !(1..=SIGNATURES_MAX).contains(&signatures.len()) {
            return Err(NoteError::SignatureCount);
        }
        let malformed = signatures.iter().position(|signature| !signature.is_well_formed());
        if let Some(index) = malformed {
            return Err(NoteError::SignatureLine { line: index + 1 });
        }
        let note = Self { text: text.to_owned(), signatures };
        if note.to_text().len() > TEXT_BYTES_MAX { Err(NoteError::TooLong) } else { Ok(note) }
    }

    /// Signs a text, which must end in a newline, with one or more keys.
    pub fn sign<K: Borrow<SignerKey>>(text: &str, keys: &[K]) -> Result<Self, NoteError> {
        Self::new(text, keys.iter().map(|key| key.borrow().sign(text)).collect())
    }

    /// Reads a note; signatures of whatever key are kept, none is checked.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > TEXT_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        // The text itself may have empty lines; the last one parts it from the signatures.
        let split = note.rfind("\n\n").ok_or(NoteError::NoSignatures)? + 1;
        let (text, rest) = note.split_at_checked(split).ok_or(NoteError::NoSignatures)?;
        let lines = rest.strip_prefix('\n').ok_or(NoteError::NoSignatures)?;
        Self::new(text, parse_signature_lines(lines)?)
    }

    /// What is signed, with its last newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures in their order, of known and unknown keys, unchecked.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The note as it is written, byte for byte what [`Self::parse`] read.
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Adds a signature made elsewhere, unless the note has it already. It is not checked.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if !self.signatures.contains(&signature) {
            let signatures = self.signatures.iter().cloned().chain([signature]).collect();
            *self = Self::new(&self.text, signatures)?;
        }
        Ok(())
    }

    /// Checks that this key has signed the text; its every signature must be good.
    pub fn verified_by(&self, key: &VerifierKey) -> Result<(), NoteError> {
        let mut signed = false;
        for signature in self.signatures.iter().filter(|signature| key.matches(signature)) {
            if !key.verify(self.text.as_bytes(), &signature.signature) {
                return Err(NoteError::Forged { name: key.name().to_owned() });
            }
            signed = true;
        }
        if signed { Ok(()) } else { Err(NoteError::Unsigned) }
    }

    /// The names of those keys that have signed the text: at least one, and no wrong signature by any of them.
    ///
    /// Signatures of other keys are ignored.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<String>, NoteError> {
        let mut names: Vec<String> = Vec::new();
        for key in keys {
            match self.verified_by(key) {
                Ok(()) if names.iter().any(|name| name == key.name()) => {}
                Ok(()) => names.push(key.name().to_owned()),
                Err(NoteError::Unsigned) => {}
                Err(wrong) => return Err(wrong),
            }
        }
        if names.is_empty() { Err(NoteError::Unsigned) } else { Ok(names) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.text, signature_lines(&self.signatures))
    }
}

impl std::str::FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        Self::parse(note)
    }
}

/// Signatures as lines, each with its newline.
pub fn signature_lines(signatures: &[NoteSignature]) -> String {
    signatures.iter().flat_map(|signature| [signature.to_string(), "\n".to_owned()]).collect()
}

/// Reads 1 to 100 signature lines, each with its newline.
pub fn parse_signature_lines(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    let count = lines.split_inclusive('\n').count();
    if !(1..=SIGNATURES_MAX).contains(&count) {
        return Err(NoteError::SignatureCount);
    }
    let numbered = lines.split_inclusive('\n').zip(1..);
    let read = numbered.map(|(with_newline, line)| {
        let signature = with_newline.strip_suffix('\n').and_then(NoteSignature::parse);
        signature.ok_or(NoteError::SignatureLine { line })
    });
    read.collect()
}
