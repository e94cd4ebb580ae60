//! Generated histories in; every change between two moments with exactly the commands that made it, out.

use std::collections::BTreeMap;

use assay_domain::aggregate::{Event, Subject};
use assay_domain::finding::{self, Severity};
use assay_domain::link::LinkType;
use assay_domain::report::{Inference, Metadata};
use assay_domain::text::Title;
use assay_domain::value::Stance;
use assay_domain::{case as case_facts, claim as claim_facts, link as link_facts, report};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::steps::tests::commanded;
use crate::testing::{
    ADM, ANA, AUD, BEN, RAO, TEXT, World, case, claim, id, many, passage, reason, sight,
};

/// Lets something happen in a busy case, by four numbers that mean it; nothing is made twice.
fn happen(
    world: &mut World,
    made: &mut BTreeSet<(char, u8)>,
    (what, n, other, words): (u8, u8, u8, u8),
) {
    let n = n % 2 + 1;
    let because = || reason("because").into();
    let title = || Title::try_from(format!("title {}", words % 3)).unwrap();
    let side = [None, Some("rebels"), Some("government")][usize::from(words % 3)];
    let (assertion, link) = (20 + n * 10 + other % 6, 10 + other % 4);
    match what % 12 {
        0 => world.on_claim(n, ANA, claim_facts::Event::Withdrawn { reason: because() }),
        1 => world.on_claim(n, ANA, claim_facts::Event::Reinstated { reason: because() }),
        2 if made.insert(('a', assertion)) => {
            world.assert(n, assertion, ANA, 1, "salient", Stance::Denies, side);
        }
        3 => {
            let (assertion, why) =
                (id(8, assertion).into(), claim_facts::AssertionWithdrawal::Misread);
            let event = claim_facts::Event::AssertionWithdrawn { assertion, why, note: None };
            world.on_claim(n, ANA, event);
        }
        4 if made.insert(('l', link)) => {
            world.link(link, 1, ANA, LinkType::Contradicts, n, 3 - n);
        }
        5 => world.on_link(1, 1, RAO, link_facts::Event::Confirmed { note: None }),
        6 => world.on_link(1, 1, RAO, link_facts::Event::Rejected { reason: because() }),
        7 => {
            let metadata = Metadata::Title(title());
            let inference = Inference { metadata, basis: vec![reason("it says so")] };
            let event = report::Event::MetadataInferred { inference: inference.into() };
            world.on_report(1, 1, ANA, event);
        }
        8 => world.on_case(1, ANA, case_facts::Event::Retitled { title: title().into() }),
        9 if made.insert(('v', n * 10 + other % 5)) => {
            world.judge(n, RAO, n * 10 + other % 5, claim_facts::Outcome::Refuted);
        }
        10 if made.insert(('f', other % 3)) => {
            world.find(other % 3, Some(1), Severity::Note, "seen");
            let event = finding::Event::Answered { answer: passage("so it is").into() };
            world.on_finding(other % 3, ANA, event);
        }
        // Elsewhere, and nothing of this case.
        11 if made.insert(('r', other % 9)) => world.file(50 + other % 9, 2, BEN, TEXT),
        _ => (),
    }
}

/// The documents of everything in the case at every position.
fn everything(db: &Reader, upto: u64) -> Vec<BTreeMap<(String, Uuid), Value>> {
    let mut all = Vec::new();
    for position in 0..=upto {
        let mut now = BTreeMap::new();
        for (kind, table) in IN_CASE {
            let query = format!(
                "SELECT id, doc FROM {table} WHERE case_id = ?1 AND from_pos <= ?2 AND to_pos > ?2"
            );
            let mut statement = db.conn().prepare(&query).unwrap();
            let case = case(1);
            let mut rows = statement.query(params![case.0.as_bytes(), sql(position)]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let doc = serde_json::from_str(&row.get::<_, String>(1).unwrap()).unwrap();
                now.insert((kind.to_owned(), Uuid::from_bytes(row.get(0).unwrap())), doc);
            }
        }
        all.push(now);
    }
    all
}

/// Every command between two moments, two a page.
fn causes(db: &Reader, from: u64, to: u64) -> Vec<Cause> {
    let (ana, limit) = (sight(db, ANA), Limit::new(2).unwrap());
    let (mut cursor, mut all) = (None, Vec::new());
    loop {
        let found = case_by_cause(db, &ana, case(1), from, to, cursor.as_ref(), limit);
        let found = found.unwrap().unwrap();
        all.extend(found.items);
        cursor = found.next;
        if cursor.is_none() {
            return all;
        }
    }
}

type Named = BTreeSet<(String, Uuid)>;

