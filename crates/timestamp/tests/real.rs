//! Real timestamps of three authorities; what they are is told in `fixtures/rfc3161/ORIGIN.md`.

mod fixtures;

use assay_timestamp::{
    Anchor, HashAlgorithm, Imprint, Statement, TimestampError, Trust, Verified, verify,
    verify_imprint,
};
use fixtures::{DIGICERT, IDENTRUST, REAL, SINPE, imprint};

fn vouched(real: &fixtures::Real) -> Result<Verified, TimestampError> {
    verify_imprint(real.reply, &imprint(), Some(real.nonce), &Trust::from_pem(real.highest)?)
}

fn unvouched(real: &fixtures::Real) -> Result<Verified, TimestampError> {
    verify_imprint(real.reply, &imprint(), Some(real.nonce), &Trust::nobody())
}

#[test]
fn digicert_is_vouched_for_by_its_root() {
    let found = vouched(&DIGICERT).unwrap();
    let wanted = Verified {
        time: "2025-03-24T11:17:47Z".parse().unwrap(),
        accuracy_us: None,
        policy: "2.16.840.1.114412.7.1".to_owned(),
        serial: "5048e337a00e4ec8845f54385ddef87d".to_owned(),
        signer: "CN=DigiCert Timestamp 2024,O=DigiCert,C=US".to_owned(),
        anchored: Anchor::Root(
            "CN=DigiCert Trusted Root G4,OU=www.digicert.com,O=DigiCert Inc,C=US".to_owned(),
        ),
    };
    assert_eq!(found, wanted);
}

#[test]
fn identrust_is_vouched_for_by_its_issuer_though_its_certificate_is_out_of_date_by_now() {
    let found = vouched(&IDENTRUST).unwrap();
    let wanted = Verified {
        time: "2025-03-11T10:43:58Z".parse().unwrap(),
        accuracy_us: None,
        policy: "2.16.840.1.113839.0.6.13.3".to_owned(),
        serial: "40019584cddc0108ae76ad8f30d833a3".to_owned(),
        signer: "CN=TrustID Timestamp Authority,O=IdenTrust,C=US".to_owned(),
        anchored: Anchor::Root("CN=TrustID Timestamping CA 3,O=IdenTrust,C=US".to_owned()),
    };
    assert_eq!(found, wanted);
}

#[test]
fn costa_rica_signs_well_and_nobody_vouches_for_it() {
    let found = unvouched(&SINPE).unwrap();
    let wanted = Verified {
        time: "2025-03-24T11:38:16Z".parse().unwrap(),
        accuracy_us: Some(500_000),
        policy: "2.16.188.1.1.1.1.5".to_owned(),
        serial: "21aee26c".to_owned(),
        signer: "CN=TSA SINPE v3,OU=0001,O=BANCO CENTRAL DE COSTA RICA,C=CR,\
                 serialNumber=CPJ-4-000-004017"
            .to_owned(),
        anchored: Anchor::Unvouched,
    };
    assert_eq!(found, wanted);
}

#[test]
fn a_signer_is_not_its_own_root() {
    let refused = vouched(&SINPE).unwrap_err();
    assert!(matches!(refused, TimestampError::Untrusted(_)), "{refused:?}");
}

#[test]
fn without_roots_all_three_hold_and_none_is_vouched_for() {
    for real in REAL {
        assert_eq!(unvouched(real).unwrap().anchored, Anchor::Unvouched, "{}", real.name);
    }
}

#[test]
fn another_authoritys_root_vouches_for_nobody_else() {
    let trust = Trust::from_pem(DIGICERT.highest).unwrap();
    for real in [&IDENTRUST, &SINPE] {
        let refused = verify_imprint(real.reply, &imprint(), None, &trust).unwrap_err();
        assert!(matches!(refused, TimestampError::Untrusted(_)), "{}: {refused:?}", real.name);
    }
    let both = Trust::from_pem(&[DIGICERT.highest, IDENTRUST.highest].concat()).unwrap();
    assert_eq!(both.roots.len(), 2);
    for real in [&DIGICERT, &IDENTRUST] {
        let found = verify_imprint(real.reply, &imprint(), None, &both).unwrap();
        assert_eq!(found, vouched(real).unwrap(), "{}", real.name);
    }
}

#[test]
fn another_text_another_hash_and_another_nonce_are_refused() {
    for real in REAL {
        let check = |imprint: &Imprint, nonce| {
            verify_imprint(real.reply, imprint, nonce, &Trust::nobody()).unwrap_err()
        };
        let mut other = imprint();
        other.digest[63] ^= 1;
        assert_eq!(check(&other, None), TimestampError::ImprintDiffers);
        assert_eq!(check(&imprint(), Some(real.nonce ^ 1)), TimestampError::NonceDiffers);
        let refused = verify(real.reply, &[0; 32], None, &Trust::nobody()).unwrap_err();
        let (wanted, found) = (HashAlgorithm::Sha256, HashAlgorithm::Sha512);
        assert_eq!(refused, TimestampError::ImprintAlgorithm { wanted, found });
    }
}

#[test]
fn a_bare_token_says_the_same_as_its_reply() {
    for real in REAL {
        // The header of the reply has 4 bytes, the status 5.
        let token = &real.reply[9..];
        let found = verify_imprint(token, &imprint(), Some(real.nonce), &Trust::nobody());
        assert_eq!(found, unvouched(real), "{}", real.name);
    }
}

#[test]
fn a_statement_can_be_read_without_being_believed() {
    let read = Statement::read(SINPE.reply).unwrap();
    assert_eq!(read.imprint, imprint());
    assert_eq!(read.nonce.unwrap(), SINPE.nonce.to_be_bytes());
    assert_eq!(read.authority, None);
}
