//! What an authority states: «this digest was shown to me at that time» (`TSTInfo`, RFC 3161 §2.4.2).

use ::der::Tag;
use jiff::Timestamp;

use crate::der::{Fields, Value, around, instead};
use crate::signed_data::SignedData;
use crate::time::moment;
use crate::{HashAlgorithm, TimestampError, name, reply};

/// A digest and how it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    /// The hash that made it.
    pub hash: HashAlgorithm,
    /// The digest, as long as the hash makes them.
    pub digest: Vec<u8>,
}

/// The statement in a token. Read, it is a claim; only [`crate::verify()`] says whether it is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The authority's policy, a dotted object identifier.
    pub policy: String,
    /// What the time was put to.
    pub imprint: Imprint,
    /// The token's number at this authority, lowercase hexadecimal.
    pub serial: String,
    /// The time put to it.
    pub time: Timestamp,
    /// How far off the time may be in either direction, in microseconds; unsaid by many.
    pub accuracy_us: Option<u64>,
    /// The nonce of the request, big-endian without leading zeros.
    pub nonce: Option<Vec<u8>>,
    /// The authority's name as it gives it, where it is a directory name.
    pub authority: Option<String>,
}

impl Statement {
    /// Reads what a reply or a bare token states, and believes nothing of it.
    pub fn read(reply: &[u8]) -> Result<Self, TimestampError> {
        Self::of(SignedData::read(reply::signed_data(reply)?)?.content)
    }

    /// Reads a DER `TSTInfo`.
    pub(crate) fn of(content: &[u8]) -> Result<Self, TimestampError> {
        let whole = Value::whole(content, "the statement")?.must(Tag::Sequence)?;
        let mut fields = whole.fields("the statement")?;
        let version = fields.next(Tag::Integer)?.small()?;
        if version != 1 {
            return Err(TimestampError::Version(version));
        }
        let policy = fields.next(Tag::ObjectIdentifier)?.oid()?.to_string();
        let imprint = imprint(fields.next(Tag::Sequence)?)?;
        let serial = hex::encode(fields.next(Tag::Integer)?.natural()?);
        let time = moment(fields.next(Tag::GeneralizedTime)?)?;
        let accuracy_us = fields.maybe(Tag::Sequence)?.map(accuracy_us).transpose()?;
        if let Some(ordering) = fields.maybe(Tag::Boolean)? {
            ordering.boolean()?;
        }
        let nonce = fields.maybe(Tag::Integer)?.map(Value::natural).transpose()?;
        let nonce = nonce.map(<[u8]>::to_vec);
        let authority = fields.maybe(around(0))?.map(authority).transpose()?.flatten();
        if let Some(extensions) = fields.maybe(around(1))? {
            none_critical(extensions.fields("the statement's extensions")?)?;
        }
        fields.end()?;
        Ok(Self { policy, imprint, serial, time, accuracy_us, nonce, authority })
    }
}

fn imprint(value: Value<'_>) -> Result<Imprint, TimestampError> {
    let mut fields = value.fields("the imprint")?;
    let hash = HashAlgorithm::read(fields.next(Tag::Sequence)?, "the imprint")?;
    let digest = fields.next(Tag::OctetString)?;
    fields.end()?;
    if digest.content.len() != hash.size_bytes() {
        return Err(digest.malformed());
    }
    Ok(Imprint { hash, digest: digest.content.to_vec() })
}

/// Seconds, milliseconds and microseconds, each optional; the latter two from 1 to 999.
fn accuracy_us(value: Value<'_>) -> Result<u64, TimestampError> {
    let mut fields = value.fields("the accuracy")?;
    let seconds = fields.maybe(Tag::Integer)?.map(Value::small).transpose()?.unwrap_or(0);
    let mut below = |number| {
        let Some(value) = fields.maybe(instead(number))? else { return Ok(0) };
        let part = value.small()?;
        if part > 999 { Err(value.malformed()) } else { Ok(u64::from(part)) }
    };
    let (millis, micros) = (below(0)?, below(1)?);
    fields.end()?;
    Ok(u64::from(seconds) * 1_000_000 + millis * 1_000 + micros)
}

/// A `GeneralName` within an explicit tag; only a directory name (`[4]`) is shown.
fn authority(value: Value<'_>) -> Result<Option<String>, TimestampError> {
    let general = Value::whole(value.content, "the authority's name")?;
    if general.tag == around(4) { name::shown(general.content).map(Some) } else { Ok(None) }
}

fn none_critical(extensions: Fields<'_>) -> Result<(), TimestampError> {
    for extension in extensions.rest(Tag::Sequence)? {
        let mut fields = extension.fields("the statement's extensions")?;
        let kind = fields.next(Tag::ObjectIdentifier)?.oid()?;
        let critical = fields.maybe(Tag::Boolean)?.map(Value::boolean).transpose()?;
        fields.next(Tag::OctetString)?;
        fields.end()?;
        if critical == Some(true) {
            return Err(TimestampError::CriticalExtension(kind.to_string()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::accuracy_us;
    use crate::der::Value;

    fn read(hexadecimal: &str) -> Option<u64> {
        let bytes = hex::decode(hexadecimal).unwrap();
        Value::whole(&bytes, "the accuracy").and_then(accuracy_us).ok()
    }

    #[test]
    fn an_accuracy_is_the_sum_of_its_parts() {
        assert_eq!(read("3000"), Some(0));
        assert_eq!(read("3003020101"), Some(1_000_000));
        assert_eq!(read("300b020102800201f4810203e7"), Some(2_500_999));
    }

    #[test]
    fn a_part_of_a_thousand_or_out_of_order_is_not_read() {
        assert_eq!(read("3004800203e8"), None);
        assert_eq!(read("3006810101800101"), None);
    }
}
