//! Which journals are opened, and which are not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Leaves, Office, flip, key, text};
use crate::{NotaryError, NotaryState};

fn refused(office: &Office, journal: &Arc<Leaves>) -> String {
    match office.open(journal) {
        Err(NotaryError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// An office that has signed 120 entries, and its journal.
fn signed() -> (Office, Arc<Leaves>) {
    let (office, journal) = (Office::new(), Leaves::of(120, 0, 0));
    office.open(&journal).unwrap().sign().unwrap();
    (office, journal)
}

#[test]
fn the_notary_goes_on_where_it_left_off() {
    let (office, journal) = (Office::new(), Leaves::of(700, 0, 0));
    let first = office.open(&journal).unwrap().sign().unwrap();
    journal.grow(60);
    let notary = office.open(&journal).unwrap();
    assert_eq!(notary.latest().as_ref(), Some(&first));
    notary.sign().unwrap();
    assert_eq!(notary.root_at(700).unwrap(), first.checkpoint.root);
    assert!(!notary.consistency(700, 760).unwrap().is_empty());
}

#[test]
fn an_older_journal_is_refused_in_words_that_say_why() {
    let (office, _) = signed();
    let why = refused(&office, &Leaves::of(90, 0, 0));
    assert!(
        why.starts_with("the journal ends at 90; a checkpoint over 120 entries was signed on ")
    );
    assert!(why.contains("2025-06-15T09:06:40Z"), "{why}");
    assert!(why.ends_with("this is an older copy of the data"), "{why}");
}

#[test]
fn an_older_or_changed_journal_is_refused_without_a_second_place_too() {
    let (office, _) = signed();
    let open = |journal| {
        let mut config = office.config();
        config.second_place = None;
        office.open_with(config, journal).unwrap_err().to_string()
    };
    let why = open(Leaves::of(90, 0, 0));
    assert!(why.starts_with("the journal ends at 90; a checkpoint over 120 entries"), "{why}");
    let why = open(Leaves::of(500, 119, 1));
    assert!(why.contains("first 120 entries are not those"), "{why}");
}

#[test]
fn an_older_copy_of_journal_and_directory_is_refused_by_the_second_place() {
    let (office, journal) = signed();
    let kept = Office::new();
    copy(&office.dir(), &kept.dir());
    journal.grow(30);
    office.open(&journal).unwrap().sign().unwrap();
    std::fs::copy(office.second(), kept.second()).unwrap();
    // As it was at 120, and the second place knows of 150.
    let why = refused(&kept, &Leaves::of(120, 0, 0));
    assert!(why.contains("ends at 120; a checkpoint over 150"), "{why}");
    assert!(why.contains("in the second place"), "{why}");
    // Without the directory too.
    std::fs::remove_dir_all(kept.dir()).unwrap();
    assert!(refused(&kept, &Leaves::of(149, 0, 0)).contains("older copy"));
    // The whole journal is welcome, and the checkpoint is taken over.
    assert_eq!(kept.open(&journal).unwrap().latest().unwrap().checkpoint.size, 150);
    assert_eq!(text(&kept.dir().join("latest")), text(&office.second()));
}

#[test]
fn a_journal_that_was_changed_is_refused_in_either_place() {
    let (office, _) = signed();
    let changed = Leaves::of(500, 50, 1);
    let why = refused(&office, &changed);
    assert!(why.contains("first 120 entries are not those"), "{why}");
    std::fs::remove_dir_all(office.dir()).unwrap();
    let why = refused(&office, &changed);
    assert!(why.contains("in the second place"), "{why}");
    assert!(office.open(&Leaves::of(500, 120, 1)).is_ok());
}

#[test]
fn an_older_second_place_is_compared_too() {
    let (office, journal) = signed();
    let earlier = text(&office.second());
    // A foreign directory over another history is all right in itself.
    let (other, changed) = (Office::new(), Leaves::of(300, 50, 1));
    other.open(&changed).unwrap().sign().unwrap();
    std::fs::write(other.second(), &earlier).unwrap();
    assert!(refused(&other, &changed).contains("first 120 entries"));
    // An earlier checkpoint of the same history is renewed.
    journal.grow(300);
    office.open(&journal).unwrap().sign().unwrap();
    std::fs::write(office.second(), &earlier).unwrap();
    office.open(&journal).unwrap();
    assert_eq!(text(&office.second()), text(&office.dir().join("latest")));
}

#[test]
fn what_stands_in_the_second_place_must_be_a_checkpoint_of_this_log() {
    let (office, journal) = signed();
    std::fs::write(office.second(), "").unwrap();
    assert!(refused(&office, &journal).contains("holds no checkpoint of this log"));
    let foreign = assay_ledger::Checkpoint::new("other.example", 5, [1; 32]);
    let foreign = foreign.sign(&[key(1)]).unwrap().to_text();
    std::fs::write(office.second(), foreign).unwrap();
    assert!(refused(&office, &journal).contains("other.example"));
    std::fs::remove_dir_all(office.second().parent().unwrap()).unwrap();
    assert!(refused(&office, &journal).contains("not mounted"));
}

#[test]
fn a_checkpoint_by_no_known_key_is_refused() {
    let (mut office, journal) = signed();
    office.seeds = vec![2];
    assert!(refused(&office, &journal).contains("none of the keys asked for has signed"));
    // Through a time of two keys the second takes over.
    office.seeds = vec![1, 2];
    journal.grow(1);
    office.open(&journal).unwrap().sign().unwrap();
    office.seeds = vec![2];
    assert_eq!(office.open(&journal).unwrap().latest().unwrap().checkpoint.size, 121);
}

#[test]
fn a_damaged_newest_checkpoint_is_not_passed_over() {
    let (office, journal) = signed();
    let note = office.dir().join("checkpoints").join(format!("{:020}.note", 120));
    flip(&note, 40, 0);
    assert!(office.open(&journal).is_err());
}

#[test]
fn opening_reads_few_leaves_however_long_the_journal() {
    let (office, journal) = (Office::new(), Leaves::of(70_000, 0, 0));
    office.open(&journal).unwrap().sign().unwrap();
    journal.grow(10);
    journal.read.store(0, Ordering::Relaxed);
    let notary = office.open(&journal).unwrap();
    // Those of the unfinished tile twice, and the ten.
    let read = journal.read.load(Ordering::Relaxed);
    assert!(read <= 2 * 255 + 10, "{read}");
    assert_eq!(notary.root_at(66_000).unwrap(), journal.root(66_000));
}

#[test]
fn lost_and_damaged_tiles_are_made_anew_from_a_sound_journal() {
    let (office, journal) = (Office::new(), Leaves::of(70_000, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    let tiles = office.dir().join("tiles").join("tile");
    let edge = std::fs::read(tiles.join("0").join("272")).unwrap();
    let above = std::fs::read(tiles.join("1").join("000")).unwrap();
    // While it is open: one in the middle, which nobody needs for opening.
    std::fs::remove_file(tiles.join("0").join("003")).unwrap();
    assert!(notary.inclusion(800, 70_000).is_ok());
    assert!(tiles.join("0").join("003").exists());
    drop(notary);
    flip(&tiles.join("0").join("272"), 99, 3);
    assert_eq!(office.open(&journal).unwrap().state(), NotaryState::Sound);
    assert_eq!(std::fs::read(tiles.join("0").join("272")).unwrap(), edge);
    std::fs::remove_dir_all(tiles.join("1")).unwrap();
    std::fs::write(tiles.join("0").join("270"), "short").unwrap();
    let notary = office.open(&journal).unwrap();
    assert_eq!(notary.state(), NotaryState::Sound);
    assert_eq!(std::fs::read(tiles.join("0").join("272")).unwrap(), edge);
    assert_eq!(std::fs::read(tiles.join("1").join("000")).unwrap(), above);
    assert!(notary.check(|_, _| ()).is_ok());
}

#[test]
fn tiles_are_not_made_from_a_journal_that_was_changed() {
    let (office, journal) = (Office::new(), Leaves::of(600, 0, 0));
    let notary = office.open(&journal).unwrap();
    notary.sign().unwrap();
    let tiles = office.dir().join("tiles").join("tile").join("0");
    std::fs::remove_file(tiles.join("001")).unwrap();
    journal.tamper(3);
    assert!(matches!(notary.inclusion(300, 600), Err(NotaryError::Refusing(_))));
    assert!(!tiles.join("001").exists());
    assert!(matches!(notary.state(), NotaryState::Refusing { .. }));
    assert!(refused(&office, &journal).contains("first 600 entries"));
}

#[test]
fn a_journal_that_disagrees_with_itself_is_opened_and_not_signed() {
    let (office, journal) = signed();
    journal.grow(50);
    journal.tamper(140);
    let notary = office.open(&journal).unwrap();
    let NotaryState::Refusing { why } = notary.state() else { panic!("it is sound") };
    assert!(why.contains("entries 121 to 170"), "{why}");
    assert!(matches!(notary.sign(), Err(NotaryError::Refusing(_))));
    // What was signed can still be read.
    assert!(notary.inclusion(100, 120).is_ok());
}

#[test]
fn what_it_is_told_must_make_sense() {
    let (mut office, journal) = (Office::new(), Leaves::empty());
    office.seeds = vec![];
    assert!(matches!(office.open(&journal), Err(NotaryError::Config(_))));
    office.seeds = vec![1, 1];
    assert!(matches!(office.open(&journal), Err(NotaryError::Config(_))));
    office.seeds = vec![1];
    let mut config = office.config();
    config.origin = "two\nlines".to_owned();
    let journal: Arc<dyn assay_store::journal::Journal> = journal;
    assert!(matches!(office.open_with(config, journal), Err(NotaryError::Config(_))));
}

pub(super) fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
