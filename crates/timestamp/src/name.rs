//! Names of certificate holders as text (RFC 4514): `CN=DigiCert Timestamp 2024,O=DigiCert,C=US`.

use std::fmt::Write as _;

use ::der::Tag;
use ::der::asn1::ObjectIdentifier;

use crate::der::Value;
use crate::{TimestampError, oid};

/// The name in `raw`, a whole DER `Name`; the most particular part first.
pub(crate) fn shown(raw: &[u8]) -> Result<String, TimestampError> {
    let parts = Value::whole(raw, "a name")?.must(Tag::Sequence)?.fields("a name")?;
    let mut shown = Vec::new();
    for part in parts.rest(Tag::Set)? {
        let mut equal = Vec::new();
        for pair in part.fields("a name")?.rest(Tag::Sequence)? {
            let mut fields = pair.fields("a name")?;
            let (kind, value) = (fields.next(Tag::ObjectIdentifier)?.oid()?, fields.any()?);
            fields.end()?;
            equal.push(format!("{}={}", label(&kind), text(value)?));
        }
        shown.push(equal.join("+"));
    }
    shown.reverse();
    Ok(shown.join(","))
}

fn label(kind: &ObjectIdentifier) -> String {
    let known = [
        (oid::COMMON_NAME, "CN"),
        (oid::SERIAL_NUMBER, "serialNumber"),
        (oid::COUNTRY, "C"),
        (oid::LOCALITY, "L"),
        (oid::STATE, "ST"),
        (oid::ORGANIZATION, "O"),
        (oid::ORGANIZATIONAL_UNIT, "OU"),
    ];
    let found = known.iter().find(|(one, _)| one == kind);
    found.map_or_else(|| kind.to_string(), |(_, label)| (*label).to_owned())
}

fn text(value: Value<'_>) -> Result<String, TimestampError> {
    let plain = match value.tag {
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString => {
            std::str::from_utf8(value.content).map_err(|_| value.malformed())?.to_owned()
        }
        Tag::TeletexString => value.content.iter().copied().map(char::from).collect(),
        Tag::BmpString => utf16(value.content).ok_or_else(|| value.malformed())?,
        _ => return Ok(format!("#{}", hex::encode(value.raw))),
    };
    Ok(escaped(&plain))
}

fn utf16(content: &[u8]) -> Option<String> {
    let (pairs, odd) = content.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
    if odd.is_empty() { String::from_utf16(&units).ok() } else { None }
}

/// Signs that would end a name, and all that would not show on a page, stand behind a backslash.
fn escaped(plain: &str) -> String {
    let mut escaped = String::with_capacity(plain.len());
    let last = plain.chars().count().saturating_sub(1);
    for (at, sign) in plain.chars().enumerate() {
        let at_an_edge = (at == 0 && matches!(sign, ' ' | '#')) || (at == last && sign == ' ');
        if sign.is_control() {
            let mut bytes = [0; 4];
            for byte in sign.encode_utf8(&mut bytes).bytes() {
                // Writing into a String cannot fail.
                let _ = write!(escaped, "\\{byte:02X}");
            }
            continue;
        }
        if at_an_edge || matches!(sign, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{escaped, utf16};

    #[test]
    fn signs_with_a_meaning_in_names_are_escaped() {
        assert_eq!(escaped("DigiCert, Inc."), "DigiCert\\, Inc.");
        assert_eq!(escaped(" a b "), "\\ a b\\ ");
        assert_eq!(escaped("#1\n"), "\\#1\\0A");
    }

    #[test]
    fn utf16_is_read_whole_or_not_at_all() {
        assert_eq!(utf16(&[0, 0x41, 0, 0xe9]).as_deref(), Some("Aé"));
        assert_eq!(utf16(&[0, 0x41, 0]), None);
        assert_eq!(utf16(&[0xd8, 0]), None);
    }
}
