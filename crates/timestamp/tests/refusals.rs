//! Every kind of bad timestamp is refused, each for its own reason; the good ones of the stub hold.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use assay_timestamp::stub::{Authority, Flaw};
use assay_timestamp::{
    Anchor, HashAlgorithm, Imprint, REPLY_BYTES_MAX, Request, Statement, TimestampError, Trust,
    verify, verify_imprint,
};
use jiff::Timestamp;

const DIGEST: [u8; 32] = [0x5a; 32];
const NONCE: u64 = 0x8000_0000_0000_0007;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-23T12:00:00.25Z")
}

fn request() -> Vec<u8> {
    Request::new(DIGEST, NONCE).to_der()
}

fn authority() -> Authority {
    Authority::new("Assay Test").unwrap()
}

/// Why a token with the flaw is refused, by one who trusts its root.
fn refusal(flaw: Flaw) -> TimestampError {
    let authority = authority();
    let reply = authority.answer_badly(&request(), noon(), flaw).unwrap();
    verify(&reply, &DIGEST, Some(NONCE), &authority.trust().unwrap()).unwrap_err()
}

#[test]
fn a_token_of_the_stub_holds() {
    for authority in [authority(), Authority::on_p384("Assay Test 384").unwrap()] {
        let reply = authority.answer(&request(), noon()).unwrap();
        let found = verify(&reply, &DIGEST, Some(NONCE), &authority.trust().unwrap()).unwrap();
        assert_eq!(found.time, noon());
        assert_eq!(found.accuracy_us, Some(1_000_000));
        assert_eq!(found.policy, "1.2.3.4.1");
        assert!(found.signer.ends_with(" Signer"), "{}", found.signer);
        let Anchor::Root(root) = found.anchored else { panic!("{:?}", found.anchored) };
        assert!(root.ends_with(" Root"), "{root}");
        let stated = Statement::read(&reply).unwrap();
        assert_eq!(stated.authority, Some(found.signer));
        assert_eq!(stated.serial, found.serial);
    }
}

#[test]
fn the_same_name_is_the_same_authority_in_every_process() {
    let reply = authority().answer(&request(), noon()).unwrap();
    let (mine, other) = (authority(), Authority::new("Somebody Else").unwrap());
    assert!(verify(&reply, &DIGEST, Some(NONCE), &mine.trust().unwrap()).is_ok());
    let refused = verify(&reply, &DIGEST, Some(NONCE), &other.trust().unwrap()).unwrap_err();
    assert!(matches!(refused, TimestampError::Untrusted(_)), "{refused:?}");
}

#[test]
fn a_token_over_something_else_or_for_another_request_is_refused() {
    let trust = authority().trust().unwrap();
    let reply = authority().answer(&request(), noon()).unwrap();
    let refused = verify(&reply, &[0x5b; 32], Some(NONCE), &trust).unwrap_err();
    assert_eq!(refused, TimestampError::ImprintDiffers);
    let refused = verify(&reply, &DIGEST, Some(7), &trust).unwrap_err();
    assert_eq!(refused, TimestampError::NonceDiffers);
    assert!(verify(&reply, &DIGEST, None, &trust).is_ok());
}