fn named(subjects: impl Iterator<Item = SubjectRef>) -> Named {
    subjects.map(|subject| (subject.kind, subject.id)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_change_is_named_with_exactly_the_commands_that_made_it(
        ops in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 10..50),
        from in 0_u64..60,
        length in 0_u64..60,
    ) {
        let mut world = World::busy();
        let mut made = BTreeSet::new();
        for op in ops {
            happen(&mut world, &mut made, op);
        }
        let mut world = commanded(&world);
        let db = world.views();
        let head = world.log_head();
        let from = from.min(head);
        let to = (from + length).min(head);
        let states = everything(&db, head);
        let state = |position: u64| &states[usize::try_from(position).unwrap()];
        let causes = causes(&db, from, to);

        // Each command names what it changed and nothing else, and nothing changed without one.
        let mut at = from;
        for cause in &causes {
            let first = cause.act.positions[0];
            prop_assert_eq!(state(at), state(first - 1), "something changed before {}", first);
            at = cause.act.position;
            let (before, after) = (state(first - 1), state(at));
            let keys: Named = before.keys().chain(after.keys()).cloned().collect();
            let moved = keys.into_iter().filter(|key| before.get(key) != after.get(key));
            let told = named(cause.changed.iter().map(|effect| effect.subject.clone()));
            prop_assert_eq!(told, moved.collect::<Named>());
        }
        prop_assert_eq!(state(at), state(to), "something changed after the last command");

        // What differs in the end is what the commands changed, but for what they changed back.
        let ana = sight(&db, ANA);
        let whole = crate::diff::case(&db, &ana, case(1), from, to, None, many()).unwrap().unwrap();
        let differs = named(whole.items.into_iter().map(|item| item.subject));
        let all = named(causes.iter().flat_map(|cause| &cause.changed).map(|e| e.subject.clone()));
        prop_assert!(differs.is_subset(&all));
        for key in all.difference(&differs) {
            prop_assert_eq!(state(from).get(key), state(to).get(key));
        }
    }
}

#[test]
fn what_changed_and_changed_back_shows_with_both_commands() {
    let mut world = World::busy();
    let from = world.log_head();
    for title in ["Other", "Idlib"] {
        let title = Title::try_from(title).unwrap().into();
        world.on_case(1, ANA, case_facts::Event::Retitled { title });
    }
    let mut world = commanded(&world);
    let to = world.log_head();
    let db = world.views();
    let ana = sight(&db, ANA);
    let whole = crate::diff::case(&db, &ana, case(1), from, to, None, many()).unwrap().unwrap();
    assert!(whole.items.is_empty());
    let causes = causes(&db, from, to);
    let titles: Vec<(Value, Value)> = causes
        .iter()
        .flat_map(|cause| &cause.changed)
        .flat_map(|effect| &effect.changes)
        .map(|change| (change.from.clone(), change.to.clone()))
        .collect();
    let [idlib, other] = ["Idlib", "Other"].map(Value::from);
    assert_eq!(titles, [(idlib.clone(), other.clone()), (other, idlib)]);
}

#[test]
fn a_link_shows_on_the_claims_it_joins() {
    let mut world = commanded(&World::busy());
    let to = world.log_head();
    let db = world.views();
    let causes = causes(&db, to - 1, to);
    let [cause] = causes.as_slice() else { panic!("{causes:?}") };
    let kinds: Vec<&str> =
        cause.changed.iter().map(|effect| effect.subject.kind.as_str()).collect();
    assert_eq!(kinds, ["claim", "claim", "link"]);
    assert_eq!(cause.act.facts[0].why.as_deref(), Some("they cannot both be so"));
    assert_eq!(cause.changed[0].subject.id, claim(1).0);
}

#[test]
fn nobody_sees_the_causes_of_a_case_that_is_out_of_sight() {
    let mut world = commanded(&World::busy());
    world.add(
        Subject::Finding(crate::testing::finding(9)),
        AUD,
        None,
        vec![Event::Finding(finding::Event::Recorded {
            finding: crate::testing::finding(9),
            case: None,
            entries: vec![],
            severity: Severity::Note,
            statement: passage("of the house").into(),
        })],
    );
    let db = world.views();
    let ask = |who: u8, cursor: Option<&Cursor>, to| {
        case_by_cause(&db, &sight(&db, who), case(1), 0, to, cursor, Limit::new(1).unwrap())
    };
    assert!(ask(ADM, None, 30).unwrap().is_none());
    let first = ask(AUD, None, 30).unwrap().unwrap();
    let next = first.next.unwrap();
    assert!(ask(AUD, Some(&next), 30).is_ok());
    assert!(matches!(ask(AUD, Some(&next), 29), Err(ViewError::BadCursor)));
}
