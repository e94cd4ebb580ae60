//! Every reason why a timestamp is not believed, each with its own name.

use jiff::Timestamp;

use crate::HashAlgorithm;

/// Why a reply is no timestamp for us. The text is for a reader of logs and reports; it quotes nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// The reply is longer than [`crate::REPLY_BYTES_MAX`]; how long, in bytes.
    #[error("the reply has {0} bytes, more than a timestamp needs")]
    TooLarge(usize),
    /// The part named cannot be read as strict DER of the expected shape; truncated replies end here too.
    #[error("{0} cannot be read")]
    Malformed(&'static str),
    /// Something follows where the part named should have ended.
    #[error("something follows after {0}")]
    Trailing(&'static str),
    /// The authority declined (RFC 3161 §2.4.2): its status, and the reasons it gave.
    #[error("the authority declined with status {status}: {reason}")]
    Declined {
        /// The number of `PKIStatus`, 2 for «rejection».
        status: u32,
        /// The names of the failure bits and the authority's own words.
        reason: String,
    },
    /// The envelope is of another type than the one named.
    #[error("the content is of type {found}, not {wanted}")]
    ContentType {
        /// What it should be: `signedData` or `TSTInfo`.
        wanted: &'static str,
        /// The object identifier found.
        found: String,
    },
    /// The statement has a version other than 1.
    #[error("the statement is of version {0}, only 1 is known")]
    Version(u32),
    /// The statement bears a critical extension nobody here understands.
    #[error("the statement has the critical extension {0}, which is not known")]
    CriticalExtension(String),
    /// An algorithm that is not on the short list.
    #[error("{role}: the algorithm {oid} is not known")]
    UnknownAlgorithm {
        /// Where it stands.
        role: &'static str,
        /// Its object identifier.
        oid: String,
    },
    /// SHA-1 where collisions matter.
    #[error("{0}: SHA-1 is too weak")]
    WeakAlgorithm(&'static str),
    /// The imprint was made with another hash.
    #[error("the imprint was made with {found}, not {wanted}")]
    ImprintAlgorithm {
        /// The hash we made.
        wanted: HashAlgorithm,
        /// The hash in the token.
        found: HashAlgorithm,
    },
    /// The token is for something else.
    #[error("the imprint is of something else")]
    ImprintDiffers,
    /// A nonce was sent and none came back.
    #[error("the token has no nonce")]
    NonceMissing,
    /// The token answers another request.
    #[error("the nonce is another")]
    NonceDiffers,
    /// There must be one signer.
    #[error("the token has {0} signers, not one")]
    Signers(usize),
    /// The signer names himself in a way RFC 3161 authorities do not (not by issuer and serial).
    #[error("the signer is not named by issuer and serial number")]
    SignerName,
    /// More certificates than a chain can need.
    #[error("the token carries too many certificates")]
    TooManyCertificates,
    /// The attribute named is not signed.
    #[error("the signed attribute {0} is missing")]
    AttributeMissing(&'static str),
    /// The attribute named is there twice, or has not exactly one value.
    #[error("the signed attribute {0} is not there exactly once")]
    AttributeRepeated(&'static str),
    /// The signed content type is not that of the content.
    #[error("the signed content type is not that of a timestamp")]
    ContentTypeDiffers,
    /// The signed digest is not that of the statement.
    #[error("the signed digest is not that of the statement")]
    MessageDigestDiffers,
    /// The signer's certificate is not in the token, though it was asked for.
    #[error("the signer's certificate is not in the token")]
    CertificateMissing,
    /// The signed reference is to another certificate (RFC 5816).
    #[error("the signed reference is to another certificate")]
    SigningCertificateDiffers,
    /// The signer's certificate cannot be used; why.
    #[error("the signer's certificate cannot be used: {0}")]
    Certificate(String),
    /// The signer's key is of another kind than the signature.
    #[error("the signer's key is of another kind than the signature")]
    Key,
    /// The signature does not fit.
    #[error("the signature does not hold")]
    SignatureWrong,
    /// RFC 3161 §2.3: the certificate must be for timestamping, critically so, and for nothing else.
    #[error("the signer's certificate is not for timestamping alone")]
    Purpose,
    /// The signer's key must not sign, says its certificate.
    #[error("the signer's key is not for signatures")]
    KeyUsage,
    /// The signer's certificate was not valid at the time stated.
    #[error("the signer's certificate is valid from {from} until {until}, not at {at}")]
    SignerOutOfDate {
        /// The time the token states.
        at: Timestamp,
        /// First moment of validity.
        from: Timestamp,
        /// Last second of validity.
        until: Timestamp,
    },
    /// None of the given roots was valid at the time stated.
    #[error("no given root was valid at the time stated")]
    RootsOutOfDate,
    /// The chain does not reach a given root; why.
    #[error("the signer's chain reaches no given root: {0}")]
    Untrusted(String),
    /// A given root is no certificate.
    #[error("a given root is not a certificate")]
    Root,
}
