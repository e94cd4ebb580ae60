//! The spellings members share, each with one form only: hashes in base64 and hexadecimal digits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A hash in base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads what [`base64`] writes; another spelling of the same bytes is refused.
pub(crate) fn hash_of(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// Bytes of a known number in lowercase hexadecimal digits.
pub(crate) fn hex_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (hex::encode(bytes) == text).then_some(bytes)
}

/// A count as a number of bytes or lines.
pub(crate) fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
