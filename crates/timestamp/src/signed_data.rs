//! The signed envelope around a statement (CMS `SignedData`, RFC 5652 §5), with exactly one signer.

use ::der::Tag;
use ::der::asn1::ObjectIdentifier;

use crate::certificate::Certificate;
use crate::der::{Value, around};
use crate::{HashAlgorithm, TimestampError, oid};

/// The most certificates a token may carry.
const CERTIFICATES_MAX: usize = 16;

/// A statement, who signed it, and the certificates that came along.
#[derive(Debug)]
pub(crate) struct SignedData<'a> {
    /// The DER `TSTInfo`.
    pub(crate) content: &'a [u8],
    /// Each a whole DER certificate, not yet read: they are not signed with the rest.
    pub(crate) certificates: Vec<&'a [u8]>,
    pub(crate) signer: Signer<'a>,
}

/// The one `SignerInfo`.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    /// The signer's issuer, a whole DER `Name`.
    issuer: &'a [u8],
    /// The signer's serial number, the content of a DER INTEGER.
    serial: &'a [u8],
    /// The hash for the statement and for the signature.
    pub(crate) hash: HashAlgorithm,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) algorithm: Value<'a>,
    pub(crate) signature: &'a [u8],
}

impl<'a> SignedData<'a> {
    pub(crate) fn read(value: Value<'a>) -> Result<Self, TimestampError> {
        let mut fields = value.fields("the signed data")?;
        fields.next(Tag::Integer)?.small()?;
        fields.next(Tag::Set)?; // The digest algorithms, said again by the signer.
        let content = statement(fields.next(Tag::Sequence)?)?;
        let certificates = match fields.maybe(around(0))? {
            Some(set) => certificates(set)?,
            None => Vec::new(),
        };
        fields.maybe(around(1))?; // Revocation lists: not looked at.
        let signers = fields.next(Tag::Set)?.fields("the signers")?.rest(Tag::Sequence)?;
        fields.end()?;
        let [signer] = signers.as_slice() else {
            return Err(TimestampError::Signers(signers.len()));
        };
        Ok(Self { content, certificates, signer: Signer::read(*signer)? })
    }

    /// The certificate the signer names.
    pub(crate) fn signer_certificate(&self) -> Result<Certificate<'a>, TimestampError> {
        for raw in &self.certificates {
            let Ok(certificate) = Certificate::read(raw) else { continue };
            if certificate.issuer == self.signer.issuer && certificate.serial == self.signer.serial
            {
                return Ok(certificate);
            }
        }
        Err(TimestampError::CertificateMissing)
    }
}

fn statement(value: Value<'_>) -> Result<&[u8], TimestampError> {
    let mut fields = value.fields("the content")?;
    let kind = fields.next(Tag::ObjectIdentifier)?.oid()?;
    if kind != oid::TST_INFO {
        let found = kind.to_string();
        return Err(TimestampError::ContentType { wanted: "TSTInfo", found });
    }
    let content = fields.next(around(0))?.inner(Tag::OctetString)?.content;
    fields.end()?;
    Ok(content)
}

/// X.509 certificates are plain sequences; the other choices have tags and are passed over.
fn certificates(set: Value<'_>) -> Result<Vec<&[u8]>, TimestampError> {
    let mut fields = set.fields("the certificates")?;
    let mut found = Vec::new();
    while !fields.is_empty() {
        let value = fields.any()?;
        if value.tag == Tag::Sequence {
            found.push(value.raw);
        }
        if found.len() > CERTIFICATES_MAX {
            return Err(TimestampError::TooManyCertificates);
        }
    }
    Ok(found)
}

impl<'a> Signer<'a> {
    fn read(value: Value<'a>) -> Result<Self, TimestampError> {
        let mut fields = value.fields("the signer")?;
        let version = fields.next(Tag::Integer)?.small()?;
        let named = fields.any()?;
        if version != 1 || named.tag != Tag::Sequence {
            return Err(TimestampError::SignerName);
        }
        let mut name = named.fields("the signer's name")?;
        let issuer = name.next(Tag::Sequence)?.raw;
        let serial = name.next(Tag::Integer)?.content;
        name.end()?;
        let hash = HashAlgorithm::strong(fields.next(Tag::Sequence)?, "the digest")?;
        let attributes = Attributes::read(fields.maybe(around(0))?)?;
        let algorithm = fields.next(Tag::Sequence)?;
        let signature = fields.next(Tag::OctetString)?.content;
        fields.maybe(around(1))?; // Unsigned attributes: not looked at.
        fields.end()?;
        Ok(Self { issuer, serial, hash, attributes, algorithm, signature })
    }
}

/// The signed attributes.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    raw: &'a [u8],
    /// Kind and set of values.
    listed: Vec<(ObjectIdentifier, Value<'a>)>,
}

impl<'a> Attributes<'a> {
    fn read(value: Option<Value<'a>>) -> Result<Self, TimestampError> {
        let value = value.ok_or(TimestampError::AttributeMissing("content type"))?;
        let mut listed = Vec::new();
        for attribute in value.fields("the signed attributes")?.rest(Tag::Sequence)? {
            let mut fields = attribute.fields("a signed attribute")?;
            let kind = fields.next(Tag::ObjectIdentifier)?.oid()?;
            listed.push((kind, fields.next(Tag::Set)?));
            fields.end()?;
        }
        Ok(Self { raw: value.raw, listed })
    }

    /// What was signed: the attributes under their own tag of a SET (RFC 5652 §5.4), in the order they came.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let mut signed = self.raw.to_vec();
        if let Some(tag) = signed.first_mut() {
            *tag = 0x31;
        }
        signed
    }

    /// The one value of the attribute, if it is there.
    pub(crate) fn maybe(
        &self,
        kind: &ObjectIdentifier,
        label: &'static str,
    ) -> Result<Option<Value<'a>>, TimestampError> {
        let mut found = self.listed.iter().filter(|(one, _)| one == kind);
        let Some((_, values)) = found.next() else { return Ok(None) };
        let mut values = values.fields("a signed attribute")?;
        if found.next().is_some() || values.is_empty() {
            return Err(TimestampError::AttributeRepeated(label));
        }
        let value = values.any()?;
        if !values.is_empty() {
            return Err(TimestampError::AttributeRepeated(label));
        }
        Ok(Some(value))
    }

    /// The one value of an attribute that must be there.
    pub(crate) fn one(
        &self,
        kind: &ObjectIdentifier,
        label: &'static str,
    ) -> Result<Value<'a>, TimestampError> {
        self.maybe(kind, label)?.ok_or(TimestampError::AttributeMissing(label))
    }
}
