//! What is signed, and what never is.

use std::sync::Arc;

use assay_ledger::{EntriesPath, SignedCheckpoint, TilePath};

use super::{Leaves, MORNING, ORIGIN, Office, key, notes, text};
use crate::{NotaryError, NotaryState};

#[test]
fn an_empty_journal_has_nothing_to_sign() {
    let office = Office::new();
    let notary = office.open(&Leaves::empty()).unwrap();
    assert!(matches!(notary.sign(), Err(NotaryError::Nothing)));
    assert_eq!((notary.latest(), notary.state()), (None, NotaryState::Sound));
}

#[test]
fn a_checkpoint_is_over_all_entries_and_verifies_with_the_public_key_alone() {
    let (office, journal) = (Office::new(), Leaves::of(300, 0, 0));
    let notary = office.open(&journal).unwrap();
    let published = notary.sign().unwrap();
    assert_eq!((published.checkpoint.size, published.checkpoint.root), (300, journal.root(300)));
    assert_eq!(published.signed_at, MORNING);
    let signed = SignedCheckpoint::parse(&published.note).unwrap();
    assert_eq!(signed.verify_for(ORIGIN, &notary.verifiers()).unwrap(), [ORIGIN]);
    assert_eq!(notary.latest(), Some(published));
}

#[test]
fn where_nothing_is_new_nothing_is_signed() {
    let (office, journal) = (Office::new(), Leaves::of(5, 0, 0));
    let notary = office.open(&journal).unwrap();
    let first = notary.sign().unwrap();
    assert!(Arc::ptr_eq(&first, &notary.sign().unwrap()));
    journal.grow(1);
    assert_eq!(notary.sign().unwrap().checkpoint.size, 6);
    let sizes: Vec<u64> =
        notary.page(None, 10).unwrap().iter().map(|p| p.checkpoint.size).collect();
    assert_eq!(sizes, [6, 5]);
    assert_eq!(notary.page(Some(6), 10).unwrap().len(), 1);
    assert_eq!(notary.page(None, 1).unwrap().len(), 1);
    assert_eq!(notary.at_size(5).unwrap().as_ref(), Some(&*first));
    assert_eq!(notary.at_size(4).unwrap(), None);
}

#[test]
fn a_checkpoint_is_never_larger_than_the_durable_journal() {
    let (office, journal) = (Office::new(), Leaves::of(10, 0, 0));
    let notary = office.open(&journal).unwrap();
    journal.say_head(Some(8));
    assert!(matches!(notary.sign(), Err(NotaryError::Unsettled { head: 8, edge: 10 })));
    assert!(notes(&office).is_empty());
    // A moment later it shows them.
    journal.say_head(None);
    assert_eq!(notary.sign().unwrap().checkpoint.size, 10);
    journal.grow(10);
    journal.say_head(Some(20));
    journal.lose(1);
    let why = notary.sign().unwrap_err().to_string();
    assert!(why.contains("ends at 19"), "{why}");
    assert!(notes(&office).iter().all(|note| note.checkpoint().size <= 10));
}

#[test]
fn nobody_is_given_a_checkpoint_that_is_not_in_the_second_place() {
    let (office, journal) = (Office::new(), Leaves::of(256, 0, 0));
    let notary = office.open(&journal).unwrap();
    // A directory stands where the file should.
    std::fs::create_dir(office.second()).unwrap();
    assert!(matches!(notary.sign(), Err(NotaryError::File { .. })));
    assert_eq!(notary.latest(), None);
    assert!(notary.page(None, 10).unwrap().is_empty() && notary.at_size(256).unwrap().is_none());
    let tile = TilePath { level: 0, index: 0, width: 256 };
    assert_eq!(notary.tile(tile).unwrap(), None);
    assert_eq!(notary.entries_tile(EntriesPath { index: 0, width: 256 }).unwrap(), None);
    assert!(matches!(notary.inclusion(0, 256), Err(NotaryError::Beyond { .. })));
    std::fs::remove_dir(office.second()).unwrap();
    let published = notary.sign().unwrap();
    assert_eq!(text(&office.second()), published.note);
    assert!(notary.tile(tile).unwrap().is_some());
}

