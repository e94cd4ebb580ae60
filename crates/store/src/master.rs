//! The master key: wraps every key and secret of a vault, and is itself never stored by us.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::vault::VaultError;

/// How many bytes of nonce stand before what is wrapped.
const NONCE_BYTES: usize = 24;

/// 256 bits from a file, the environment or a key service. Never printed, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([REDACTED])")
    }
}

impl MasterKey {
    /// Takes the bytes over; the caller wipes its own copy.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For making other keys of it, nothing else.
    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Wraps bytes: a random nonce of 192 bits, then XChaCha20-Poly1305.
    ///
    /// The context (which key or secret it is) is authenticated with it, so that swapping two rows
    /// of a vault is noticed.
    pub fn wrap(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let sealed = XChaCha20Poly1305::new((&self.0).into())
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: context.as_bytes() })
            .map_err(|_| VaultError::Corrupt("the cipher refused".to_owned()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Unwraps what was wrapped for the same context.
    pub fn unwrap(&self, context: &str, wrapped: &[u8]) -> Result<Vec<u8>, VaultError> {
        let corrupt = || VaultError::Corrupt(format!("{context} does not unwrap"));
        let (nonce, sealed) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or_else(corrupt)?;
        XChaCha20Poly1305::new((&self.0).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context.as_bytes() })
            .map_err(|_| corrupt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_opens_only_with_the_same_key_and_context() {
        let key = MasterKey::new([7; 32]);
        let mut wrapped = key.wrap("secret/a", b"plain").unwrap();
        assert_eq!(key.unwrap("secret/a", &wrapped).unwrap(), b"plain");
        assert!(key.unwrap("secret/b", &wrapped).is_err(), "another context");
        assert!(MasterKey::new([8; 32]).unwrap("secret/a", &wrapped).is_err(), "another key");
        assert!(key.unwrap("secret/a", &[0; 10]).is_err(), "too short");
        if let Some(last) = wrapped.last_mut() {
            *last ^= 1;
        }
        assert!(key.unwrap("secret/a", &wrapped).is_err(), "damage");
    }

    #[test]
    fn it_is_never_printed() {
        assert_eq!(format!("{:?}", MasterKey::new([7; 32])), "MasterKey([REDACTED])");
    }
}
