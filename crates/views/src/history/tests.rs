//! Facts in; who did what when, why, and what it changed, out.

use assay_domain::aggregate::Subject;
use assay_domain::claim::Outcome;
use serde_json::json;

use super::*;
use crate::at::At;
use crate::changes;
use crate::db::moment;
use crate::diff;
use crate::page::Limit;
use crate::testing::{
    ADM, ANA, AUD, BEN, RAO, World, case, claim, head, many, reason, sight, user, values,
};

#[test]
fn a_history_is_newest_first_and_pages_through() {
    let mut world = World::busy();
    let db = world.views();
    let ana = sight(&db, ANA);
    let mut cursor = None;
    let mut positions = Vec::new();
    loop {
        let limit = Limit::new(3).unwrap();
        let page = of_case(&db, &ana, head(), case(1), cursor.as_ref(), limit).unwrap();
        positions.extend(values(&page).iter().map(|entry| entry["position"].as_u64().unwrap()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let all = values(&of_case(&db, &ana, head(), case(1), None, many()).unwrap());
    assert_eq!(positions.len(), all.len());
    assert!(positions.is_sorted_by(|a, b| a > b));
    let subject = Subject::Claim(claim(1));
    let own = values(&of_subject(&db, &ana, head(), subject, None, many()).unwrap());
    assert_eq!(own.len(), 3);
    assert_eq!(own[0]["fact"], "claim.assertion_recorded.v1");
}

#[test]
fn the_whole_log_is_for_auditors_and_admins_read_of_people_only() {
    let mut world = World::busy();
    let db = world.views();
    let whole = |who| page(&db, &sight(&db, who), head(), None, many()).unwrap().items.len();
    assert_eq!(u64::try_from(whole(AUD)).unwrap(), world.log_head());
    assert_eq!((whole(ANA), whole(ADM)), (0, 0));
    let of = |who, what| {
        of_subject(&db, &sight(&db, who), head(), what, None, many()).unwrap().items.len()
    };
    assert_eq!(of(ADM, Subject::User(user(RAO))), 3);
    assert_eq!(of(RAO, Subject::User(user(RAO))), 3);
    assert_eq!(of(ANA, Subject::User(user(RAO))), 0);
    assert_eq!(of(ADM, Subject::Claim(claim(1))), 0);
}

#[test]
fn an_entry_says_what_it_changed_and_why() {
    let mut world = World::busy();
    let lowered = assay_domain::case::Event::Closed {
        outcome: reason("nothing more to find").into(),
        open_contradictions: vec![],
    };
    world.on_case(1, ANA, lowered);
    let db = world.views();
    let ana = sight(&db, ANA);
    let entry = one(&db, &ana, world.log_head()).unwrap().unwrap();
    assert_eq!(entry.entry.why.as_deref(), Some("nothing more to find"));
    assert_eq!(entry.changes.len(), 1);
    assert_eq!((entry.changes[0].path.as_str(), &entry.changes[0].from), ("/closed", &json!(null)));
    assert!(one(&db, &sight(&db, BEN), world.log_head()).unwrap().is_none());
    assert!(one(&db, &ana, 999).unwrap().is_none());
    let now = moment(&db, head()).unwrap();
    assert_eq!(now.position, world.log_head());
    assert_eq!(now.recorded_at, Some(entry.entry.recorded_at));
    assert_eq!(moment(&db, At::Position(0)).unwrap().recorded_at, None);
}

#[test]
fn what_changed_between_two_moments_names_its_causes() {
    let mut world = World::busy();
    let from = world.log_head();
    world.request(1, ANA, 1);
    world.judge(1, RAO, 1, Outcome::Supported);
    world.propose(1, 3, ANA, "a new one");
    let (db, to) = (world.views(), world.log_head());
    let ana = sight(&db, ANA);
    let found = diff::case(&db, &ana, case(1), from, to, None, many()).unwrap().unwrap();
    let ids: Vec<_> = found.items.iter().map(|item| item.subject.id).collect();
    assert_eq!(ids, [claim(1).0, claim(3).0]);
    assert!(found.items[1].before.is_none());
    let causes: Vec<&str> = found.items[0].causes.iter().map(|cause| cause.fact.as_str()).collect();
    assert_eq!(causes, ["claim.review_requested.v1", "claim.verdict_issued.v1"]);
    let standing = found.items[0].changes.iter().find(|change| change.path == "/standing").unwrap();
    assert_eq!((&standing.from, &standing.to), (&json!("proposed"), &json!("adjudicated")));
    let one = Limit::new(1).unwrap();
    let first = diff::case(&db, &ana, case(1), from, to, None, one).unwrap().unwrap();
    let rest = diff::case(&db, &ana, case(1), from, to, first.next.as_ref(), one).unwrap().unwrap();
    assert_eq!((rest.items[0].subject.id, rest.next), (claim(3).0, None));
    let same = diff::subject(&db, &ana, Subject::Claim(claim(2)), from, to).unwrap();
    assert!(same.is_none());
}

#[test]
fn changes_of_a_case_come_oldest_first() {
    let mut world = World::busy();
    let after = world.log_head();
    world.request(1, ANA, 1);
    world.register_source(1, ANA, "elsewhere");
    let db = world.views();
    let found = changes::after(&db, &sight(&db, RAO), case(1), after, many()).unwrap();
    assert_eq!(found.iter().map(|entry| entry.position).collect::<Vec<_>>(), [after + 1]);
    assert!(changes::after(&db, &sight(&db, BEN), case(1), after, many()).unwrap().is_empty());
}

#[test]
fn erasures_are_told_to_those_who_ask_for_them_and_who_decide() {
    let mut world = World::busy();
    world.ask_erasure(1, ADM, claim(1).0);
    world.register(9, "dpo", assay_domain::user::HouseRole::Dpo);
    let position = world.log_head() - 3;
    let db = world.views();
    for (who, seen) in [(ADM, true), (AUD, true), (9, true), (ANA, false), (BEN, false)] {
        let entry = one(&db, &sight(&db, who), position).unwrap();
        assert_eq!(entry.is_some(), seen, "{who}");
        if let Some(entry) = entry {
            assert_eq!(entry.entry.why.as_deref(), Some("named without need"));
            assert!(!entry.changes.is_empty());
        }
    }
}

#[test]
fn the_log_of_auditors_has_everything_and_a_case_only_what_is_its_own() {
    let mut world = World::complete();
    let db = world.views();
    let all = values(&page(&db, &sight(&db, AUD), head(), None, many()).unwrap());
    assert_eq!(u64::try_from(all.len()).unwrap(), world.log_head());
    let own = values(&of_case(&db, &sight(&db, AUD), head(), case(1), None, many()).unwrap());
    let kinds: std::collections::BTreeSet<&str> =
        own.iter().filter_map(|entry| entry["subject"]["kind"].as_str()).collect();
    assert_eq!(Vec::from_iter(kinds), ["case", "claim", "finding", "link", "report"]);
}
