//! A time-stamping authority of one's own, for tests: it issues real tokens, and bad ones on request.
//!
//! Its keys follow from its name, so that every process knows the same authority. Nobody should trust it outside a
//! test: whoever knows the name has the keys.

mod flaw;
mod issue;
mod seal;

use jiff::Timestamp;

use crate::der::{Value, around};
use crate::{TimestampError, Trust, write};
use ::der::Tag;

pub use flaw::Flaw;
use issue::{Curve, Party};

/// Why the stub could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StubError {
    /// What was asked is no request.
    #[error("the request cannot be read")]
    Request(#[from] TimestampError),
    /// The library refused to make a key or a signature.
    #[error("no key or signature could be made")]
    Crypto,
}

impl From<aws_lc_rs::error::Unspecified> for StubError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Crypto
    }
}

impl From<aws_lc_rs::error::KeyRejected> for StubError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::Crypto
    }
}

/// A root, an issuer under it, and a signer under that. All are valid from 2020: the issuer to the end of 2042, the root
/// to the end of 2044, the signer to the end of 2049.
#[derive(Debug)]
pub struct Authority {
    root: Party,
    issuer: Party,
    signer: Party,
    curve: Curve,
}

/// What a request asks (`TimeStampReq`).
struct Asked<'a> {
    /// The imprint and the nonce, each whole, to be given back as they came.
    imprint: &'a [u8],
    nonce: &'a [u8],
    with_certificate: bool,
}

impl Authority {
    /// The authority of this name, with keys on P-256 and hashes of SHA-256.
    ///
    /// # Errors
    /// [`StubError::Crypto`], which no name is known to cause.
    pub fn new(name: &str) -> Result<Self, StubError> {
        Self::on(Curve::P256, name)
    }

    /// The same on P-384 with SHA-384.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn on_p384(name: &str) -> Result<Self, StubError> {
        Self::on(Curve::P384, name)
    }

    fn on(curve: Curve, name: &str) -> Result<Self, StubError> {
        let root = Party::new(curve, &format!("{name} Root"))?;
        let issuer = Party::new(curve, &format!("{name} Issuer"))?;
        let signer = Party::new(curve, &format!("{name} Signer"))?;
        Ok(Self { root, issuer, signer, curve })
    }

    /// The root's certificate, DER.
    ///
    /// # Errors
    /// [`StubError::Crypto`].
    pub fn root(&self) -> Result<Vec<u8>, StubError> {
        self.root.certify(&self.root, issue::ROOT_UNTIL, &issue::ca_extensions())
    }

    /// Trust in this authority alone.
    ///
    /// # Errors
    /// [`StubError::Crypto`].
    pub fn trust(&self) -> Result<Trust, StubError> {
        Ok(Trust { roots: vec![self.root()?] })
    }

    /// Answers a DER request with a DER reply that puts the time `at` to it.
    ///
    /// # Errors
    /// [`StubError::Request`] where the request cannot be read.
    pub fn answer(&self, request: &[u8], at: Timestamp) -> Result<Vec<u8>, StubError> {
        self.reply(request, at, None)
    }

    /// The same with something wrong about it.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn answer_badly(
        &self,
        request: &[u8],
        at: Timestamp,
        flaw: Flaw,
    ) -> Result<Vec<u8>, StubError> {
        self.reply(request, at, Some(flaw))
    }

    fn reply(
        &self,
        request: &[u8],
        at: Timestamp,
        flaw: Option<Flaw>,
    ) -> Result<Vec<u8>, StubError> {
        let asked = read(request)?;
        if flaw == Some(Flaw::Declined) {
            let words = write::sequence(&[&write::value(write::UTF8_STRING, &[b"not today"])]);
            let failure = write::value(write::BIT_STRING, &[&[5, 0b0010_0000]]);
            let status = write::sequence(&[&write::natural(&[2]), &words, &failure]);
            return Ok(write::sequence(&[&status]));
        }
        let status = write::sequence(&[&write::natural(&[0])]);
        let token = seal::token(self, &asked, at, flaw)?;
        Ok(write::sequence(&[&status, &token]))
    }
}

fn read(request: &[u8]) -> Result<Asked<'_>, TimestampError> {
    let whole = Value::whole(request, "the request")?.must(Tag::Sequence)?;
    let mut fields = whole.fields("the request")?;
    fields.next(Tag::Integer)?;
    let imprint = fields.next(Tag::Sequence)?.raw;
    fields.maybe(Tag::ObjectIdentifier)?; // The policy wished for.
    let nonce = fields.maybe(Tag::Integer)?.map(|nonce| nonce.raw).unwrap_or_default();
    let with_certificate = fields.maybe(Tag::Boolean)?.map(Value::boolean).transpose()?;
    fields.maybe(around(0))?;
    fields.end()?;
    Ok(Asked { imprint, nonce, with_certificate: with_certificate.unwrap_or(false) })
}