#[test]
fn what_was_signed_binds_even_if_nobody_was_given_it() {
    let (office, journal) = (Office::new(), Leaves::of(100, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    std::fs::remove_file(office.second()).unwrap();
    std::fs::create_dir(office.second()).unwrap();
    journal.grow(20);
    assert!(notary.sign().is_err());
    std::fs::remove_dir(office.second()).unwrap();
    // Another history after 110: all alike for the checkpoint over 100, not for the one over 120.
    journal.roll_back(110);
    let other = Leaves::of(130, 110, 9);
    for number in 110..130 {
        journal.push(other.kept.read().unwrap().leaves[number]);
    }
    assert!(matches!(notary.sign(), Err(NotaryError::Refusing(_))));
    assert!(notes(&office).iter().all(|note| note.checkpoint().size <= 120));
}

#[test]
fn a_journal_whose_leaves_do_not_lead_to_its_edge_is_not_signed() {
    let (office, journal) = (Office::new(), Leaves::of(300, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    journal.grow(300);
    journal.tamper(450);
    let why = notary.sign().unwrap_err().to_string();
    assert!(why.contains("entries 301 to 600"), "{why}");
    assert!(matches!(notary.state(), NotaryState::Refusing { .. }));
    // Not even after the leaf is as it was: somebody has to look.
    journal.tamper(450);
    assert!(matches!(notary.sign(), Err(NotaryError::Refusing(_))));
    assert_eq!(office.open(&journal).unwrap().sign().unwrap().checkpoint.size, 600);
}

#[test]
fn a_signed_leaf_that_changed_is_named() {
    let (office, journal) = (Office::new(), Leaves::of(300, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    journal.tamper(270);
    journal.grow(1);
    let why = notary.sign().unwrap_err().to_string();
    assert!(why.contains("entry 271 is not the one that was signed"), "{why}");
}

#[test]
fn a_journal_that_shrinks_is_not_signed() {
    let (office, journal) = (Office::new(), Leaves::of(300, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    journal.roll_back(299);
    assert!(matches!(notary.sign(), Err(NotaryError::Refusing(_))));
}

#[test]
fn a_checkpoint_covers_a_position_and_is_signed_when_needed() {
    let (office, journal) = (Office::new(), Leaves::of(3, 0, 0));
    let notary = office.open(&journal).unwrap();
    assert_eq!(notary.covering(2).unwrap().checkpoint.size, 3);
    journal.grow(4);
    assert_eq!(notary.covering(3).unwrap().checkpoint.size, 3);
    assert_eq!(notary.covering(4).unwrap().checkpoint.size, 7);
    assert!(matches!(notary.covering(8), Err(NotaryError::Beyond { asked: 8, has: 7 })));
}

#[test]
fn every_key_signs_every_checkpoint() {
    let (mut office, journal) = (Office::new(), Leaves::of(3, 0, 0));
    office.seeds = vec![1, 2];
    let published = office.open(&journal).unwrap().sign().unwrap();
    let signed = SignedCheckpoint::parse(&published.note).unwrap();
    for seed in [1, 2] {
        assert!(signed.verify(&[key(seed).verifier().clone()]).is_ok());
    }
}

#[test]
fn files_are_for_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let (office, journal) = (Office::new(), Leaves::of(256, 0, 0));
    office.open(&journal).unwrap().sign().unwrap();
    let mut dirs = vec![office.dir()];
    let mut files = 0;
    while let Some(dir) = dirs.pop() {
        assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
                files += 1;
            }
        }
    }
    // A tile, a note, its time and the copy of the note.
    assert_eq!(files, 4);
}
