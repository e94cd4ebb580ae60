//! Whose word counts: the roots a reader trusts, and whether a signer's certificate leads to one of them.

use std::time::Duration;

use jiff::Timestamp;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::certificate::Certificate;
use crate::{TimestampError, algorithm, name};

/// The roots a reader trusts for timestamps. They are his choice, never the token's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// Whole DER certificates. With none, a token can only turn out [`Anchor::Unvouched`].
    pub roots: Vec<Vec<u8>>,
}

/// Who vouches for a signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchor {
    /// This given root does, by its subject (RFC 4514).
    Root(String),
    /// Nobody: no root was given. The signature holds, but anybody could have made it, under any name and any time.
    Unvouched,
}

impl Trust {
    /// Trusts nobody: signatures are checked, and every signer is [`Anchor::Unvouched`].
    pub fn nobody() -> Self {
        Self::default()
    }

    /// The roots of a PEM file, one or many; what stands between them is passed over.
    ///
    /// # Errors
    /// [`TimestampError::Root`] where there is no certificate, or one that cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, TimestampError> {
        let mut roots = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|_| TimestampError::Root)?;
            anchor_from_trusted_cert(&certificate).map_err(|_| TimestampError::Root)?;
            Certificate::read(&certificate).map_err(|_| TimestampError::Root)?;
            roots.push(certificate.to_vec());
        }
        if roots.is_empty() { Err(TimestampError::Root) } else { Ok(Self { roots }) }
    }
}

/// The content of the identifier id-kp-timeStamping, as `webpki` wants it.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// Leads the signer's certificate, by way of the others in the token, to a given root; all of them valid at `time`, the
/// root included.
pub(crate) fn anchor(
    signer: &EndEntityCert<'_>,
    others: &[&[u8]],
    time: Timestamp,
    trust: &Trust,
) -> Result<Anchor, TimestampError> {
    if trust.roots.is_empty() {
        return Ok(Anchor::Unvouched);
    }
    let roots: Vec<_> =
        trust.roots.iter().map(|root| CertificateDer::from(root.as_slice())).collect();
    let (mut anchors, mut subjects) = (Vec::new(), Vec::new());
    for root in &roots {
        let read = Certificate::read(root).map_err(|_| TimestampError::Root)?;
        let anchor = anchor_from_trusted_cert(root).map_err(|_| TimestampError::Root)?;
        if read.was_valid_at(time) {
            subjects.push((anchor.clone(), read.subject));
            anchors.push(anchor);
        }
    }
    if anchors.is_empty() {
        return Err(TimestampError::RootsOutOfDate);
    }
    let others: Vec<_> = others.iter().map(|raw| CertificateDer::from(*raw)).collect();
    // For the certificates between: they may name no purpose, but if they do this must be among them (RFC 5280
    // §4.2.1.12 speaks of the signer alone, and the signer was looked at more strictly before).
    let usage = KeyUsage::required_if_present(TIME_STAMPING);
    let path = signer
        .verify_for_usage(algorithm::CHAIN, &anchors, &others, unix(time)?, usage, None, None)
        .map_err(|error| TimestampError::Untrusted(error.to_string()))?;
    let reached = subjects.iter().find(|(anchor, _)| anchor == path.anchor());
    let subject = reached.map(|(_, subject)| *subject).ok_or(TimestampError::Root)?;
    Ok(Anchor::Root(name::shown(subject)?))
}

fn unix(time: Timestamp) -> Result<UnixTime, TimestampError> {
    let seconds = u64::try_from(time.as_second());
    let seconds =
        seconds.map_err(|_| TimestampError::Untrusted("a time before 1970".to_owned()))?;
    Ok(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
}
