//! Whether a timestamp is to be believed: digest, nonce, signature, signer and chain, checked offline.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use webpki::{EndEntityCert, Error};

use crate::algorithm::schemes;
use crate::certificate::Certificate;
use crate::signed_data::{SignedData, Signer};
use crate::trust::{Anchor, Trust, anchor};
use crate::{
    HashAlgorithm, Imprint, Statement, TimestampError, name, oid, reply, signing_certificate, write,
};

/// A timestamp that holds. Who vouches for it, if anybody, is in `anchored`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The time the authority put to the digest.
    pub time: Timestamp,
    /// How far off the time may be in either direction, in microseconds; unsaid by many.
    pub accuracy_us: Option<u64>,
    /// The authority's policy, a dotted object identifier.
    pub policy: String,
    /// The token's number at this authority, lowercase hexadecimal.
    pub serial: String,
    /// The signer, by the subject of its certificate (RFC 4514).
    pub signer: String,
    /// Who vouches for the signer.
    pub anchored: Anchor,
}

/// Checks a reply (`TimeStampResp`) or a bare token over a SHA-256 `digest`, against the nonce that was sent, if one
/// is known, and the roots trusted.
///
/// # Errors
/// The first reason found not to believe it. With roots given, a signer who leads to none of them is an error; with
/// none given, the answer says [`Anchor::Unvouched`].
pub fn verify(
    reply: &[u8],
    digest: &[u8; 32],
    nonce: Option<u64>,
    trust: &Trust,
) -> Result<Verified, TimestampError> {
    let imprint = Imprint { hash: HashAlgorithm::Sha256, digest: digest.to_vec() };
    verify_imprint(reply, &imprint, nonce, trust)
}

/// The same for other people's timestamps, whose digest may be SHA-384 or SHA-512. SHA-1 is refused.
///
/// # Errors
/// As [`verify`].
pub fn verify_imprint(
    reply: &[u8],
    imprint: &Imprint,
    nonce: Option<u64>,
    trust: &Trust,
) -> Result<Verified, TimestampError> {
    let signed = SignedData::read(reply::signed_data(reply)?)?;
    let statement = Statement::of(signed.content)?;
    is_about(&statement, imprint)?;
    answers(&statement, nonce)?;
    covers(&signed.signer, signed.content)?;

    let certificate = signed.signer_certificate()?;
    signing_certificate::check(&signed.signer.attributes, &certificate)?;
    let der = CertificateDer::from(certificate.raw);
    let end_entity = EndEntityCert::try_from(&der)
        .map_err(|error| TimestampError::Certificate(error.to_string()))?;
    signature_holds(&end_entity, &signed.signer)?;
    certificate.must_be_for_timestamping()?;
    in_date(&certificate, statement.time)?;

    let mut others = signed.certificates;
    others.retain(|raw| *raw != certificate.raw);
    let anchored = anchor(&end_entity, &others, statement.time, trust)?;
    Ok(Verified {
        time: statement.time,
        accuracy_us: statement.accuracy_us,
        policy: statement.policy,
        serial: statement.serial,
        signer: name::shown(certificate.subject)?,
        anchored,
    })
}

fn is_about(statement: &Statement, wanted: &Imprint) -> Result<(), TimestampError> {
    let found = &statement.imprint;
    if found.hash == HashAlgorithm::Sha1 || wanted.hash == HashAlgorithm::Sha1 {
        return Err(TimestampError::WeakAlgorithm("the imprint"));
    }
    if found.hash != wanted.hash {
        let (wanted, found) = (wanted.hash, found.hash);
        return Err(TimestampError::ImprintAlgorithm { wanted, found });
    }
    if found.digest == wanted.digest { Ok(()) } else { Err(TimestampError::ImprintDiffers) }
}

fn answers(statement: &Statement, nonce: Option<u64>) -> Result<(), TimestampError> {
    let Some(sent) = nonce else { return Ok(()) };
    let found = statement.nonce.as_deref().ok_or(TimestampError::NonceMissing)?;
    let same = write::trimmed(found) == write::trimmed(&sent.to_be_bytes());
    if same { Ok(()) } else { Err(TimestampError::NonceDiffers) }
}

/// The signed attributes speak of this content (RFC 5652 §5.4).
fn covers(signer: &Signer<'_>, content: &[u8]) -> Result<(), TimestampError> {
    let attributes = &signer.attributes;
    if attributes.one(&oid::CONTENT_TYPE, "content type")?.oid()? != oid::TST_INFO {
        return Err(TimestampError::ContentTypeDiffers);
    }
    let digest = attributes.one(&oid::MESSAGE_DIGEST, "message digest")?;
    let digest = digest.must(::der::Tag::OctetString)?.content;
    if digest == signer.hash.digest(content) {
        Ok(())
    } else {
        Err(TimestampError::MessageDigestDiffers)
    }
}

/// One of the schemes the algorithm allows fits the signer's key, and the signature holds under it.
fn signature_holds(
    certificate: &EndEntityCert<'_>,
    signer: &Signer<'_>,
) -> Result<(), TimestampError> {
    let message = signer.attributes.signed();
    for scheme in schemes(signer.algorithm, signer.hash)? {
        match certificate.verify_signature(scheme, &message, signer.signature) {
            Ok(()) => return Ok(()),
            Err(Error::InvalidSignatureForPublicKey) => return Err(TimestampError::SignatureWrong),
            Err(_) => (), // Another kind of key: the next scheme may fit.
        }
    }
    Err(TimestampError::Key)
}

fn in_date(certificate: &Certificate<'_>, at: Timestamp) -> Result<(), TimestampError> {
    if certificate.was_valid_at(at) {
        return Ok(());
    }
    let (from, until) = (certificate.valid_from, certificate.valid_until);
    Err(TimestampError::SignerOutOfDate { at, from, until })
}
