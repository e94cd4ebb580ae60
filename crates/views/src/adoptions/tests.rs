//! A case comes from another house: its times are kept, and every entry says where it comes from.

use assay_domain::value::Tlp;
use serde_json::json;

use super::*;
use crate::dump::digest;
use crate::testing::{
    ADM, ANA, AUD, BEN, World, adoption, case, claim, head, many, sight, there, user, values,
};
use crate::{cases, claims, history};

/// A claim of case 3 taken over whose origin was noted, one whose origin was not, and one of ours.
fn adopted() -> World {
    let mut world = World::peopled();
    world.begin_adoption(1, 3);
    world.note_entries(1, &[101, 102, 103]);
    world.taken(101, |world| world.open_case(3, ANA, "From elsewhere", Tlp::default()));
    world.taken(103, |world| world.propose(3, 1, ANA, "taken over"));
    world.taken(109, |world| world.propose(3, 2, ANA, "never noted"));
    world.propose(3, 3, ANA, "our own");
    world
}

fn card(db: &Reader, at: At, n: u8) -> serde_json::Value {
    let found = claims::card(db, &sight(db, ANA), at, claim(n)).unwrap().unwrap();
    serde_json::from_str(&found.json).unwrap()
}

#[test]
fn times_are_kept_and_positions_are_ours() {
    let mut world = adopted();
    let db = world.views();
    let at = |n| card(&db, head(), n)["proposed"]["at"].clone();
    assert_eq!(at(1), json!(there(103).recorded_at.to_string().replace('Z', ".000000Z")));
    assert!(at(2).as_str().unwrap().starts_with("2018-01-03"));
    assert!(at(3).as_str().unwrap().starts_with("2018-01-03"));
    let opened = cases::one(&db, &sight(&db, ANA), head(), case(3)).unwrap().unwrap();
    assert!(opened.json.contains(&at(1).as_str().unwrap()[..8]));
    assert!(opened.position > 15, "{}", opened.position);
}

#[test]
fn an_entry_says_when_it_was_recorded_here_and_where_it_comes_from() {
    let mut world = adopted();
    let db = world.views();
    let told = history::of_case(&db, &sight(&db, ANA), head(), case(3), None, many()).unwrap();
    let told = values(&told);
    let of = |n| told.iter().find(|entry| entry["subject"]["id"] == json!(claim(n))).unwrap();
    let from = there(103);
    assert_eq!(of(1)["origin"]["position"], json!(from.position));
    assert_eq!(of(1)["origin"]["log"], "elsewhere.example/log");
    assert_eq!(of(1)["origin"]["leaf"], json!(from.leaf));
    assert_eq!(of(1)["origin"]["actor"], json!(from.actor));
    assert_eq!((&of(1)["actor_kind"], &of(1)["actor"]), (&json!("import"), &json!(user(ANA))));
    assert!(of(1)["recorded_at"].as_str().unwrap().starts_with("2018-01-03"));
    assert!(of(2)["origin"].is_null() && of(3)["origin"].is_null());
    assert!(told.iter().all(|entry| entry["subject"]["kind"] != "adoption"));
}

#[test]
fn it_does_not_matter_whether_the_note_and_the_fact_come_together() {
    let mut world = adopted();
    let together = digest(&world.views(), head()).unwrap();
    let views = crate::Views::open(world.dir.path().join("apart.db")).unwrap();
    let mut conn = crate::db::writer(views.path()).unwrap();
    for entry in world.journal().entries(0, 1_000).unwrap() {
        let (mut facts, read) = crate::fact::decode(vec![entry], &world.keys, &world.handle());
        read.unwrap();
        crate::project::write(&mut conn, &mut Tables::default(), &mut facts).unwrap();
    }
    assert_eq!(digest(&views.reader().unwrap(), head()).unwrap(), together);
}

#[test]
fn an_adoption_counts_its_entries_and_is_in_sight_with_its_case() {
    let mut world = adopted();
    world.finish_adoption(1);
    let db = world.views();
    for (who, seen) in [(ANA, true), (AUD, true), (BEN, false), (ADM, false)] {
        let sight = sight(&db, who);
        assert_eq!(one(&db, &sight, head(), adoption(1)).unwrap().is_some(), seen, "{who}");
        let listed = page(&db, &sight, head(), None, many()).unwrap().items.len();
        assert_eq!(listed, usize::from(seen), "{who}");
    }
    let found = one(&db, &sight(&db, AUD), head(), adoption(1)).unwrap().unwrap();
    let found: AdoptionDoc = serde_json::from_str(&found.json).unwrap();
    assert_eq!((found.entries, found.actors.len()), (3, 1));
    assert!(found.finished.is_some());
    let log = values(&history::page(&db, &sight(&db, AUD), head(), None, many()).unwrap());
    let told = log.iter().filter(|entry| entry["subject"]["kind"] == "adoption").count();
    assert_eq!(told, 3);
}
