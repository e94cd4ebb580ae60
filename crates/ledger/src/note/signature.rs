//! One line under a note: who signed, and the signature.

use std::fmt;

use crate::note::valid_name;
use crate::text::{decode, encode};

/// A signature, of a known key or not. **Shape**: `— <name> <base64 of key id and signature>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The first four bytes of a hash of the key, big-endian; with the name it picks the key, no more.
    pub key_id: u32,
    /// What the key made of the text; its form depends on the kind of key.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads one line without its newline.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = decode(base64)?;
        let (key_id, signature) = bytes.split_first_chunk()?;
        let key_id = u32::from_be_bytes(*key_id);
        let read = Self { name: name.to_owned(), key_id, signature: signature.to_vec() };
        read.is_well_formed().then_some(read)
    }

    pub(super) fn is_well_formed(&self) -> bool {
        valid_name(&self.name) && !self.signature.is_empty()
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&self.key_id.to_be_bytes(), self.signature.as_slice()].concat();
        write!(f, "— {} {}", self.name, encode(bytes))
    }
}
