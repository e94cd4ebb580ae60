//! Facts of commands in; a case told step by step, forward and back, out.

use std::collections::BTreeSet;

use assay_domain::aggregate::{Event, Subject};
use assay_domain::claim::{self, AssertionRef, Citation, CitationRole, Cited, Cluster};
use assay_domain::finding::Severity;
use assay_domain::link::LinkType;
use assay_domain::report::{Inference, Metadata};
use assay_domain::text::Title;
use assay_domain::value::Stance;
use assay_domain::{case as case_facts, report as report_facts};
use assay_store::fact::NewFact;
use assay_store::journal::Journal as _;
use serde_json::{Value, json};

use super::*;
use crate::at::At;
use crate::history;
use crate::testing::{
    ADM, ANA, AUD, RAO, TEXT, World, case, claim, head, id, judged, link, many, reason, report,
    sight, values,
};

/// The same facts in a world where each command has a name of its own, as the house gives them.
///
/// A case is opened with its first member, and a verdict supersedes another, with one command.
pub(crate) fn commanded(world: &World) -> World {
    let mut anew = World::empty();
    let mut append: Vec<NewFact> = Vec::new();
    let entries = world.log.entries(0, usize::MAX).unwrap();
    let mut commands = 0_u128;
    for (at, entry) in entries.iter().enumerate() {
        let mut fact = entry.recorded.fact.clone();
        if append.is_empty() {
            commands += 1;
        }
        fact.envelope.command = Uuid::from_u128((11 << 64) | commands);
        // So that more can be added, which the world names from the beginning.
        fact.id = Uuid::from_u128((12 << 64) | fact.id.as_u128());
        let first = ["case.opened.v1", "claim.verdict_superseded.v1"].contains(&fact.name.as_str());
        append.push(fact);
        let next = entries.get(at + 1);
        let same = next.is_some_and(|next| next.recorded.stream == entry.recorded.stream);
        if !(first && same) {
            anew.append(&entry.recorded.stream, std::mem::take(&mut append));
        }
    }
    anew
}

/// Every step there is, a page of three at a time.
fn walk(db: &Reader, who: u8, at: At, after: u64, forward: bool) -> Vec<Value> {
    let (sight, limit) = (sight(db, who), Limit::new(3).unwrap());
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let walk = Walk { after, forward };
        let found = page(db, &sight, case(1), at, walk, cursor.as_ref(), limit).unwrap();
        all.extend(values(&found));
        cursor = found.next;
        if cursor.is_none() {
            return all;
        }
    }
}

fn basis(db: &Reader, position: u64) -> Value {
    let found = at(db, &sight(db, ANA), case(1), head(), position).unwrap().unwrap();
    serde_json::to_value(found.basis).unwrap()
}

#[test]
fn the_way_back_is_the_way_forward_reversed() {
    let db = commanded(&World::complete()).views();
    let mut back = walk(&db, ANA, head(), u64::MAX, false);
    back.reverse();
    let forward = walk(&db, ANA, head(), 0, true);
    assert_eq!(forward, back);
    let of = u64::try_from(forward.len()).unwrap();
    assert!(of > 20);
    let (mut previous, mut index) = (Value::Null, 0);
    for step in &forward {
        index += 1;
        assert_eq!((&step["index"], &step["of"]), (&json!(index), &json!(of)));
        assert_eq!(step["previous"], previous);
        let last = step["positions"].as_array().unwrap().last().unwrap();
        assert_eq!(*last, step["position"]);
        previous = step["position"].clone();
    }
    for (step, next) in forward.iter().zip(&forward[1..]) {
        assert_eq!(step["next"], next["position"]);
    }
    assert_eq!(forward.last().unwrap()["next"], Value::Null);
    assert!(forward.iter().any(|step| step["positions"].as_array().unwrap().len() == 2));
}

