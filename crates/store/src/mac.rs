//! Proof that bytes beside the log were written by us: HMAC-SHA256 under keys made from the master key.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::master::MasterKey;

/// What [`MacKey::mac`] answers.
pub type Mac = [u8; 32];

/// A key for one purpose, made from the master key. Never printed, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MacKey([u8; 32]);

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey([REDACTED])")
    }
}

impl MacKey {
    /// The key for a purpose: the same master key and purpose always give the same one.
    pub fn derive(master: &MasterKey, purpose: &str) -> Self {
        Self(hmac(master.bytes(), &[purpose.as_bytes()]))
    }

    /// HMAC-SHA256 over the parts, each with its length before it (8 bytes, big-endian), so that
    /// no byte can wander from one part to the next.
    pub fn mac(&self, parts: &[&[u8]]) -> Mac {
        hmac(&self.0, parts)
    }
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Mac {
    let mut mac = Hmac::<Sha256>::new(&block(key).into());
    for part in parts {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        mac.update(&length.to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// A key shorter than a block of SHA-256 stands at its start, as RFC 2104 has it.
fn block(key: &[u8; 32]) -> [u8; 64] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(purpose: &str) -> MacKey {
        MacKey::derive(&MasterKey::new([7; 32]), purpose)
    }

    #[test]
    fn every_part_and_the_purpose_count() {
        let mac = key("rows").mac(&[b"ab", b"c"]);
        assert_eq!(mac, key("rows").mac(&[b"ab", b"c"]));
        assert_ne!(mac, key("rows").mac(&[b"a", b"bc"]), "a byte wandered");
        assert_ne!(mac, key("rows").mac(&[b"ab", b"c", b""]), "a part more");
        assert_ne!(mac, key("other").mac(&[b"ab", b"c"]), "another purpose");
        let other = MacKey::derive(&MasterKey::new([8; 32]), "rows");
        assert_ne!(mac, other.mac(&[b"ab", b"c"]), "another master key");
    }

    /// Made by Python's `hmac`: stored rows are checked against it for ever.
    #[test]
    fn it_is_what_others_call_hmac_sha256() {
        let mac = key("rows").mac(&[b"ab", b"c"]);
        let hex = mac.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(hex, "e3fe88da238597629d046dcc798c9f93390feeceb1af3f1318d48ab298d56968");
    }

    #[test]
    fn it_is_never_printed() {
        assert_eq!(format!("{:?}", key("rows")), "MacKey([REDACTED])");
    }
}
