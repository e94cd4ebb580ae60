//! Cosignatures: a witness states that at some second this was the largest tree of the log it knew.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::note::{KeyError, NamedKey, NamedSecret, NoteSignature};

/// The kind of key that cosigns checkpoints (C2SP signed-note, signature types).
const COSIGNATURE_V1: u8 = 0x04;

/// A witness's public key. **Shape**: `name+hash+base64`, as of a note's key but of kind 4.
///
/// What it signs does not hold its name: two names with one key are one witness.
/// Source: C2SP tlog-cosignature, Ed25519.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessVerifier(NamedKey);

/// A witness's private key, wiped from memory when dropped.
pub struct WitnessSigner {
    secret: NamedSecret,
    verifier: WitnessVerifier,
}

/// Why a cosignature is not there, not good or not to be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The witness has not cosigned.
    #[error("{name} has not cosigned")]
    Unsigned {
        /// The witness's name.
        name: String,
    },
    /// The witness cosigned, but something else than this checkpoint at this time.
    #[error("the cosignature of {name} is wrong")]
    Forged {
        /// The witness's name.
        name: String,
    },
    /// A time in seconds lies below 2^63.
    #[error("{seconds} is no time a witness can state")]
    Time {
        /// Seconds since 1970.
        seconds: u64,
    },
    /// The checkpoint takes no further signature.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl WitnessVerifier {
    /// The key of these 32 bytes under this name.
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, KeyError> {
        NamedKey::new(name, COSIGNATURE_V1, public).map(Self)
    }

    /// Reads the text of a key.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        NamedKey::parse(text, COSIGNATURE_V1).map(Self)
    }

    /// The text of the key, byte for byte what [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        self.0.to_string()
    }

    /// The witness's name.
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

    /// When the witness cosigned the checkpoint, in seconds since 1970; the latest time if it did repeatedly.
    ///
    /// Its every cosignature must be good.
    pub fn verify(&self, checkpoint: &SignedCheckpoint) -> Result<u64, CosignatureError> {
        let mut latest = None;
        for signature in checkpoint.note().signatures().iter().filter(|s| self.0.matches(s)) {
            latest = latest.max(Some(self.verify_signature(checkpoint, signature)?));
        }
        latest.ok_or_else(|| CosignatureError::Unsigned { name: self.name().to_owned() })
    }

    /// When the witness made this cosignature of the checkpoint, in seconds since 1970.
    pub fn verify_signature(
        &self,
        checkpoint: &SignedCheckpoint,
        signature: &NoteSignature,
    ) -> Result<u64, CosignatureError> {
        if !self.0.matches(signature) {
            return Err(CosignatureError::Unsigned { name: self.name().to_owned() });
        }
        let forged = || CosignatureError::Forged { name: self.name().to_owned() };
        let (seconds, ed25519) = split(&signature.signature).ok_or_else(forged)?;
        let message = message(checkpoint, seconds)?;
        if self.0.verify(message.as_bytes(), ed25519) { Ok(seconds) } else { Err(forged()) }
    }
}

impl WitnessSigner {
    /// The key of this seed (RFC 8032: 32 secret bytes) under this name. No other witness may share the seed.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        NamedSecret::new(name, COSIGNATURE_V1, seed).map(Self::from_named)
    }

    /// Reads the text of a private key. **Shape**: `PRIVATE+KEY+name+hash+base64`.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        NamedSecret::parse(text, COSIGNATURE_V1).map(Self::from_named)
    }

    /// The text of the private key: whoever reads it can cosign.
    pub fn to_private_text(&self) -> Zeroizing<String> {
        self.secret.to_private_text()
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The public half.
    pub const fn verifier(&self) -> &WitnessVerifier {
        &self.verifier
    }

    /// Cosigns a checkpoint, which the caller has found to continue all it has cosigned of that log.
    pub fn cosign(
        &self,
        checkpoint: &SignedCheckpoint,
        seconds: u64,
    ) -> Result<NoteSignature, CosignatureError> {
        let ed25519 = self.secret.sign(message(checkpoint, seconds)?.as_bytes());
        Ok(self.secret.signature([seconds.to_be_bytes().as_slice(), &ed25519].concat()))
    }

    fn from_named(secret: NamedSecret) -> Self {
        let verifier = WitnessVerifier(secret.public.clone());
        Self { secret, verifier }
    }
}

/// Takes over the cosignatures these witnesses made: their names and times in seconds since 1970.
///
/// Lines of unknown keys are ignored; a wrong one of a known witness is an error, and nothing is taken over.
pub fn take_cosignatures(
    checkpoint: &mut SignedCheckpoint,
    offered: &[NoteSignature],
    witnesses: &[WitnessVerifier],
) -> Result<Vec<(String, u64)>, CosignatureError> {
    let mut cosigned = checkpoint.clone();
    let mut taken = Vec::new();
    for signature in offered {
        for witness in witnesses.iter().filter(|witness| witness.0.matches(signature)) {
            let seconds = witness.verify_signature(checkpoint, signature)?;
            cosigned.add(signature.clone())?;
            taken.push((witness.name().to_owned(), seconds));
        }
    }
    *checkpoint = cosigned;
    Ok(taken)
}

/// What is signed: a line that keeps it apart from all else, the time, the checkpoint's own lines.
fn message(checkpoint: &SignedCheckpoint, seconds: u64) -> Result<String, CosignatureError> {
    if i64::try_from(seconds).is_err() {
        return Err(CosignatureError::Time { seconds });
    }
    Ok(format!("cosignature/v1\ntime {seconds}\n{}", checkpoint.note().text()))
}

fn split(signature: &[u8]) -> Option<(u64, &[u8; 64])> {
    let (seconds, ed25519) = signature.split_first_chunk()?;
    Some((u64::from_be_bytes(*seconds), ed25519.try_into().ok()?))
}

impl fmt::Display for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessVerifier({self})")
    }
}

impl FromStr for WitnessVerifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl fmt::Debug for WitnessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessSigner({}, private part not shown)", self.verifier)
    }
}
