//! Whatever is changed on disk, the check finds it and says where.

use std::sync::Arc;

use super::{Leaves, Office, flip, key};
use crate::{Fault, LedgerReport, Notary};

/// An office that signed 100, 600 and 650 entries, and its journal, which has 660.
fn office() -> (Office, Arc<Leaves>) {
    let (office, journal) = (Office::new(), Leaves::empty());
    let notary = office.open(&journal).unwrap();
    for growth in [100, 500, 50] {
        journal.grow(growth);
        notary.sign().unwrap();
    }
    journal.grow(10);
    (office, journal)
}

fn check(office: &Office, journal: &Arc<Leaves>) -> Result<LedgerReport, Fault> {
    let keys = [key(1).verifier().clone()];
    let known = crate::Known { origin: super::ORIGIN, keys: &keys, witnesses: &[] };
    crate::check(&office.dir(), Some(&office.second()), known, &**journal, |_, _| ())
}

fn what(office: &Office, journal: &Arc<Leaves>) -> Fault {
    check(office, journal).unwrap_err()
}

#[test]
fn a_sound_ledger_is_reported() {
    let (office, journal) = office();
    let report = check(&office, &journal).unwrap();
    let wanted = LedgerReport {
        entries: 660,
        root: journal.root(660),
        checkpoints: 3,
        newest: 650,
        tiles: 2,
        ..LedgerReport::default()
    };
    assert_eq!(report, wanted);
    let mut told = Vec::new();
    office.open(&journal).unwrap().check(|done, of| told.push((done, of))).unwrap();
    assert_eq!(told.last(), Some(&(660, 660)));
}

#[test]
fn every_bit_of_a_tile_counts() {
    let (office, journal) = office();
    let tile = office.dir().join("tiles/tile/0/001");
    let sound = std::fs::read(&tile).unwrap();
    for byte in 0..sound.len() {
        // Each bit in turn where the whole check would be too slow for all: see the next test.
        if byte % 61 != 0 {
            continue;
        }
        flip(&tile, byte, u8::try_from(byte % 8).unwrap());
        let entry = 257 + u64::try_from(byte / 32).unwrap();
        assert_eq!(what(&office, &journal).position, Some(entry), "byte {byte}");
        std::fs::write(&tile, &sound).unwrap();
    }
    for wrong in [&sound[1..], &[], &[sound.as_slice(), &[0]].concat()] {
        std::fs::write(&tile, wrong).unwrap();
        assert!(check(&office, &journal).is_err());
    }
}

#[test]
fn every_one_of_the_65536_bits_of_a_tile_is_compared() {
    let hashes: Vec<_> = (0..256).map(|number| super::leaf(number, 0)).collect();
    let mut stored = hashes.as_flattened().to_vec();
    assert_eq!(crate::check::first_difference(&hashes, &stored), None);
    for bit in 0..stored.len() * 8 {
        stored[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(crate::check::first_difference(&hashes, &stored), Some(bit / 256));
        stored[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_note_is_found() {
    let (office, journal) = office();
    for path in [
        office.dir().join(format!("checkpoints/{:020}.note", 100)),
        office.dir().join("latest"),
        office.second(),
    ] {
        let sound = std::fs::read(&path).unwrap();
        for byte in 0..sound.len() {
            flip(&path, byte, u8::try_from(byte % 7).unwrap());
            assert!(check(&office, &journal).is_err(), "{} byte {byte}", path.display());
            std::fs::write(&path, &sound).unwrap();
        }
    }
}

#[test]
fn a_changed_leaf_is_found_in_the_tile_or_under_the_next_checkpoint() {
    let (office, journal) = office();
    journal.tamper(300);
    assert_eq!(what(&office, &journal).position, Some(301));
    journal.tamper(300);
    journal.tamper(645);
    let fault = what(&office, &journal);
    assert_eq!(fault.position, Some(650));
    assert!(fault.what.contains("another root"), "{fault}");
    journal.tamper(645);
    journal.tamper(655);
    assert!(what(&office, &journal).what.contains("own edge"));
}

#[test]
fn another_history_is_found_by_every_checkpoint_after_it() {
    let (office, _) = office();
    std::fs::remove_dir_all(office.dir().join("tiles")).unwrap();
    let fault = what(&office, &Leaves::of(660, 99, 1));
    assert_eq!(fault.position, Some(100));
}

#[test]
fn a_journal_shorter_than_a_checkpoint_is_found() {
    let (office, _) = office();
    let fault = what(&office, &Leaves::of(620, 0, 0));
    assert!(fault.what.contains("650 entries"), "{fault}");
    assert_eq!(fault.position, Some(620));
}

#[test]
fn what_is_not_ours_is_found_wherever_it_lies() {
    let (office, journal) = office();
    let foreign = [
        "note.txt",
        "tiles/tile/0/002",
        "tiles/tile/0/000.p",
        "tiles/x",
        "tiles/tile/8/000",
        "checkpoints/650.note",
        "checkpoints/00000000000000000650.01.tsr",
        "checkpoints/00000000000000000650.2.tsr",
    ];
    for name in foreign {
        let path = office.dir().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        assert!(check(&office, &journal).is_err(), "{name}");
        std::fs::remove_file(&path).unwrap();
    }
    assert!(check(&office, &journal).is_ok());
}

#[test]
fn what_a_crash_left_and_what_is_missing_is_counted() {
    let (office, journal) = office();
    std::fs::write(office.dir().join("tiles/tile/0/000.tmp"), "x").unwrap();
    std::fs::write(office.dir().join("latest.tmp"), "x").unwrap();
    std::fs::remove_file(office.dir().join("tiles/tile/0/001")).unwrap();
    let report = check(&office, &journal).unwrap();
    assert_eq!((report.leftovers, report.tiles, report.tiles_missing), (2, 1, 1));
    std::fs::remove_file(office.dir().join(format!("checkpoints/{:020}.at", 600))).unwrap();
    assert!(check(&office, &journal).is_err());
}

#[test]
fn a_timestamp_of_something_else_is_found() {
    let (office, journal) = office();
    let authority = assay_timestamp::stub::Authority::new("stub").unwrap();
    let query = assay_timestamp::Request::new([7; 32], 1).to_der();
    let at = "2025-06-15T09:06:40Z".parse().unwrap();
    let reply = authority.answer(&query, at).unwrap();
    std::fs::write(office.dir().join(format!("checkpoints/{:020}.1.tsr", 600)), reply).unwrap();
    assert!(what(&office, &journal).what.contains("timestamp 1"));
}

#[test]
fn checkpoints_of_retired_keys_are_known_if_told() {
    let (mut office, journal) = office();
    office.seeds = vec![1, 2];
    office.open(&journal).unwrap().sign().unwrap();
    office.seeds = vec![2];
    journal.grow(1);
    let journal: Arc<dyn assay_store::journal::Journal> = journal;
    let open = |config| -> Notary { office.open_with(config, Arc::clone(&journal)).unwrap() };
    assert!(open(office.config()).check(|_, _| ()).is_err());
    let mut config = office.config();
    config.retired = vec![key(1).verifier().clone()];
    assert!(open(config).check(|_, _| ()).is_ok());
}
