//! A crash at every step of signing: afterwards it goes on or refuses, and never signs a second history.

use assay_ledger::Hash;

use super::opening::copy;
use super::{Leaves, ORIGIN, Office, key, notes};
use crate::files::crash;
use crate::{Known, NotaryError, check};

/// Where the first checkpoint stands, and where the second is signed: two tiles become full in between.
const FIRST: u64 = 200;
const SECOND: u64 = 700;

/// Signs at `FIRST`, then crashes after so many steps on the way to `SECOND`; whether it got through.
fn crashed_after(steps: u32) -> (Office, bool) {
    let (office, journal) = (Office::new(), Leaves::of(FIRST, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    journal.grow(SECOND - FIRST);
    crash::after(Some(steps));
    let signed = notary.sign();
    crash::after(None);
    let given = notary.latest().unwrap().checkpoint.size;
    assert_eq!(given, if signed.is_ok() { SECOND } else { FIRST });
    (office, signed.is_ok())
}

/// All signed notes of an office, which must be of one history; the sizes.
fn one_history(office: &Office, journal: &Leaves) -> Vec<u64> {
    let notes = notes(office);
    let states: Vec<(u64, Hash)> =
        notes.iter().map(|note| (note.checkpoint().size, note.checkpoint().root)).collect();
    assert!(states.iter().all(|(size, root)| journal.root(*size) == *root), "{states:?}");
    states.into_iter().map(|(size, _)| size).collect()
}

#[test]
fn after_a_crash_at_any_step_the_same_history_goes_on() {
    let mut crashes = 0;
    for steps in 0.. {
        let (office, through) = crashed_after(steps);
        let journal = Leaves::of(SECOND + 50, 0, 0);
        one_history(&office, &journal);
        let notary = office.open(&journal).unwrap();
        one_history(&office, &journal);
        assert_eq!(notary.sign().unwrap().checkpoint.size, SECOND + 50);
        let sizes = one_history(&office, &journal);
        assert!(sizes.contains(&FIRST));
        notary.check(|_, _| ()).unwrap();
        if through {
            break;
        }
        crashes += 1;
    }
    // Two tiles, time, note, second place, latest: each is written, brought to disk and named.
    assert!(crashes >= 15, "{crashes}");
}

#[test]
fn after_a_crash_at_any_step_another_history_is_refused_once_this_one_was_signed() {
    let (mut refused, mut opened) = (0, 0);
    for steps in 0.. {
        let (office, through) = crashed_after(steps);
        let signed = notes(&office).iter().any(|note| note.checkpoint().size == SECOND);
        // The same up to FIRST, and then another one: restored from a backup, and gone on with.
        let other = Leaves::of(SECOND + 50, FIRST, 7);
        match office.open(&other).and_then(|notary| notary.sign()) {
            Ok(published) => {
                assert!(!signed, "two histories are signed");
                assert_eq!(published.checkpoint.root, other.root(SECOND + 50));
                one_history(&office, &other);
                opened += 1;
            }
            Err(NotaryError::Refused(_)) => {
                assert!(signed);
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
        if through {
            break;
        }
    }
    assert!(refused > 3 && opened > 3, "{refused} refused, {opened} opened");
}

#[test]
fn after_a_crash_at_any_step_an_older_copy_is_refused_once_more_was_signed() {
    for steps in 0.. {
        let (office, through) = crashed_after(steps);
        let signed = notes(&office).iter().any(|note| note.checkpoint().size == SECOND);
        let older = Leaves::of(SECOND - 1, 0, 0);
        assert_eq!(office.open(&older).is_err(), signed);
        if through {
            break;
        }
    }
}

#[test]
fn tiles_of_a_history_that_was_never_signed_do_not_stay() {
    let (office, _) = crashed_after(9);
    assert!(notes(&office).iter().all(|note| note.checkpoint().size == FIRST));
    assert!(office.dir().join("tiles/tile/0/000").exists());
    let other = Leaves::of(SECOND + 50, FIRST, 7);
    let notary = office.open(&other).unwrap();
    notary.sign().unwrap();
    assert!(notary.check(|_, _| ()).is_ok());
}

#[test]
fn a_crash_while_opening_changes_nothing() {
    let (office, _) = crashed_after(0);
    let kept = Office::new();
    copy(&office.dir(), &kept.dir());
    let journal = Leaves::of(SECOND, 0, 0);
    for steps in 0..20 {
        crash::after(Some(steps));
        let opened = office.open(&journal).is_ok();
        crash::after(None);
        one_history(&office, &journal);
        if opened {
            return;
        }
    }
    panic!("it never opened");
}

#[test]
fn the_note_is_on_disk_before_the_second_place_has_it() {
    for steps in 0.. {
        let (office, through) = crashed_after(steps);
        let journal = Leaves::of(SECOND, 0, 0);
        let in_second = super::text(&office.second()).contains(&format!("\n{SECOND}\n"));
        let place = office.dir().join("checkpoints").join(format!("{SECOND:020}.note"));
        assert!(!in_second || place.exists());
        // Whatever was signed, its tiles are there.
        if place.exists() {
            let keys = [key(1).verifier().clone()];
            let known = Known { origin: ORIGIN, keys: &keys, witnesses: &[] };
            let report = check(&office.dir(), None, known, &*journal, |_, _| ()).unwrap();
            assert_eq!((report.newest, report.tiles_missing), (SECOND, 0));
        }
        if through {
            break;
        }
    }
}
