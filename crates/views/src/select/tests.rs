//! Facts in, the positions of a bundle out, checked against the log itself.

use assay_domain::aggregate::{Event, Subject};
use assay_domain::case::{self as case_facts, CaseRole};
use assay_domain::finding::Severity;
use assay_domain::report::{self, Correction};
use assay_domain::value::{Chain, ChainLink, Stance};
use assay_domain::{claim, source as source_facts};
use assay_store::journal::Journal as _;

use super::*;
use crate::testing::{
    ADM, ANA, AUD, BEN, RAO, World, case, chain, head, id, name, reason, sight, source, user,
};

/// The positions of the log whose stream and fact satisfy something.
fn where_so(world: &World, so: impl Fn(Subject, &str) -> bool) -> Vec<u64> {
    let entries = world.log.entries(0, usize::MAX).unwrap().into_iter();
    let so = |entry: &assay_store::journal::Entry| {
        so(Subject::of_stream(&entry.recorded.stream).unwrap(), &entry.recorded.fact.name)
    };
    entries.filter(so).map(|entry| entry.position).collect()
}

fn held_by(n: u8) -> Chain {
    let mut links: Vec<ChainLink> = chain(None).into();
    links.last_mut().unwrap().holder = Holder::Source { source: source(n) };
    Chain::try_from(links).unwrap()
}

/// A busy case with sources: 1 published, 2 was taken for the publisher before, 3 holds an assertion,
/// 4 was taken for its holder before, 5 is of nobody.
fn sourced() -> World {
    let mut world = World::busy();
    for n in 1..=5 {
        world.register_source(n, ANA, "a source");
    }
    for n in [2, 1] {
        let metadata = Metadata::Publisher(source(n));
        let correction = Correction { metadata, reason: reason("so it says") };
        let event = report::Event::MetadataCorrected { correction: correction.into() };
        world.on_report(1, 1, ANA, event);
    }
    world.assert(1, 7, ANA, 1, "salient", Stance::Claims, None);
    for n in [4, 3] {
        let event = claim::Event::AssertionReattributed {
            assertion: id(8, 7).into(),
            chain: held_by(n).into(),
            reason: reason("read again").into(),
        };
        world.on_claim(1, ANA, event);
    }
    let named = source_facts::Event::Named { name: name("another name").into() };
    world.add(Subject::Source(source(1)), BEN, None, vec![Event::Source(named)]);
    world.find(1, Some(1), Severity::Note, "seen");
    world.reads(1, RAO, Some(1), &[(None, 1, 2)]);
    world
}

#[test]
fn a_bundle_has_the_case_its_sources_and_its_people_and_nobody_else() {
    let mut world = sourced();
    world.on_case(1, ANA, case_facts::Event::MemberRemoved { user: user(RAO) });
    let db = world.views();
    let found = selection(&db, &sight(&db, ANA), head(), case(1)).unwrap().unwrap();
    let own = where_so(&world, |subject, _| {
        let other_case = subject == Subject::Case(case(2));
        let kind = ["case", "report", "claim", "link", "finding"].contains(&subject.kind());
        kind && !other_case
    });
    assert_eq!(found.case_entries, own);
    let sources = where_so(
        &world,
        |subject, _| matches!(subject, Subject::Source(known) if known != source(5)),
    );
    assert_eq!(found.source_entries, sources);
    // Ana acts, Rao was a member, the auditor recorded a finding.
    let people = [ANA, RAO, AUD].map(user);
    let registered = where_so(&world, |subject, fact| {
        matches!(subject, Subject::User(known) if people.contains(&known))
            && fact == "user.registered.v1"
    });
    assert_eq!(found.user_entries, registered);
}

#[test]
fn nothing_later_than_the_moment_is_selected() {
    let mut world = sourced();
    let then = world.log_head();
    let before = world.views();
    let house = Sight::house();
    let expected = selection(&before, &house, head(), case(1)).unwrap();
    world.add_member(1, ANA, BEN, CaseRole::Analyst);
    world.propose(1, 3, BEN, "more");
    let named = source_facts::Event::Named { name: name("later").into() };
    world.add(Subject::Source(source(1)), BEN, None, vec![Event::Source(named)]);
    let after = world.views();
    assert_eq!(selection(&after, &house, At::Position(then), case(1)).unwrap(), expected);
    assert_ne!(selection(&after, &house, head(), case(1)).unwrap(), expected);
}

#[test]
fn who_may_not_read_the_registry_gets_no_sources_and_a_stranger_gets_nothing() {
    let mut world = sourced();
    world.register(8, "lead", assay_domain::user::HouseRole::Admin);
    world.add_member(1, ANA, 8, CaseRole::CaseLead);
    let db = world.views();
    let found = selection(&db, &sight(&db, 8), head(), case(1)).unwrap().unwrap();
    assert!(found.source_entries.is_empty() && !found.case_entries.is_empty());
    assert!(selection(&db, &sight(&db, ADM), head(), case(1)).unwrap().is_none());
    assert!(selection(&db, &sight(&db, ANA), At::Position(2), case(1)).unwrap().is_none());
}
