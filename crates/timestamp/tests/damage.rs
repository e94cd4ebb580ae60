//! Damaged timestamps: changed, cut or made up, nothing is believed but what was signed, and nothing panics.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot set up has failed"
)]

mod fixtures;

use std::ops::RangeInclusive;

use assay_timestamp::stub::Authority;
use assay_timestamp::{Request, Statement, TimestampError, Trust, verify, verify_imprint};
use fixtures::{DIGICERT, IDENTRUST, REAL, Real, SINPE, imprint};
use proptest::prelude::{any, prop, proptest};

/// The bytes of a token that nothing signed covers and nothing believed depends on: the number of the status, the
/// version and list of digests of the envelope, and the certificates other than the signer's.
const UNSIGNED: [(&Real, &[RangeInclusive<usize>]); 3] = [
    (&DIGICERT, &[8..=8, 34..=34, 37..=51, 1951..=5089]),
    (&IDENTRUST, &[8..=8, 34..=34, 37..=51, 1993..=3972]),
    (&SINPE, &[8..=8, 34..=34, 37..=51]),
];

/// Changes one bit of every byte in turn, another bit from byte to byte: the places where the copy was still believed.
/// It must then say what the whole one says.
fn believed(real: &Real, trust: &Trust) -> Vec<usize> {
    let check = |reply: &[u8]| verify_imprint(reply, &imprint(), Some(real.nonce), trust);
    let whole = check(real.reply).unwrap();
    let mut copy = real.reply.to_vec();
    let mut believed = Vec::new();
    for at in 0..copy.len() {
        let mask = 1 << (at % 8);
        copy[at] ^= mask;
        if let Ok(found) = check(&copy) {
            assert_eq!(found, whole, "{}, byte {at}", real.name);
            believed.push(at);
        }
        copy[at] ^= mask;
    }
    believed
}

#[test]
fn a_change_of_any_byte_is_refused_or_lies_where_nothing_is_signed() {
    for (real, unsigned) in UNSIGNED {
        for at in believed(real, &Trust::nobody()) {
            assert!(unsigned.iter().any(|part| part.contains(&at)), "{}, byte {at}", real.name);
        }
    }
}

#[test]
fn with_a_root_the_certificates_between_stand_against_changes_too() {
    let trust = Trust::from_pem(DIGICERT.highest).unwrap();
    // The issuing CA; what follows is the root's other certificate, which the chain does not need.
    let between = 1951..=3664;
    let found = believed(&DIGICERT, &trust);
    assert_eq!(found.iter().find(|at| between.contains(*at)), None);
}

#[test]
fn a_reply_cut_anywhere_is_refused() {
    for real in REAL {
        for end in 0..real.reply.len() {
            let cut = &real.reply[..end];
            let found = verify_imprint(cut, &imprint(), None, &Trust::nobody());
            assert!(found.is_err(), "{}, {end} bytes", real.name);
        }
    }
}

#[test]
fn a_reply_with_something_behind_it_is_refused() {
    for real in REAL {
        for extra in [0x00, 0x30, 0xff] {
            let longer = [real.reply, &[extra]].concat();
            let found = verify_imprint(&longer, &imprint(), None, &Trust::nobody());
            let trailing = TimestampError::Trailing("the reply");
            assert_eq!(found.unwrap_err(), trailing, "{}", real.name);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_are_a_timestamp_by_chance(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        assert!(verify(&bytes, &[0; 32], None, &Trust::nobody()).is_err());
        assert!(Statement::read(&bytes).is_err());
    }

    #[test]
    fn several_changes_are_refused_or_change_nothing_believed(
        which in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let real = REAL[which];
        let check = |reply: &[u8]| verify_imprint(reply, &imprint(), Some(real.nonce), &Trust::nobody());
        let mut reply = real.reply.to_vec();
        for (at, byte) in changes {
            let at = at.index(reply.len());
            reply[at] = byte;
        }
        if let Ok(found) = check(&reply) {
            assert_eq!(found, check(real.reply).unwrap());
        }
    }

    #[test]
    fn what_the_stub_issues_holds_for_any_digest_nonce_and_second(
        digest in any::<[u8; 32]>(),
        nonce in any::<u64>(),
        second in 1_577_836_800_i64..2_303_683_200,
        nanosecond in 0_i32..1_000_000_000,
    ) {
        let authority = Authority::new("Assay Test").unwrap();
        let at = jiff::Timestamp::new(second, nanosecond).unwrap();
        let reply = authority.answer(&Request::new(digest, nonce).to_der(), at).unwrap();
        let found = verify(&reply, &digest, Some(nonce), &authority.trust().unwrap()).unwrap();
        assert_eq!(found.time, at);
    }
}
