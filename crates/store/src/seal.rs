//! Sealing: personal data in a fact is encrypted under its subject's key, bound to its stream.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;

use crate::vault::{Key, KeyId};

/// The first part of every sealed field; another cipher gets another word.
const SCHEME: &str = "xc1";

/// A sealed field could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed field does not open: {0}")]
pub struct SealError(pub &'static str);

/// Seals bytes under a key: `xc1.<key id>.<nonce>.<ciphertext>`, base64url without padding.
///
/// XChaCha20-Poly1305 with a random nonce of 192 bits; the stream's name is authenticated with it,
/// so that a sealed field moved to another stream does not open.
pub fn seal(key_id: KeyId, key: &Key, stream: &str, plain: &[u8]) -> Result<String, SealError> {
    let nonce: [u8; 24] = rand::random();
    let cipher = XChaCha20Poly1305::new((&key.0).into());
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: stream.as_bytes() })
        .map_err(|_| SealError("the cipher refused"))?;
    Ok(format!(
        "{SCHEME}.{}.{}.{}",
        B64.encode(key_id.as_bytes()),
        B64.encode(nonce),
        B64.encode(sealed)
    ))
}

/// The key a sealed field names.
pub fn key_of(sealed: &str) -> Result<KeyId, SealError> {
    let mut parts = sealed.split('.');
    if parts.next() != Some(SCHEME) {
        return Err(SealError("an unknown scheme"));
    }
    let id = parts.next().and_then(|part| B64.decode(part).ok());
    id.and_then(|bytes| Uuid::from_slice(&bytes).ok()).ok_or(SealError("no key id"))
}

/// Opens a sealed field of a stream.
pub fn open(key: &Key, stream: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
    let mut parts = sealed.split('.').skip(2);
    let nonce = parts.next().and_then(|part| B64.decode(part).ok());
    let nonce: [u8; 24] =
        nonce.and_then(|bytes| bytes.try_into().ok()).ok_or(SealError("no nonce"))?;
    let sealed =
        parts.next().and_then(|part| B64.decode(part).ok()).ok_or(SealError("no ciphertext"))?;
    XChaCha20Poly1305::new((&key.0).into())
        .decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: stream.as_bytes() })
        .map_err(|_| SealError("wrong key, wrong stream or damage"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: KeyId = Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0001);

    fn sealed() -> String {
        seal(ID, &Key([1; 32]), "person-1", "Zoë".as_bytes()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_and_names_its_key() {
        let sealed = sealed();
        assert_eq!(key_of(&sealed), Ok(ID));
        assert_eq!(open(&Key([1; 32]), "person-1", &sealed).unwrap(), "Zoë".as_bytes());
        assert!(!sealed.contains("Zoë"));
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        assert_ne!(sealed(), sealed());
    }

    #[test]
    fn another_stream_or_another_key_does_not_open_it() {
        assert!(open(&Key([1; 32]), "person-2", &sealed()).is_err());
        assert!(open(&Key([2; 32]), "person-1", &sealed()).is_err());
    }

    #[test]
    fn damage_anywhere_is_noticed() {
        let sealed = sealed();
        let nonce_at = SCHEME.len() + 1 + 22 + 1;
        for at in nonce_at..sealed.len() {
            let mut damaged = sealed.clone().into_bytes();
            let byte = damaged.get_mut(at).unwrap();
            *byte = if *byte == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert!(open(&Key([1; 32]), "person-1", &damaged).is_err(), "at {at}");
        }
        for cut in 0..sealed.len() {
            let cut = sealed.get(..cut).unwrap();
            assert!(open(&Key([1; 32]), "person-1", cut).is_err(), "cut to {cut}");
        }
    }

    #[test]
    fn an_unknown_scheme_names_no_key() {
        assert!(key_of("xc2.AAAAAAAAAAAAAAAAAAAAAA.x.y").is_err());
        assert!(key_of("").is_err());
        assert!(key_of("xc1.short.x.y").is_err());
    }
}
