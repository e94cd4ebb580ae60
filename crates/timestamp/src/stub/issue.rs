//! Keys that follow from names, and certificates over them (RFC 5280).

use ::der::asn1::ObjectIdentifier;
use aws_lc_rs::agreement;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};

use super::{Flaw, StubError};
use crate::{HashAlgorithm, oid, write};

const FROM: &[u8] = b"200101000000Z";
/// The last second of the root, as `UTCTime`.
pub(super) const ROOT_UNTIL: &[u8] = b"441231235959Z";
/// The last second of the issuer, as `UTCTime`.
pub(super) const ISSUER_UNTIL: &[u8] = b"421231235959Z";
/// The last second of the signer, as `UTCTime`.
pub(super) const SIGNER_UNTIL: &[u8] = b"491231235959Z";

const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");

/// A curve and the hash that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    pub(super) fn hash(self) -> HashAlgorithm {
        match self {
            Self::P256 => HashAlgorithm::Sha256,
            Self::P384 => HashAlgorithm::Sha384,
        }
    }

    pub(super) fn digest_oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => oid::SHA256,
            Self::P384 => oid::SHA384,
        }
    }

    pub(super) fn signature_oid(self) -> ObjectIdentifier {
        match self {
            Self::P256 => oid::ECDSA_SHA256,
            Self::P384 => oid::ECDSA_SHA384,
        }
    }
}

/// Somebody with a name and a key.
#[derive(Debug)]
pub(super) struct Party {
    curve: Curve,
    /// A DER `Name` of one common name.
    pub(super) name: Vec<u8>,
    /// A DER INTEGER.
    pub(super) serial: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Party {
    pub(super) fn new(curve: Curve, name: &str) -> Result<Self, StubError> {
        let secret = curve.hash().digest(name.as_bytes());
        let (agreeing, signing) = match curve {
            Curve::P256 => (&agreement::ECDH_P256, &ECDSA_P256_SHA256_ASN1_SIGNING),
            Curve::P384 => (&agreement::ECDH_P384, &ECDSA_P384_SHA384_ASN1_SIGNING),
        };
        let public = agreement::PrivateKey::from_private_key(agreeing, &secret)?;
        let public = public.compute_public_key()?;
        let key = EcdsaKeyPair::from_private_key_and_public_key(signing, &secret, public.as_ref())?;
        let text = write::value(write::UTF8_STRING, &[name.as_bytes()]);
        let pair = write::sequence(&[&write::oid(&oid::COMMON_NAME), &text]);
        let written = write::sequence(&[&write::value(write::SET, &[&pair])]);
        let number = HashAlgorithm::Sha256.digest(key.public_key().as_ref());
        let serial = write::natural(number.get(..8).unwrap_or_default());
        Ok(Self { curve, name: written, serial, key })
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, StubError> {
        Ok(self.key.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
    }

    /// A certificate over this party, signed by `issuer`.
    pub(super) fn certify(
        &self,
        issuer: &Self,
        until: &[u8],
        extensions: &[Vec<u8>],
    ) -> Result<Vec<u8>, StubError> {
        self.certify_as(&issuer.name, issuer, until, extensions)
    }

    /// The same, with another name for the issuer than the signer's.
    pub(super) fn certify_as(
        &self,
        issuer: &[u8],
        signed_by: &Self,
        until: &[u8],
        extensions: &[Vec<u8>],
    ) -> Result<Vec<u8>, StubError> {
        let version = write::value(0xa0, &[&write::natural(&[2])]);
        let algorithm = write::algorithm(&signed_by.curve.signature_oid());
        let from = write::value(write::UTC_TIME, &[FROM]);
        let validity = write::sequence(&[&from, &write::value(write::UTC_TIME, &[until])]);
        let extensions = write::value(0xa3, &[&write::sequence(&[&extensions.concat()])]);
        let inner = write::sequence(&[
            &version,
            &self.serial,
            &algorithm,
            issuer,
            &validity,
            &self.name,
            &self.public_key(),
            &extensions,
        ]);
        let signature = signed_by.sign(&inner)?;
        let signature = write::value(write::BIT_STRING, &[&[0], &signature]);
        Ok(write::sequence(&[&inner, &algorithm, &signature]))
    }

    /// A DER `SubjectPublicKeyInfo`.
    fn public_key(&self) -> Vec<u8> {
        let curve = match self.curve {
            Curve::P256 => P256,
            Curve::P384 => P384,
        };
        let algorithm = write::sequence(&[&write::oid(&EC_KEY), &write::oid(&curve)]);
        let point = write::value(write::BIT_STRING, &[&[0], self.key.public_key().as_ref()]);
        write::sequence(&[&algorithm, &point])
    }
}

fn extension(kind: &ObjectIdentifier, critical: bool, content: &[u8]) -> Vec<u8> {
    let mark = if critical { write::value(write::BOOLEAN, &[&[0xff]]) } else { Vec::new() };
    let content = write::value(write::OCTET_STRING, &[content]);
    write::sequence(&[&write::oid(kind), &mark, &content])
}

/// An authority over certificates whose key signs them (`keyCertSign`, bit 5).
pub(super) fn ca_extensions() -> Vec<Vec<u8>> {
    let authority = write::sequence(&[&write::value(write::BOOLEAN, &[&[0xff]])]);
    let usage = write::value(write::BIT_STRING, &[&[2, 0b0000_0100]]);
    vec![extension(&BASIC_CONSTRAINTS, true, &authority), extension(&oid::KEY_USAGE, true, &usage)]
}

/// A signer of timestamps, unless flawed.
pub(super) fn signer_extensions(flaw: Option<Flaw>) -> Vec<Vec<u8>> {
    let usage = if flaw == Some(Flaw::KeyUsage) { [5, 0b0010_0000] } else { [7, 0b1000_0000] };
    let usage = write::value(write::BIT_STRING, &[&usage]);
    let mut extensions = vec![extension(&oid::KEY_USAGE, true, &usage)];
    let (ours, other) = (write::oid(&oid::TIME_STAMPING), write::oid(&CODE_SIGNING));
    let purposes = match flaw {
        Some(Flaw::NoPurpose) => return extensions,
        Some(Flaw::SecondPurpose) => write::sequence(&[&ours, &other]),
        Some(Flaw::OtherPurpose) => write::sequence(&[&other]),
        _ => write::sequence(&[&ours]),
    };
    let critical = flaw != Some(Flaw::PurposeNotCritical);
    extensions.push(extension(&oid::EXTENDED_KEY_USAGE, critical, &purposes));
    extensions
}
