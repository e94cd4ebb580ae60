//! What can be wrong with a token the stub issues.

/// One thing wrong; all else about the token is right, and it is signed by the signer's own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// No token: the status is «rejection».
    Declined,
    /// The certificate is left out though it was asked for.
    NoCertificate,
    /// The certificate has no extended key usage.
    NoPurpose,
    /// The certificate's purpose is not marked critical.
    PurposeNotCritical,
    /// The certificate has a second purpose.
    SecondPurpose,
    /// The certificate's purpose is another.
    OtherPurpose,
    /// The certificate's key may encipher, not sign.
    KeyUsage,
    /// The issuer's certificate is left out.
    NoIssuer,
    /// The certificate is said to be issued by the issuer, and is signed by itself.
    Impostor,
    /// There is no signer.
    NoSigner,
    /// There are two signers.
    TwoSigners,
    /// The signer is named by its key.
    NamedByKey,
    /// The content is said to be plain data.
    OtherContent,
    /// The statement has version 2.
    OtherVersion,
    /// The statement has a critical extension.
    CriticalExtension,
    /// The nonce is not given back.
    NoNonce,
    /// There are no signed attributes.
    NoAttributes,
    /// The signed content type is that of plain data.
    OtherContentType,
    /// There is no signed digest.
    NoMessageDigest,
    /// The signed digest is of something else.
    OtherMessageDigest,
    /// The signed digest is there twice.
    TwoMessageDigests,
    /// There is no reference to the certificate.
    NoSigningCertificate,
    /// The reference is to another certificate.
    OtherSigningCertificate,
    /// The reference has the right digest and another serial number.
    OtherSerial,
    /// Beside the reference there is one in the first form, to another certificate.
    OtherFirstForm,
    /// The digest algorithm is MD5.
    UnknownDigest,
    /// The digest algorithm is SHA-1.
    WeakDigest,
    /// The signature algorithm is RSA-PSS.
    UnknownSignature,
    /// The signature algorithm is for RSA keys.
    OtherKey,
    /// The signature is over something else.
    OtherSignature,
}
