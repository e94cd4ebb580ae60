//! Writing DER: tag, length, content, and nothing cleverer.

use ::der::asn1::ObjectIdentifier;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
#[cfg(feature = "stub")]
pub(crate) const BIT_STRING: u8 = 0x03;
#[cfg(feature = "stub")]
pub(crate) const UTF8_STRING: u8 = 0x0c;
#[cfg(feature = "stub")]
pub(crate) const UTC_TIME: u8 = 0x17;
#[cfg(feature = "stub")]
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
#[cfg(feature = "stub")]
pub(crate) const SET: u8 = 0x31;

/// A value whose content is the parts, one after another.
pub(crate) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut written = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => written.push(short),
        _ => {
            let length = trimmed(&content.len().to_be_bytes()).to_vec();
            written.push(0x80 | u8::try_from(length.len()).unwrap_or(0));
            written.extend(length);
        }
    }
    written.extend(content);
    written
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, parts)
}

/// A natural number, given big-endian.
pub(crate) fn natural(bytes: &[u8]) -> Vec<u8> {
    match trimmed(bytes) {
        [] => value(INTEGER, &[&[0]]),
        digits @ [first, ..] if *first >= 0x80 => value(INTEGER, &[&[0], digits]),
        digits => value(INTEGER, &[digits]),
    }
}

pub(crate) fn oid(oid: &ObjectIdentifier) -> Vec<u8> {
    value(OID, &[oid.as_bytes()])
}

/// An `AlgorithmIdentifier` without parameters.
#[cfg(feature = "stub")]
pub(crate) fn algorithm(algorithm: &ObjectIdentifier) -> Vec<u8> {
    sequence(&[&oid(algorithm)])
}

/// Without the zeros in front.
pub(crate) fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{natural, value};

    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        assert_eq!(value(4, &[&[7; 127]]).get(..3), Some(&[4, 127, 7][..]));
        assert_eq!(value(4, &[&[7; 128]]).get(..4), Some(&[4, 0x81, 128, 7][..]));
        assert_eq!(value(4, &[&[7; 256]]).get(..5), Some(&[4, 0x82, 1, 0, 7][..]));
    }

    #[test]
    fn a_natural_number_never_looks_negative() {
        assert_eq!(natural(&[0, 0]), [2, 1, 0]);
        assert_eq!(natural(&[0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(natural(&[0x80]), [2, 2, 0, 0x80]);
    }
}
