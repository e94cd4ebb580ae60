//! The few spellings all texts of the ledger share: decimal numbers, base64 and lines, each with one form only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;

/// The most bytes a text from outside may have: 1 MiB.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;

/// A number in ASCII digits, without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    (canonical && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Standard base64, padded (RFC 4648, section 4).
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Reads what [`encode`] writes; another spelling of the same bytes is refused.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A hash in base64.
pub(crate) fn decode_hash(text: &str) -> Option<Hash> {
    decode(text)?.try_into().ok()
}

/// The first line without its newline, and what follows.
pub(crate) fn line(text: &str) -> Option<(&str, &str)> {
    text.split_once('\n')
}

/// Hashes in base64, one a line, up to and including an empty line; then what follows.
pub(crate) fn hash_lines(mut text: &str, count_max: usize) -> Option<(Vec<Hash>, &str)> {
    let mut hashes = Vec::new();
    loop {
        let (first, rest) = line(text)?;
        text = rest;
        if first.is_empty() {
            return Some((hashes, rest));
        }
        if hashes.len() == count_max {
            return None;
        }
        hashes.push(decode_hash(first)?);
    }
}

/// Whether a character may stand in a note or in a name: all but ASCII control characters.
pub(crate) fn printable(character: char) -> bool {
    character >= ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for wrong in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "٣", "18446744073709551616"] {
            assert_eq!(decimal(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn bytes_have_one_spelling() {
        assert_eq!(decode("AA=="), Some(vec![0]));
        for wrong in ["AA", "AA=", "AB==", "AA==\n", "AA== ", "A-==", "AA===", "===="] {
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
    }
}