#[test]
fn every_flaw_has_its_own_refusal() {
    use TimestampError as E;
    let declined = E::Declined { status: 2, reason: "not today, badRequest".to_owned() };
    let plain = "1.2.840.113549.1.7.1".to_owned();
    let unknown = |role, oid: &str| E::UnknownAlgorithm { role, oid: oid.to_owned() };
    let cases = [
        (Flaw::Declined, declined),
        (Flaw::NoCertificate, E::CertificateMissing),
        (Flaw::NoPurpose, E::Purpose),
        (Flaw::PurposeNotCritical, E::Purpose),
        (Flaw::SecondPurpose, E::Purpose),
        (Flaw::OtherPurpose, E::Purpose),
        (Flaw::KeyUsage, E::KeyUsage),
        (Flaw::NoIssuer, E::Untrusted("UnknownIssuer".to_owned())),
        (Flaw::Impostor, E::Untrusted("InvalidSignatureForPublicKey".to_owned())),
        (Flaw::NoSigner, E::Signers(0)),
        (Flaw::TwoSigners, E::Signers(2)),
        (Flaw::NamedByKey, E::SignerName),
        (Flaw::OtherContent, E::ContentType { wanted: "TSTInfo", found: plain.clone() }),
        (Flaw::OtherVersion, E::Version(2)),
        (Flaw::CriticalExtension, E::CriticalExtension(plain)),
        (Flaw::NoNonce, E::NonceMissing),
        (Flaw::NoAttributes, E::AttributeMissing("content type")),
        (Flaw::OtherContentType, E::ContentTypeDiffers),
        (Flaw::NoMessageDigest, E::AttributeMissing("message digest")),
        (Flaw::OtherMessageDigest, E::MessageDigestDiffers),
        (Flaw::TwoMessageDigests, E::AttributeRepeated("message digest")),
        (Flaw::NoSigningCertificate, E::AttributeMissing("signing certificate")),
        (Flaw::OtherSigningCertificate, E::SigningCertificateDiffers),
        (Flaw::OtherSerial, E::SigningCertificateDiffers),
        (Flaw::OtherFirstForm, E::SigningCertificateDiffers),
        (Flaw::UnknownDigest, unknown("the digest", "1.2.840.113549.2.5")),
        (Flaw::WeakDigest, E::WeakAlgorithm("the digest")),
        (Flaw::UnknownSignature, unknown("the signature", "1.2.840.113549.1.1.10")),
        (Flaw::OtherKey, E::Key),
        (Flaw::OtherSignature, E::SignatureWrong),
    ];
    for (flaw, wanted) in cases {
        assert_eq!(refusal(flaw), wanted, "{flaw:?}");
    }
}

/// An impostor gains nothing but what anybody has: a name nobody vouches for.
#[test]
fn without_roots_an_impostor_is_unvouched() {
    let reply = authority().answer_badly(&request(), noon(), Flaw::Impostor).unwrap();
    let found = verify(&reply, &DIGEST, Some(NONCE), &Trust::nobody()).unwrap();
    assert_eq!(found.anchored, Anchor::Unvouched);
}

#[test]
fn certificates_count_at_the_time_stated() {
    let authority = authority();
    let trust = authority.trust().unwrap();
    let check = |time: &str, trust: &Trust| {
        let reply = authority.answer(&request(), at(time)).unwrap();
        verify(&reply, &DIGEST, Some(NONCE), trust)
    };
    for good in ["2020-01-01T00:00:00Z", "2042-12-31T23:59:59.999Z"] {
        assert!(check(good, &trust).is_ok(), "{good}");
    }
    for bad in ["2019-12-31T23:59:59.999Z", "2050-01-01T00:00:00Z", "1969-12-31T00:00:00Z"] {
        for trust in [&trust, &Trust::nobody()] {
            let refused = check(bad, trust).unwrap_err();
            assert!(matches!(refused, TimestampError::SignerOutOfDate { .. }), "{refused:?}");
        }
    }
    let issuer = check("2043-01-01T00:00:00Z", &trust).unwrap_err();
    assert!(matches!(&issuer, TimestampError::Untrusted(why) if why.contains("CertExpired")));
    let root = check("2045-01-01T00:00:00Z", &trust).unwrap_err();
    assert_eq!(root, TimestampError::RootsOutOfDate);
    let alone = check("2045-01-01T00:00:00Z", &Trust::nobody()).unwrap();
    assert_eq!(alone.anchored, Anchor::Unvouched);
}

