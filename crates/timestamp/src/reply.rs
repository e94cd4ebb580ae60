//! The outer envelope: an authority's reply (RFC 3161 §2.4.2) around the token, or the token alone.

use ::der::Tag;

use crate::der::{Fields, Value, around};
use crate::{TimestampError, oid};

/// The longest reply looked at, in bytes. Real ones have 3 000 to 10 000.
pub const REPLY_BYTES_MAX: usize = 64 * 1024;

/// The `SignedData` within a reply or a bare token.
pub(crate) fn signed_data(reply: &[u8]) -> Result<Value<'_>, TimestampError> {
    if reply.len() > REPLY_BYTES_MAX {
        return Err(TimestampError::TooLarge(reply.len()));
    }
    let whole = Value::whole(reply, "the reply")?.must(Tag::Sequence)?;
    let mut fields = whole.fields("the reply")?;
    if let Some(status) = fields.maybe(Tag::Sequence)? {
        granted(status)?;
        let token = fields.next(Tag::Sequence)?;
        fields.end()?;
        return content(token.fields("the token")?);
    }
    content(fields)
}

/// The content of a `ContentInfo` that must be signed data.
fn content(mut token: Fields<'_>) -> Result<Value<'_>, TimestampError> {
    let kind = token.next(Tag::ObjectIdentifier)?.oid()?;
    if kind != oid::SIGNED_DATA {
        let found = kind.to_string();
        return Err(TimestampError::ContentType { wanted: "signedData", found });
    }
    let content = token.next(around(0))?.inner(Tag::Sequence)?;
    token.end()?;
    Ok(content)
}

/// `PKIStatusInfo`: 0 is «granted», 1 «granted, with modifications»; all else is a no.
fn granted(info: Value<'_>) -> Result<(), TimestampError> {
    let mut fields = info.fields("the status")?;
    let status = fields.next(Tag::Integer)?.small()?;
    let mut reasons = Vec::new();
    if let Some(words) = fields.maybe(Tag::Sequence)? {
        for text in words.fields("the status")?.rest(Tag::Utf8String)? {
            reasons.push(String::from_utf8_lossy(text.content).into_owned());
        }
    }
    if let Some(bits) = fields.maybe(Tag::BitString)? {
        reasons.extend(failures(bits.content).map(str::to_owned));
    }
    fields.end()?;
    if status <= 1 {
        return Ok(());
    }
    let reason = if reasons.is_empty() { "no reason given".to_owned() } else { reasons.join(", ") };
    Err(TimestampError::Declined { status, reason })
}

/// The names of the bits set in a `PKIFailureInfo`; the first byte counts the unused bits at the end.
fn failures(content: &[u8]) -> impl Iterator<Item = &'static str> {
    const NAMES: [(usize, &str); 8] = [
        (0, "badAlg"),
        (2, "badRequest"),
        (5, "badDataFormat"),
        (14, "timeNotAvailable"),
        (15, "unacceptedPolicy"),
        (16, "unacceptedExtension"),
        (17, "addInfoNotAvailable"),
        (25, "systemFailure"),
    ];
    let set = |bit: usize| {
        let byte = content.get(1 + bit / 8).copied().unwrap_or(0);
        byte & (0x80 >> (bit % 8)) != 0
    };
    NAMES.into_iter().filter(move |(bit, _)| set(*bit)).map(|(_, name)| name)
}