#[test]
fn the_steps_are_made_of_the_entries_of_the_history() {
    let db = commanded(&World::complete()).views();
    let history = history::of_case(&db, &sight(&db, ANA), head(), case(1), None, many()).unwrap();
    let of = |value: &Value| value["position"].as_u64().unwrap();
    let entries: BTreeSet<u64> = values(&history).iter().map(of).collect();
    let steps = walk(&db, ANA, head(), 0, true);
    let told = steps.iter().flat_map(|step| step["facts"].as_array().unwrap()).map(of);
    assert_eq!(told.collect::<BTreeSet<u64>>(), entries);
    for entry in values(&history) {
        let step = steps
            .iter()
            .find(|step| step["positions"].as_array().unwrap().contains(&entry["position"]));
        let step = step.unwrap();
        if step["positions"].as_array().unwrap().len() == 1 {
            assert_eq!(step["changes"], entry["changes"]);
            assert_eq!(step["actor"]["id"], entry["actor"]);
        }
    }
}

#[test]
fn any_position_leads_to_the_step_that_holds_it_or_the_last_before() {
    let mut world = commanded(&World::complete());
    let db = world.views();
    let (ana, steps) = (sight(&db, ANA), walk(&db, ANA, head(), 0, true));
    let first = |step: &Value| step["positions"][0].as_u64().unwrap();
    for position in 0..=world.log_head() + 2 {
        let found = at(&db, &ana, case(1), head(), position).unwrap();
        let expected = steps.iter().rev().find(|step| first(step) <= position);
        assert_eq!(found.map(|step| serde_json::to_value(step).unwrap()).as_ref(), expected);
        for (step, next) in steps.iter().zip(&steps[1..]) {
            if (first(step)..first(next)).contains(&position) {
                assert_eq!(walk(&db, ANA, head(), position, true).first(), Some(next));
            }
        }
    }
}

#[test]
fn nothing_after_the_moment_is_in_a_walk() {
    let world = commanded(&World::complete());
    let mut early = World::empty();
    let cut = 40;
    for entry in world.log.entries(0, cut).unwrap() {
        early.append(&entry.recorded.stream, vec![entry.recorded.fact]);
    }
    let (mut world, early) = (world, early.views());
    let late = world.views();
    let moment = At::Position(u64::try_from(cut).unwrap());
    for forward in [true, false] {
        let after = if forward { 0 } else { u64::MAX };
        let then = walk(&late, ANA, moment, after, forward);
        assert_eq!(then, walk(&early, ANA, head(), after, forward));
    }
}

#[test]
fn who_reads_and_who_replays_makes_no_step() {
    let mut world = commanded(&World::busy());
    let before = walk(&world.views(), ANA, head(), 0, true);
    world.reads(1, RAO, Some(1), &[(Some(claim(1).0), 1, 2)]);
    world.save_replay(1, ANA, 1);
    world.export(2, AUD, 1);
    assert_eq!(walk(&world.views(), ANA, head(), 0, true), before);
}

#[test]
fn a_step_says_what_it_rested_on() {
    let mut world = commanded(&World::busy());
    let mut positions = Vec::new();
    let mut noted = |world: &World| positions.push(world.log_head());
    noted(&world); // The link of the busy world.
    let cites = Cited::Assertion(AssertionRef { claim: claim(1), assertion: id(8, 1).into() });
    let citation = Citation {
        cites,
        role: CitationRole::Supports,
        sha256: "ab".into(),
        version: 3,
        cluster: Cluster::Report(report(1)),
        note: Some(reason("seen there")),
    };
    let mut verdict = judged(id(10, 1).into(), claim::Outcome::Supported);
    if let claim::Event::VerdictIssued { cites: all, citations, .. } = &mut verdict {
        *all = vec![cites];
        *citations = vec![citation].into();
    }
    world.on_claim(1, RAO, verdict);
    noted(&world);
    world.assert(1, 9, ANA, 1, "salient", Stance::Claims, None);
    noted(&world);
    let metadata = Metadata::Title(Title::try_from("A title").unwrap());
    let inference = Inference { metadata, basis: vec![reason("the header says so")] };
    let event = report_facts::Event::MetadataInferred { inference: inference.into() };
    world.on_report(1, 1, ANA, event);
    noted(&world);
    world.find(1, Some(1), Severity::Minor, "thin");
    noted(&world);
    let outcome = reason("done").into();
    world.on_case(
        1,
        ANA,
        case_facts::Event::Closed { outcome, open_contradictions: vec![link(1)] },
    );
    noted(&world);
    let db = world.views();
    let claims = [claim(1), claim(2)].map(|claim| json!({"is": "claim", "claim": claim}));
    let pin = json!({"role": "supports", "sha256": "ab", "version": 3, "note": "seen there"});
    for (position, expected) in positions.into_iter().zip([
        json!(claims),
        json!([{"is": "assertion", "claim": claim(1), "assertion": id(8, 1), "cited": pin}]),
        json!([{"is": "report", "report": report(1), "cited": null}]),
        json!([{"is": "words", "words": "the header says so"}]),
        json!([{"is": "entry", "position": 1, "log": null}]),
        json!([{"is": "link", "link": link(1)}]),
    ]) {
        assert_eq!(basis(&db, position), expected, "at {position}");
    }
}