/// A `TimeStampReq` over an imprint of any hash; `algorithm` is the hexadecimal identifier with its header.
fn request_over(algorithm: &str, digest: &[u8]) -> Vec<u8> {
    let algorithm = hex::decode(algorithm).unwrap();
    let tlv =
        |tag: u8, content: &[u8]| [&[tag, u8::try_from(content.len()).unwrap()], content].concat();
    let imprint = [tlv(0x30, &algorithm), tlv(0x04, digest)].concat();
    let body = [tlv(2, &[1]), tlv(0x30, &imprint), tlv(1, &[0xff])].concat();
    tlv(0x30, &body)
}

#[test]
fn a_sha1_imprint_is_read_and_refused() {
    let reply = authority().answer(&request_over("06052b0e03021a", &[1; 20]), noon()).unwrap();
    let read = Statement::read(&reply).unwrap();
    assert_eq!(read.imprint, Imprint { hash: HashAlgorithm::Sha1, digest: vec![1; 20] });
    let weak = TimestampError::WeakAlgorithm("the imprint");
    let refused = verify(&reply, &DIGEST, None, &Trust::nobody()).unwrap_err();
    assert_eq!(refused, weak);
    let refused = verify_imprint(&reply, &read.imprint, None, &Trust::nobody()).unwrap_err();
    assert_eq!(refused, weak);
}

#[test]
fn a_sha384_imprint_holds_and_an_unknown_one_does_not() {
    let sha384 = request_over("0609608648016503040202", &[1; 48]);
    let reply = authority().answer(&sha384, noon()).unwrap();
    let imprint = Imprint { hash: HashAlgorithm::Sha384, digest: vec![1; 48] };
    assert!(verify_imprint(&reply, &imprint, None, &Trust::nobody()).is_ok());

    let sha3 = authority().answer(&request_over("0609608648016503040208", &[1; 32]), noon());
    let oid = "2.16.840.1.101.3.4.2.8".to_owned();
    let refused = verify(&sha3.unwrap(), &DIGEST, None, &Trust::nobody()).unwrap_err();
    assert_eq!(refused, TimestampError::UnknownAlgorithm { role: "the imprint", oid });

    let short = authority().answer(&request_over("0609608648016503040201", &[1; 31]), noon());
    let refused = verify(&short.unwrap(), &DIGEST, None, &Trust::nobody()).unwrap_err();
    assert_eq!(refused, TimestampError::Malformed("the imprint"));
}

#[test]
fn a_reply_ends_where_it_says_and_is_not_too_long() {
    let trust = authority().trust().unwrap();
    let mut reply = authority().answer(&request(), noon()).unwrap();
    reply.push(0);
    let refused = verify(&reply, &DIGEST, Some(NONCE), &trust).unwrap_err();
    assert_eq!(refused, TimestampError::Trailing("the reply"));
    reply.resize(REPLY_BYTES_MAX + 1, 0);
    let refused = verify(&reply, &DIGEST, Some(NONCE), &trust).unwrap_err();
    assert_eq!(refused, TimestampError::TooLarge(REPLY_BYTES_MAX + 1));
}

#[test]
fn a_request_without_a_wish_for_the_certificate_gets_none() {
    let mut request = request();
    request.truncate(request.len() - 3);
    request[1] -= 3;
    let reply = authority().answer(&request, noon()).unwrap();
    let refused = verify(&reply, &DIGEST, Some(NONCE), &Trust::nobody()).unwrap_err();
    assert_eq!(refused, TimestampError::CertificateMissing);
}

#[test]
fn roots_that_are_no_certificates_are_refused() {
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no roots here", nonsense] {
        assert_eq!(Trust::from_pem(pem).unwrap_err(), TimestampError::Root, "{pem}");
    }
    let reply = authority().answer(&request(), noon()).unwrap();
    let trust = Trust { roots: vec![vec![0x30, 0x00]] };
    let refused = verify(&reply, &DIGEST, Some(NONCE), &trust).unwrap_err();
    assert_eq!(refused, TimestampError::Root);
}
