//! The signed reference to the signer's certificate, which keeps it from being swapped (RFC 2634 §5.4, RFC 5816).

use ::der::Tag;

use crate::certificate::Certificate;
use crate::der::{Value, around};
use crate::signed_data::Attributes;
use crate::{HashAlgorithm, TimestampError, oid};

const LABEL: &str = "signing certificate";

/// The reference must be there, in its first form (always SHA-1: RFC 3161 knew no other, and a second certificate with
/// the same digest is still out of reach) or its second; where both are, both must hold.
pub(crate) fn check(
    attributes: &Attributes<'_>,
    signer: &Certificate<'_>,
) -> Result<(), TimestampError> {
    let first = attributes.maybe(&oid::SIGNING_CERTIFICATE, LABEL)?;
    let second = attributes.maybe(&oid::SIGNING_CERTIFICATE_V2, LABEL)?;
    if first.is_none() && second.is_none() {
        return Err(TimestampError::AttributeMissing(LABEL));
    }
    if let Some(value) = first {
        refers(value, Form::First, signer)?;
    }
    if let Some(value) = second {
        refers(value, Form::Second, signer)?;
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    First,
    Second,
}

/// The first of the certificates referred to is the signer's.
fn refers(value: Value<'_>, form: Form, signer: &Certificate<'_>) -> Result<(), TimestampError> {
    let mut fields = value.must(Tag::Sequence)?.fields(LABEL)?;
    let mut references = fields.next(Tag::Sequence)?.fields(LABEL)?;
    fields.maybe(Tag::Sequence)?; // Policies.
    fields.end()?;
    let mut reference = references.next(Tag::Sequence)?.fields(LABEL)?;
    let named = if form == Form::Second { reference.maybe(Tag::Sequence)? } else { None };
    let hash = match (form, named) {
        (Form::First, _) => HashAlgorithm::Sha1,
        (Form::Second, None) => HashAlgorithm::Sha256,
        (Form::Second, Some(named)) => HashAlgorithm::strong(named, LABEL)?,
    };
    let digest = reference.next(Tag::OctetString)?.content;
    let issued = reference.maybe(Tag::Sequence)?;
    reference.end()?;
    if digest != hash.digest(signer.raw) {
        return Err(TimestampError::SigningCertificateDiffers);
    }
    issued.map_or(Ok(()), |issued| was_issued(issued, signer))
}

/// `IssuerSerial`: one directory name, and the serial number.
fn was_issued(value: Value<'_>, signer: &Certificate<'_>) -> Result<(), TimestampError> {
    let mut fields = value.fields(LABEL)?;
    let issuer = Value::whole(fields.next(Tag::Sequence)?.content, LABEL)?.must(around(4))?;
    let serial = fields.next(Tag::Integer)?.content;
    fields.end()?;
    if issuer.content == signer.issuer && serial == signer.serial {
        Ok(())
    } else {
        Err(TimestampError::SigningCertificateDiffers)
    }
}
