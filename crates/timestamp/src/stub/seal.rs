//! Statements and the signed envelopes around them, as the stub makes them.

use ::der::asn1::ObjectIdentifier;
use jiff::Timestamp;

use super::{Asked, Authority, Flaw, StubError, issue};
use crate::{HashAlgorithm, oid, write};

const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4.1");
const PLAIN_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const MD5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// A token over what was asked: a `ContentInfo` of signed data.
pub(super) fn token(
    authority: &Authority,
    asked: &Asked<'_>,
    at: Timestamp,
    flaw: Option<Flaw>,
) -> Result<Vec<u8>, StubError> {
    let statement = statement(authority, asked, at, flaw);
    let certificate = certificate(authority, flaw)?;
    let signer = signer(authority, &statement, &certificate, flaw)?;
    let signers = match flaw {
        Some(Flaw::NoSigner) => Vec::new(),
        Some(Flaw::TwoSigners) => signer.repeat(2),
        _ => signer,
    };
    let kind = if flaw == Some(Flaw::OtherContent) { PLAIN_DATA } else { oid::TST_INFO };
    let octets = write::value(write::OCTET_STRING, &[&statement]);
    let content = write::sequence(&[&write::oid(&kind), &write::value(0xa0, &[&octets])]);
    let with = asked.with_certificate && flaw != Some(Flaw::NoCertificate);
    let mut certificates = vec![certificate];
    if flaw != Some(Flaw::NoIssuer) {
        certificates.push(issuer_certificate(authority)?);
    }
    certificates.sort();
    let certificates =
        if with { write::value(0xa0, &[&certificates.concat()]) } else { Vec::new() };
    let digests = write::value(write::SET, &[&digest_algorithm(authority, flaw)]);
    let envelope = write::sequence(&[
        &write::natural(&[3]),
        &digests,
        &content,
        &certificates,
        &write::value(write::SET, &[&signers]),
    ]);
    Ok(write::sequence(&[&write::oid(&oid::SIGNED_DATA), &write::value(0xa0, &[&envelope])]))
}

/// A `TSTInfo`, good to a second.
fn statement(
    authority: &Authority,
    asked: &Asked<'_>,
    at: Timestamp,
    flaw: Option<Flaw>,
) -> Vec<u8> {
    let version = if flaw == Some(Flaw::OtherVersion) { 2 } else { 1 };
    let time = at.strftime("%Y%m%d%H%M%S%.fZ").to_string();
    let number = [asked.imprint, asked.nonce, time.as_bytes()].concat();
    let number = HashAlgorithm::Sha256.digest(&number);
    let named = write::value(0xa4, &[&authority.signer.name]);
    let extension = write::sequence(&[
        &write::oid(&PLAIN_DATA),
        &write::value(write::BOOLEAN, &[&[0xff]]),
        &write::value(write::OCTET_STRING, &[]),
    ]);
    let strange = flaw == Some(Flaw::CriticalExtension);
    write::sequence(&[
        &write::natural(&[version]),
        &write::oid(&POLICY),
        asked.imprint,
        &write::natural(number.get(..8).unwrap_or_default()),
        &write::value(write::GENERALIZED_TIME, &[time.as_bytes()]),
        &write::sequence(&[&write::natural(&[1])]),
        if flaw == Some(Flaw::NoNonce) { &[] } else { asked.nonce },
        &write::value(0xa0, &[&named]),
        &if strange { write::value(0xa1, &[&extension]) } else { Vec::new() },
    ])
}

/// The signer's certificate.
fn certificate(authority: &Authority, flaw: Option<Flaw>) -> Result<Vec<u8>, StubError> {
    let (issuer, signer) = (&authority.issuer, &authority.signer);
    let by = if flaw == Some(Flaw::Impostor) { signer } else { issuer };
    let extensions = issue::signer_extensions(flaw);
    signer.certify_as(&issuer.name, by, issue::SIGNER_UNTIL, &extensions)
}

/// The certificate between the signer's and the root's; it names no purpose, as many do not.
fn issuer_certificate(authority: &Authority) -> Result<Vec<u8>, StubError> {
    authority.issuer.certify(&authority.root, issue::ISSUER_UNTIL, &issue::ca_extensions())
}

