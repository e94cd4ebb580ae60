//! However it grows and whenever it is signed: all checkpoints are of one history, and every entry is in it.

use std::sync::Arc;

use assay_ledger::tile::TILE_WIDTH;
use assay_ledger::{TilePath, tiles_of, verify_consistency, verify_inclusion};
use proptest::prelude::*;

use super::{Leaves, Office, leaf};
use crate::{Notary, Published};

fn all_hold(notary: &Notary, checkpoints: &[Arc<Published>]) {
    let newest = checkpoints.last().unwrap().checkpoint.clone();
    for (number, older) in checkpoints.iter().enumerate() {
        let older = &older.checkpoint;
        for newer in &checkpoints[number..] {
            let newer = &newer.checkpoint;
            let proof = notary.consistency(older.size, newer.size).unwrap();
            verify_consistency(older.size, &older.root, newer.size, &newer.root, &proof).unwrap();
        }
        for index in [0, older.size / 3, older.size - 1] {
            let proof = notary.inclusion(index, older.size).unwrap();
            verify_inclusion(&leaf(index, 0), index, older.size, &proof, &older.root).unwrap();
        }
    }
    for index in (0..300).map(|part| newest.size * part / 300) {
        let proof = notary.inclusion(index, newest.size).unwrap();
        verify_inclusion(&leaf(index, 0), index, newest.size, &proof, &newest.root).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn all_checkpoints_of_a_growing_journal_are_of_one_history(
        steps in prop::collection::vec((1..400_u64, any::<bool>(), any::<bool>()), 1..9),
    ) {
        let (office, journal) = (Office::new(), Leaves::empty());
        let mut notary = office.open(&journal).unwrap();
        let mut checkpoints: Vec<Arc<Published>> = Vec::new();
        for (growth, sign, reopen) in steps {
            journal.grow(growth);
            if sign {
                checkpoints.push(notary.sign().unwrap());
            }
            if reopen {
                drop(notary);
                notary = office.open(&journal).unwrap();
            }
        }
        checkpoints.push(notary.sign().unwrap());
        all_hold(&notary, &checkpoints);
        let stored = notary.page(None, 100).unwrap();
        prop_assert!(stored.iter().all(|one| journal.root(one.checkpoint.size) == one.checkpoint.root));
        prop_assert!(notary.check(|_, _| ()).is_ok());
    }
}

#[test]
fn three_levels_of_tiles_hold_together() {
    let (office, journal) = (Office::new(), Leaves::empty());
    let notary = office.open(&journal).unwrap();
    let mut checkpoints = Vec::new();
    for growth in [65_535, 1, 1, 255, 256, 3_000] {
        journal.grow(growth);
        checkpoints.push(notary.sign().unwrap());
    }
    all_hold(&notary, &checkpoints);
}

#[test]
fn every_tile_of_every_published_size_is_there_and_no_other() {
    let (office, journal) = (Office::new(), Leaves::of(65_536 + 300, 0, 0));
    let notary = office.open(&journal).unwrap();
    let size = notary.sign().unwrap().checkpoint.size;
    for path in tiles_of(size).chain(tiles_of(70)).chain(tiles_of(65_536 + 17)) {
        let bytes = notary.tile(path).unwrap().unwrap();
        assert_eq!(bytes.len(), 32 * usize::from(path.width));
    }
    let first = notary.tile(TilePath { level: 0, index: 1, width: 2 }).unwrap().unwrap();
    assert_eq!(first, [leaf(256, 0), leaf(257, 0)].concat());
    let beyond = [(0, 257, 45), (0, 258, 1), (1, 1, 2), (2, 0, 2), (3, 0, 1), (0, 0, 0), (9, 0, 1)];
    for (level, index, width) in beyond {
        assert_eq!(notary.tile(TilePath { level, index, width }).unwrap(), None, "{level} {index}");
    }
    let huge = TilePath { level: 0, index: u64::MAX, width: TILE_WIDTH };
    assert_eq!(notary.tile(huge).unwrap(), None);
    // A grown journal shows nothing new before it is signed.
    journal.grow(1_000);
    assert_eq!(notary.tile(TilePath { level: 0, index: 257, width: 45 }).unwrap(), None);
}

#[test]
fn proofs_are_of_what_is_there_only() {
    let (office, journal) = (Office::new(), Leaves::of(10, 0, 0));
    let notary = office.open(&journal).unwrap();
    assert!(notary.root_at(1).is_err());
    notary.sign().unwrap();
    assert!(notary.inclusion(10, 10).is_err() && notary.inclusion(0, 11).is_err());
    assert!(notary.consistency(5, 11).is_err() && notary.consistency(6, 5).is_err());
    assert!(notary.consistency(0, 10).unwrap().is_empty());
    assert_eq!(notary.root_at(7).unwrap(), journal.root(7));
    // An entry that is not the one signed gets no proof.
    journal.tamper(4);
    assert!(notary.inclusion(4, 10).is_err() && notary.inclusion(3, 10).is_ok());
}
