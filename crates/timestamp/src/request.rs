//! What is asked of an authority: «put the time to this digest» (RFC 3161 §2.4.1).

use crate::{oid, write};

/// The content type of a request, in HTTP (RFC 3161 §3.4).
pub const QUERY_TYPE: &str = "application/timestamp-query";

/// The content type of a reply, in HTTP (RFC 3161 §3.4).
pub const REPLY_TYPE: &str = "application/timestamp-reply";

/// A request for a timestamp over a SHA-256 digest, with the signer's certificate in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    sha256: [u8; 32],
    nonce: u64,
}

impl Request {
    /// A request for `sha256`. The nonce, chosen by chance, ties the answer to this request.
    pub fn new(sha256: [u8; 32], nonce: u64) -> Self {
        Self { sha256, nonce }
    }

    /// The request as DER: a `TimeStampReq` of version 1, body of a `POST` with [`QUERY_TYPE`].
    pub fn to_der(&self) -> Vec<u8> {
        let digest = write::value(write::OCTET_STRING, &[&self.sha256]);
        // With parameters of NULL, as every client in wide use writes it; RFC 4055 §2.1 lets both stand.
        let sha256 = write::sequence(&[&write::oid(&oid::SHA256), &write::value(write::NULL, &[])]);
        let imprint = write::sequence(&[&sha256, &digest]);
        let nonce = write::natural(&self.nonce.to_be_bytes());
        let with_certificate = write::value(write::BOOLEAN, &[&[0xff]]);
        write::sequence(&[&write::natural(&[1]), &imprint, &nonce, &with_certificate])
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    /// `openssl ts -query -digest abab… -sha256 -cert` (3.0.19) writes the same, but for the nonce.
    #[test]
    fn a_request_is_written_as_openssl_writes_it() {
        let der = Request::new([0xab; 32], 0xf000_0000_0000_0001).to_der();
        let digest = format!("0420{}", "ab".repeat(32));
        let wanted = [
            "3044",                               // TimeStampReq
            "020101",                             // version 1
            "3031300d06096086480165030402010500", // messageImprint: SHA-256 …
            &digest,                              // … of this
            "020900f000000000000001",             // nonce
            "0101ff",                             // certReq
        ];
        assert_eq!(hex::encode(der), wanted.concat().replace(' ', ""));
    }

    #[test]
    fn a_nonce_of_nought_is_written() {
        let der = Request::new([0; 32], 0).to_der();
        assert!(hex::encode(der).ends_with("0201000101ff"));
    }
}
