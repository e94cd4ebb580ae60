//! The short list of algorithms: SHA-2 hashes, RSA PKCS#1 v1.5 from 2048 bits, ECDSA on P-256 and P-384.

use std::fmt;

use ::der::Tag;
use ::der::asn1::ObjectIdentifier;
use aws_lc_rs::{digest, signature};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

use crate::der::Value;
use crate::{TimestampError, oid};

/// A hash met in timestamps. SHA-1 can be read, and named when it is refused; it is never believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-1, 20 bytes, broken.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-384, 48 bytes.
    Sha384,
    /// SHA-512, 64 bytes.
    Sha512,
}

impl HashAlgorithm {
    /// How long its digests are, in bytes.
    pub fn size_bytes(self) -> usize {
        self.implementation().output_len()
    }

    /// The digest of `bytes`.
    pub(crate) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.implementation(), bytes).as_ref().to_vec()
    }

    fn implementation(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    /// The hash of an `AlgorithmIdentifier`, SHA-1 included.
    pub(crate) fn read(value: Value<'_>, role: &'static str) -> Result<Self, TimestampError> {
        let algorithm = without_parameters(value, role)?;
        let known = [
            (oid::SHA1, Self::Sha1),
            (oid::SHA256, Self::Sha256),
            (oid::SHA384, Self::Sha384),
            (oid::SHA512, Self::Sha512),
        ];
        let found = known.iter().find(|(one, _)| *one == algorithm);
        found.map(|(_, hash)| *hash).ok_or_else(|| unknown(role, &algorithm))
    }

    /// The same, where SHA-1 will not do.
    pub(crate) fn strong(value: Value<'_>, role: &'static str) -> Result<Self, TimestampError> {
        match Self::read(value, role)? {
            Self::Sha1 => Err(TimestampError::WeakAlgorithm(role)),
            hash => Ok(hash),
        }
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

fn unknown(role: &'static str, algorithm: &ObjectIdentifier) -> TimestampError {
    TimestampError::UnknownAlgorithm { role, oid: algorithm.to_string() }
}

/// The algorithm of an `AlgorithmIdentifier` whose parameters are absent or NULL, as all on the list have them.
fn without_parameters(
    value: Value<'_>,
    role: &'static str,
) -> Result<ObjectIdentifier, TimestampError> {
    let mut fields = value.must(Tag::Sequence)?.fields(role)?;
    let algorithm = fields.next(Tag::ObjectIdentifier)?.oid()?;
    if let Some(null) = fields.maybe(Tag::Null)?
        && !null.content.is_empty()
    {
        return Err(null.malformed());
    }
    if fields.is_empty() { Ok(algorithm) } else { Err(unknown(role, &algorithm)) }
}

/// The ways in which a signature algorithm of CMS can be checked, one for each kind of key, the hash being that of the
/// signer's digest algorithm: where an identifier names another hash it is refused.
pub(crate) fn schemes(
    value: Value<'_>,
    hash: HashAlgorithm,
) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, TimestampError> {
    let role = "the signature";
    let algorithm = without_parameters(value, role)?;
    let rsa = algorithm == oid::RSA;
    match hash {
        HashAlgorithm::Sha256 if rsa || algorithm == oid::RSA_SHA256 => Ok(vec![&RSA_SHA256]),
        HashAlgorithm::Sha384 if rsa || algorithm == oid::RSA_SHA384 => Ok(vec![&RSA_SHA384]),
        HashAlgorithm::Sha512 if rsa || algorithm == oid::RSA_SHA512 => Ok(vec![&RSA_SHA512]),
        HashAlgorithm::Sha256 if algorithm == oid::ECDSA_SHA256 => {
            Ok(vec![&P256_SHA256, &P384_SHA256])
        }
        HashAlgorithm::Sha384 if algorithm == oid::ECDSA_SHA384 => {
            Ok(vec![&P256_SHA384, &P384_SHA384])
        }
        HashAlgorithm::Sha512 if algorithm == oid::ECDSA_SHA512 => {
            Ok(vec![&P256_SHA512, &P384_SHA512])
        }
        _ => Err(unknown(role, &algorithm)),
    }
}

/// Every way in which a certificate of the chain may be signed.
pub(crate) static CHAIN: &[&dyn SignatureVerificationAlgorithm] = &[
    &RSA_SHA256,
    &RSA_SHA384,
    &RSA_SHA512,
    &P256_SHA256,
    &P256_SHA384,
    &P256_SHA512,
    &P384_SHA256,
    &P384_SHA384,
    &P384_SHA512,
];

/// A kind of key, a kind of signature, and what checks them. Written here rather than taken from `webpki`, whose
/// feature for it would change how AWS-LC is built for the whole house.
#[derive(Debug)]
struct Scheme {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    check: &'static dyn signature::VerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for Scheme {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = signature::UnparsedPublicKey::new(self.check, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

static RSA_SHA256: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA256,
    check: &signature::RSA_PKCS1_2048_8192_SHA256,
};
static RSA_SHA384: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA384,
    check: &signature::RSA_PKCS1_2048_8192_SHA384,
};
static RSA_SHA512: Scheme = Scheme {
    key: alg_id::RSA_ENCRYPTION,
    signature: alg_id::RSA_PKCS1_SHA512,
    check: &signature::RSA_PKCS1_2048_8192_SHA512,
};
static P256_SHA256: Scheme = Scheme {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA256,
    check: &signature::ECDSA_P256_SHA256_ASN1,
};
static P256_SHA384: Scheme = Scheme {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA384,
    check: &signature::ECDSA_P256_SHA384_ASN1,
};
static P256_SHA512: Scheme = Scheme {
    key: alg_id::ECDSA_P256,
    signature: alg_id::ECDSA_SHA512,
    check: &signature::ECDSA_P256_SHA512_ASN1,
};
static P384_SHA256: Scheme = Scheme {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA256,
    check: &signature::ECDSA_P384_SHA256_ASN1,
};
static P384_SHA384: Scheme = Scheme {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA384,
    check: &signature::ECDSA_P384_SHA384_ASN1,
};
static P384_SHA512: Scheme = Scheme {
    key: alg_id::ECDSA_P384,
    signature: alg_id::ECDSA_SHA512,
    check: &signature::ECDSA_P384_SHA512_ASN1,
};