fn digest_algorithm(authority: &Authority, flaw: Option<Flaw>) -> Vec<u8> {
    write::algorithm(&match flaw {
        Some(Flaw::UnknownDigest) => MD5,
        Some(Flaw::WeakDigest) => oid::SHA1,
        _ => authority.curve.digest_oid(),
    })
}

/// The `SignerInfo`.
fn signer(
    authority: &Authority,
    statement: &[u8],
    certificate: &[u8],
    flaw: Option<Flaw>,
) -> Result<Vec<u8>, StubError> {
    let attributes = attributes(authority, statement, certificate, flaw);
    let signed = write::value(write::SET, &[&attributes]);
    let other = flaw == Some(Flaw::OtherSignature);
    let signature = authority.signer.sign(if other { statement } else { &signed })?;
    let algorithm = match flaw {
        Some(Flaw::UnknownSignature) => RSA_PSS,
        Some(Flaw::OtherKey) => oid::RSA,
        _ => authority.curve.signature_oid(),
    };
    let named = if flaw == Some(Flaw::NamedByKey) {
        write::value(0x80, &[&[1; 20]])
    } else {
        write::sequence(&[&authority.issuer.name, &authority.signer.serial])
    };
    let none = flaw == Some(Flaw::NoAttributes);
    Ok(write::sequence(&[
        &write::natural(&[if flaw == Some(Flaw::NamedByKey) { 3 } else { 1 }]),
        &named,
        &digest_algorithm(authority, flaw),
        &if none { Vec::new() } else { write::value(0xa0, &[&attributes]) },
        &write::algorithm(&algorithm),
        &write::value(write::OCTET_STRING, &[&signature]),
    ]))
}

fn attribute(kind: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(kind), &write::value(write::SET, &[value])])
}

/// The signed attributes, in the order of DER.
fn attributes(
    authority: &Authority,
    statement: &[u8],
    certificate: &[u8],
    flaw: Option<Flaw>,
) -> Vec<u8> {
    let mut attributes = Vec::new();
    let plain = flaw == Some(Flaw::OtherContentType);
    let kind = if plain { PLAIN_DATA } else { oid::TST_INFO };
    attributes.push(attribute(&oid::CONTENT_TYPE, &write::oid(&kind)));

    let other = flaw == Some(Flaw::OtherMessageDigest);
    let digest = authority.curve.hash().digest(if other { certificate } else { statement });
    let digest = write::value(write::OCTET_STRING, &[&digest]);
    let times = match flaw {
        Some(Flaw::NoMessageDigest) => 0,
        Some(Flaw::TwoMessageDigests) => 2,
        _ => 1,
    };
    attributes.extend(vec![attribute(&oid::MESSAGE_DIGEST, &digest); times]);

    if flaw == Some(Flaw::OtherFirstForm) {
        let digest = HashAlgorithm::Sha1.digest(statement);
        let digest = write::value(write::OCTET_STRING, &[&digest]);
        let reference = write::sequence(&[&write::sequence(&[&write::sequence(&[&digest])])]);
        attributes.push(attribute(&oid::SIGNING_CERTIFICATE, &reference));
    }
    if flaw != Some(Flaw::NoSigningCertificate) {
        let reference = reference(authority, statement, certificate, flaw);
        attributes.push(attribute(&oid::SIGNING_CERTIFICATE_V2, &reference));
    }
    attributes.sort();
    attributes.concat()
}

/// A `SigningCertificateV2` with the SHA-256 of the certificate, its issuer and its serial number.
fn reference(
    authority: &Authority,
    statement: &[u8],
    certificate: &[u8],
    flaw: Option<Flaw>,
) -> Vec<u8> {
    let other = flaw == Some(Flaw::OtherSigningCertificate);
    let digest = HashAlgorithm::Sha256.digest(if other { statement } else { certificate });
    let digest = write::value(write::OCTET_STRING, &[&digest]);
    let issuer = write::sequence(&[&write::value(0xa4, &[&authority.issuer.name])]);
    let other = flaw == Some(Flaw::OtherSerial);
    let holder = if other { &authority.root } else { &authority.signer };
    let by_number = write::sequence(&[&issuer, &holder.serial]);
    write::sequence(&[&write::sequence(&[&write::sequence(&[&digest, &by_number])])])
}
