//! Facts in, the digest of what is shown out: the same for live, past and rebuilt views.

use std::collections::BTreeSet;

use assay_domain::aggregate::Subject;
use assay_domain::case as case_facts;
use assay_domain::finding::Severity;
use assay_domain::text::Title;
use assay_store::journal::Journal as _;

use super::*;
use crate::rebuild::rebuild;
use crate::testing::{ADM, ANA, AUD, RAO, TEXT, World, case, claim, head, sight};

fn digest(db: &Reader, at: At, n: u8) -> Option<[u8; 32]> {
    shown(db, &Sight::house(), at, case(n)).unwrap()
}

#[test]
fn the_state_of_a_moment_is_the_same_live_later_and_rebuilt() {
    let complete = World::complete();
    let entries = complete.log.entries(0, usize::MAX).unwrap();
    let mut world = World::empty();
    let (mut then, mut count) = (Vec::new(), 0);
    for entry in &entries {
        world.append(&entry.recorded.stream, vec![entry.recorded.fact.clone()]);
        count += 1;
        if count % 9 == 0 || count == entries.len() {
            let db = world.views();
            let position = world.log_head();
            let all = [1, 2, 3].map(|n| {
                let entries = super::entries(&db, &Sight::house(), head(), case(n)).unwrap();
                (digest(&db, head(), n), entries)
            });
            then.push((position, all));
        }
    }
    let db = world.views();
    let path = world.dir.path().join("rebuilt.db");
    rebuild(&path, &world.journal(), &world.keys, &world.handle(), |_, _| ()).unwrap();
    let rebuilt = Reader::open(&path).unwrap();
    let mut different = BTreeSet::new();
    for (position, all) in then {
        for (n, (digest_then, entries_then)) in [1, 2, 3].into_iter().zip(all) {
            for db in [&db, &rebuilt] {
                let at = At::Position(position);
                assert_eq!(digest(db, at, n), digest_then, "case {n} at {position}");
                let entries = super::entries(db, &Sight::house(), at, case(n)).unwrap();
                assert_eq!(entries, entries_then);
            }
            different.extend(digest_then);
        }
    }
    assert!(different.len() > 5);
}

#[test]
fn the_state_follows_the_case_and_nothing_else() {
    let mut world = World::busy();
    let before = digest(&world.views(), head(), 1);
    assert!(before.is_some());
    world.file(9, 2, crate::testing::BEN, TEXT);
    world.reads(1, RAO, Some(1), &[(Some(claim(1).0), 1, 2)]);
    world.save_replay(1, ANA, 1);
    let db = world.views();
    assert_eq!(digest(&db, head(), 1), before);
    let positions = entries(&db, &Sight::house(), head(), case(1)).unwrap().unwrap();
    let expected: Vec<u64> = world
        .log
        .entries(0, usize::MAX)
        .unwrap()
        .into_iter()
        .filter(|entry| {
            let stream = Subject::of_stream(&entry.recorded.stream).unwrap();
            let inside = !matches!(stream, Subject::Access(_) | Subject::Replay(_));
            entry.recorded.fact.envelope.case == Some(case(1).0) && inside
        })
        .map(|entry| entry.position)
        .collect();
    assert_eq!(positions, expected);
    let title = Title::try_from("Other").unwrap().into();
    world.on_case(1, ANA, case_facts::Event::Retitled { title });
    let retitled = digest(&world.views(), head(), 1);
    assert_ne!(retitled, before);
    world.find(1, Some(1), Severity::Note, "seen");
    assert_ne!(digest(&world.views(), head(), 1), retitled);
}

#[test]
fn forgetting_changes_what_is_shown_and_not_the_entries() {
    let mut world = World::peopled();
    let (key, _) = world.runtime.block_on(world.keys.draw()).unwrap();
    world.key = Some(key);
    world.propose(1, 1, ANA, "somebody is named");
    world.key = None;
    let house = Sight::house();
    let state =
        |db: &Reader| (digest(db, head(), 1), entries(db, &house, head(), case(1)).unwrap());
    let before = state(&world.views());
    world.runtime.block_on(world.keys.destroy(key)).unwrap();
    let after = state(&world.views());
    assert_ne!(after.0, before.0);
    assert_eq!(after.1, before.1);
}

#[test]
fn every_content_of_a_case_counts_into_its_state() {
    let db = World::complete().views();
    let at = db.position().unwrap();
    for table in Schema::VERSIONED {
        if NOT_CONTENT.contains(table) || !has_cases(&db, table).unwrap() {
            continue;
        }
        let held = format!("from_pos <= {at} AND to_pos > {at}");
        let id = format!("SELECT count(*) FROM {table} WHERE case_id = ? AND {held}");
        let rows: u64 = db
            .conn()
            .query_row(&id, [case(1).0.as_bytes().as_slice()], |row| Ok(number(row.get(0)?)))
            .unwrap();
        let (mut hash, empty) = (Sha256::new(), Sha256::new().finalize());
        if *table == RenditionDoc::TABLE {
            renditions(&db, case(1), at, &mut hash).unwrap();
        } else {
            of_table(&db, table, case(1), at, &mut hash).unwrap();
        }
        assert_eq!(hash.finalize() == empty, rows == 0, "{table}");
    }
}

#[test]
fn there_is_no_state_of_what_is_out_of_sight_or_was_not_yet() {
    let db = World::busy().views();
    assert!(shown(&db, &sight(&db, ADM), head(), case(1)).unwrap().is_none());
    assert!(entries(&db, &sight(&db, ADM), head(), case(1)).unwrap().is_none());
    assert!(shown(&db, &sight(&db, AUD), At::Position(3), case(1)).unwrap().is_none());
    assert!(shown(&db, &sight(&db, AUD), head(), case(9)).unwrap().is_none());
}
