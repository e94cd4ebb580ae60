//! The private keys that sign notes: wiped from memory when dropped, never shown by accident.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::note::key::{KeyParts, key_bytes};
use crate::note::{KeyError, NamedKey, NoteSignature, VerifierKey};
use crate::text::{decode, encode};

/// What stands before the text of every private key.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A private key that signs notes, under a name.
pub struct SignerKey {
    secret: NamedSecret,
    verifier: VerifierKey,
}

impl SignerKey {
    /// The key of this seed (RFC 8032: 32 secret bytes) under this name.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        NamedSecret::new(name, 0x01, seed).map(Self::from_named)
    }

    /// Reads the text of a private key. **Shape**: `PRIVATE+KEY+name+hash+base64`, as Go's tools print it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        NamedSecret::parse(text, 0x01).map(Self::from_named)
    }

    /// The text of the private key: whoever reads it can sign.
    pub fn to_private_text(&self) -> Zeroizing<String> {
        self.secret.to_private_text()
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The public half.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature of a note's text, which the caller has checked to be one.
    pub(super) fn sign(&self, text: &str) -> NoteSignature {
        self.secret.signature(self.secret.sign(text.as_bytes()).to_vec())
    }

    fn from_named(secret: NamedSecret) -> Self {
        let verifier = VerifierKey::from_named(secret.public.clone());
        Self { secret, verifier }
    }
}

impl fmt::Debug for SignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignerKey({}, private part not shown)", self.verifier)
    }
}

/// A private key of either kind with its name.
pub(crate) struct NamedSecret {
    pub(crate) public: NamedKey,
    secret: SigningKey,
}

impl NamedSecret {
    pub(crate) fn new(name: &str, kind: u8, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SigningKey::from_bytes(seed);
        let public = NamedKey::new(name, kind, secret.verifying_key().as_bytes())?;
        Ok(Self { public, secret })
    }

    pub(crate) fn parse(text: &str, kind: u8) -> Result<Self, KeyError> {
        let parts = KeyParts::split(text.strip_prefix(PRIVATE).ok_or(KeyError::Shape)?)?;
        let bytes = Zeroizing::new(decode(parts.base64).ok_or(KeyError::Shape)?);
        let key = Self::new(parts.name, kind, key_bytes(&bytes, kind)?)?;
        if key.public.id == parts.id { Ok(key) } else { Err(KeyError::Hash) }
    }

    pub(crate) fn to_private_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([self.public.kind(); 33]);
        if let Some((_, seed)) = bytes.split_first_mut() {
            seed.copy_from_slice(self.secret.as_bytes());
        }
        let base64 = Zeroizing::new(encode(bytes.as_slice()));
        let parts = [PRIVATE, &self.public.name, "+", &format!("{:08x}", self.public.id), "+"];
        // Exactly as large as needed: growing would leave a copy behind.
        let length = parts.iter().map(|part| part.len()).sum::<usize>() + base64.len();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for part in parts.into_iter().chain([base64.as_str()]) {
            text.push_str(part);
        }
        text
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    /// The line that carries a signature of this key.
    pub(crate) fn signature(&self, signature: Vec<u8>) -> NoteSignature {
        NoteSignature { name: self.public.name.clone(), key_id: self.public.id, signature }
    }
}
