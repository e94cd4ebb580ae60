//! What this crate itself must know of a certificate (RFC 5280 §4.1); chains and signatures are `webpki`'s work.

use ::der::Tag;
use ::der::asn1::ObjectIdentifier;
use jiff::Timestamp;

use crate::der::{Value, around};
use crate::time::moment;
use crate::{TimestampError, oid};

/// A certificate, read but not believed.
#[derive(Debug, Clone)]
pub(crate) struct Certificate<'a> {
    /// All of it.
    pub(crate) raw: &'a [u8],
    /// The content of a DER INTEGER.
    pub(crate) serial: &'a [u8],
    /// A whole DER `Name`.
    pub(crate) issuer: &'a [u8],
    /// A whole DER `Name`.
    pub(crate) subject: &'a [u8],
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
    extensions: Vec<Extension<'a>>,
}

#[derive(Debug, Clone)]
struct Extension<'a> {
    kind: ObjectIdentifier,
    critical: bool,
    content: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(crate) fn read(raw: &'a [u8]) -> Result<Self, TimestampError> {
        let mut outer =
            Value::whole(raw, "a certificate")?.must(Tag::Sequence)?.fields("a certificate")?;
        let mut fields = outer.next(Tag::Sequence)?.fields("a certificate")?;
        outer.next(Tag::Sequence)?;
        outer.next(Tag::BitString)?;
        outer.end()?;
        fields.maybe(around(0))?; // The version; `webpki` looks at it.
        let serial = fields.next(Tag::Integer)?.content;
        fields.next(Tag::Sequence)?; // The signature's algorithm.
        let issuer = fields.next(Tag::Sequence)?.raw;
        let mut validity = fields.next(Tag::Sequence)?.fields("a certificate's validity")?;
        let (valid_from, valid_until) = (moment(validity.any()?)?, moment(validity.any()?)?);
        validity.end()?;
        let subject = fields.next(Tag::Sequence)?.raw;
        fields.next(Tag::Sequence)?; // The key.
        let mut extensions = Vec::new();
        while !fields.is_empty() {
            let value = fields.any()?;
            if value.tag == around(3) {
                extensions = read_extensions(value)?;
            }
        }
        Ok(Self { raw, serial, issuer, subject, valid_from, valid_until, extensions })
    }

    /// Whether `time` lies between the first and the last second of validity, both included.
    pub(crate) fn was_valid_at(&self, time: Timestamp) -> bool {
        let seconds = self.valid_from.as_second()..=self.valid_until.as_second();
        seconds.contains(&time.as_second())
    }

    /// The one extension of a kind: critical or not, and its content.
    fn extension(&self, kind: &ObjectIdentifier) -> Option<&Extension<'a>> {
        let mut found = self.extensions.iter().filter(|one| one.kind == *kind);
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// RFC 3161 §2.3: the purpose is timestamping, marked critical, and nothing else.
    pub(crate) fn must_be_for_timestamping(&self) -> Result<(), TimestampError> {
        let purpose = self.extension(&oid::EXTENDED_KEY_USAGE).ok_or(TimestampError::Purpose)?;
        let purposes = Value::whole(purpose.content, "a certificate's purposes")?;
        let purposes = purposes.must(Tag::Sequence)?.fields("a certificate's purposes")?;
        let purposes = purposes.rest(Tag::ObjectIdentifier)?;
        let [only] = purposes.as_slice() else { return Err(TimestampError::Purpose) };
        if !purpose.critical || only.oid()? != oid::TIME_STAMPING {
            return Err(TimestampError::Purpose);
        }
        self.key_must_sign()
    }

    /// Where the use of the key is limited, it must be `digitalSignature` (bit 0) or `nonRepudiation` (bit 1).
    fn key_must_sign(&self) -> Result<(), TimestampError> {
        let Some(usage) = self.extensions.iter().find(|one| one.kind == oid::KEY_USAGE) else {
            return Ok(());
        };
        let bits =
            Value::whole(usage.content, "a certificate's key usage")?.must(Tag::BitString)?;
        let first = bits.content.get(1).copied().unwrap_or(0);
        if first & 0b1100_0000 == 0 { Err(TimestampError::KeyUsage) } else { Ok(()) }
    }
}

fn read_extensions(value: Value<'_>) -> Result<Vec<Extension<'_>>, TimestampError> {
    let listed = value.inner(Tag::Sequence)?.fields("a certificate's extensions")?;
    let mut extensions = Vec::new();
    for extension in listed.rest(Tag::Sequence)? {
        let mut fields = extension.fields("a certificate's extension")?;
        let kind = fields.next(Tag::ObjectIdentifier)?.oid()?;
        let critical = fields.maybe(Tag::Boolean)?.map(Value::boolean).transpose()?;
        let content = fields.next(Tag::OctetString)?.content;
        fields.end()?;
        extensions.push(Extension { kind, critical: critical.unwrap_or(false), content });
    }
    Ok(extensions)
}