#[test]
fn who_did_it_is_called_as_they_were_called_then() {
    let mut world = commanded(&World::busy());
    let db = world.views();
    let step = at(&db, &sight(&db, RAO), case(1), head(), world.log_head()).unwrap().unwrap();
    let profile = step.act.actor.profile.unwrap();
    assert_eq!((step.act.actor.id.0, profile.username.as_str()), (id(1, ANA), "ana"));
    assert_eq!(step.act.facts[0].subject.kind, "link");
}

#[test]
fn the_steps_of_a_case_taken_over_are_those_of_its_own_house() {
    let mut world = World::peopled();
    world.begin_adoption(1, 3);
    world.note_entries(1, &[1, 2, 3, 4]);
    world.taken(1, |world| {
        world.open_case(3, ANA, "Taken", assay_domain::value::Tlp::Amber);
        for title in ["One", "Two"] {
            let title = Title::try_from(title).unwrap().into();
            world.on_case(3, ANA, case_facts::Event::Retitled { title });
        }
    });
    // All of it came with one command of ours; there, each was recorded at another moment.
    let db = world.views();
    let walk = Walk { after: 0, forward: true };
    let steps = page(&db, &sight(&db, ANA), case(3), head(), walk, None, many()).unwrap();
    assert_eq!(steps.items.len(), 4);
    assert_eq!(values(&steps)[3]["facts"][0]["origin"]["position"], 40);
    assert_eq!(values(&steps)[3]["of"], 4);
}

#[test]
fn what_is_out_of_sight_has_no_steps_and_a_cursor_is_of_its_case_and_its_way() {
    let mut world = commanded(&World::busy());
    world.link(2, 1, ANA, LinkType::Supports, 1, 2);
    let db = world.views();
    let forward = Walk { after: 0, forward: true };
    let ask = |who, n, walk, cursor: Option<&Cursor>| {
        page(&db, &sight(&db, who), case(n), head(), walk, cursor, Limit::new(2).unwrap())
    };
    assert!(ask(ADM, 1, forward, None).unwrap().items.is_empty());
    assert!(at(&db, &sight(&db, ADM), case(1), head(), 20).unwrap().is_none());
    assert!(at(&db, &sight(&db, ANA), case(1), head(), 3).unwrap().is_none());
    let next = ask(AUD, 1, forward, None).unwrap().next.unwrap();
    assert!(ask(AUD, 1, forward, Some(&next)).is_ok());
    let back = Walk { after: 9, forward: false };
    for (n, walk) in [(2, forward), (1, back)] {
        assert!(matches!(ask(AUD, n, walk, Some(&next)), Err(ViewError::BadCursor)));
    }
}

#[test]
fn facts_of_another_stream_are_another_step() {
    let mut world = World::busy();
    // These two were written under one name, as a client may use one name for two things.
    let db = world.views();
    let link_at = world.log_head();
    let step = at(&db, &sight(&db, ANA), case(1), head(), link_at).unwrap().unwrap();
    assert_eq!(step.act.positions, [link_at]);
    let event = claim::Event::Reinstated { reason: reason("again").into() };
    world.add(Subject::Claim(claim(2)), ANA, Some(1), vec![Event::Claim(event)]);
    world.file(3, 1, ANA, TEXT);
    let db = world.views();
    let step = at(&db, &sight(&db, ANA), case(1), head(), link_at + 1).unwrap().unwrap();
    assert_eq!(step.act.positions, [link_at + 1]);
}
