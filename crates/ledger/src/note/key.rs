//! The public keys that check notes, and the text they are handed round in.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::note::NoteSignature;
use crate::text::{decode, encode, printable};

/// Why a text or some bytes are no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key's name is not empty and has neither spaces, nor control characters, nor `+`.
    #[error("a key's name is not empty and has no spaces and no `+`")]
    Name,
    /// The text has not the form of a key.
    #[error("a key is written as name, `+`, eight hex digits, `+`, base64")]
    Shape,
    /// The key is of another kind than asked for.
    #[error("the key is of kind {found}, not {wanted}")]
    Kind {
        /// The kind asked for: 1 signs notes, 4 cosigns checkpoints.
        wanted: u8,
        /// The kind the text states.
        found: u8,
    },
    /// The eight hex digits are not those of this name and key.
    #[error("the key's hash does not fit its name and bytes")]
    Hash,
    /// The 32 bytes are no sound Ed25519 key.
    #[error("these bytes are no sound Ed25519 key")]
    Bytes,
}

/// The kind of key that signs notes (C2SP signed-note, signature types).
const ED25519: u8 = 0x01;

/// A public key that checks notes. **Shape**: `name+hash+base64`, as the C2SP and Go tools print it.
///
/// Source: C2SP signed-note, verifier keys; Ed25519 (RFC 8032).
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey(NamedKey);

impl VerifierKey {
    /// The key of these 32 bytes under this name.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        NamedKey::new(name, ED25519, public).map(Self)
    }

    /// Reads the text of a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        NamedKey::parse(text, ED25519).map(Self)
    }

    /// The text of the key, byte for byte what [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The first four bytes of the hash of name and key, big-endian.
    pub const fn key_id(&self) -> u32 {
        self.0.id
    }

    /// The key itself, as in RFC 8032.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.key.to_bytes()
    }

    /// Whether the signature states to be by this key.
    pub fn matches(&self, signature: &NoteSignature) -> bool {
        self.0.matches(signature)
    }

    /// Whether the 64 bytes are this key's signature of the message.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.try_into().is_ok_and(|signature| self.0.verify(message, signature))
    }

    pub(super) const fn from_named(key: NamedKey) -> Self {
        Self(key)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

/// A public key of either kind with its name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct NamedKey {
    pub(crate) name: String,
    kind: u8,
    pub(crate) id: u32,
    pub(crate) key: VerifyingKey,
}

impl NamedKey {
    pub(crate) fn new(name: &str, kind: u8, public: &[u8; 32]) -> Result<Self, KeyError> {
        if !valid_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Bytes)?;
        // A weak key lets one signature pass for many texts; a point spelled in two ways has two hashes.
        if key.is_weak() || key.to_edwards().compress().to_bytes() != *public {
            return Err(KeyError::Bytes);
        }
        Ok(Self { name: name.to_owned(), kind, id: key_id(name, kind, public), key })
    }

    pub(crate) fn parse(text: &str, kind: u8) -> Result<Self, KeyError> {
        let parts = KeyParts::split(text)?;
        let bytes = decode(parts.base64).ok_or(KeyError::Shape)?;
        let key = Self::new(parts.name, kind, key_bytes(&bytes, kind)?)?;
        if key.id == parts.id { Ok(key) } else { Err(KeyError::Hash) }
    }

    pub(crate) fn matches(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name && self.id == signature.key_id
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }

    pub(super) const fn kind(&self) -> u8 {
        self.kind
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[self.kind], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, encode(bytes))
    }
}

/// The three parts every text of a key has, public or private.
pub(super) struct KeyParts<'a> {
    pub(super) name: &'a str,
    pub(super) id: u32,
    pub(super) base64: &'a str,
}

impl<'a> KeyParts<'a> {
    pub(super) fn split(text: &'a str) -> Result<Self, KeyError> {
        let (name, rest) = text.split_once('+').ok_or(KeyError::Shape)?;
        let (hex, base64) = rest.split_once('+').ok_or(KeyError::Shape)?;
        let id = u32::from_str_radix(hex, 16).map_err(|_| KeyError::Shape)?;
        if format!("{id:08x}") == hex {
            Ok(Self { name, id, base64 })
        } else {
            Err(KeyError::Shape)
        }
    }
}

/// The 32 bytes behind the one that states the kind.
pub(super) fn key_bytes(bytes: &[u8], wanted: u8) -> Result<&[u8; 32], KeyError> {
    let (found, key) = bytes.split_first().ok_or(KeyError::Shape)?;
    if *found != wanted {
        return Err(KeyError::Kind { wanted, found: *found });
    }
    key.try_into().map_err(|_| KeyError::Bytes)
}

/// Whether this can name a key.
pub(crate) fn valid_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| printable(c) && !c.is_whitespace() && c != '+')
}

fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> u32 {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(public);
    let [a, b, c, d, ..]: [u8; 32] = hash.finalize().into();
    u32::from_be_bytes([a, b, c, d])
}
