//! Two moments of one query in; what came, went and changed, with its causes, out.

use assay_domain::claim as claim_facts;
use serde_json::json;

use super::*;
use crate::at::At;
use crate::list::raw;
use crate::testing::{ADM, ANA, World, case, claim, link, proposition, reason, sight};
use crate::{claims, contradictions};

const BY_ID: Naming<'_> = Naming { key: "id", also: &[] };

#[test]
fn a_filtered_list_says_what_entered_left_and_changed_and_why() {
    let mut world = World::busy();
    let from = world.log_head();
    let because = || reason("because").into();
    world.on_claim(1, ANA, claim_facts::Event::Withdrawn { reason: because() });
    world.propose(1, 3, ANA, "a third");
    world.propose(1, 4, ANA, "a fourth, taken back at once");
    world.on_claim(4, ANA, claim_facts::Event::Withdrawn { reason: because() });
    let clearer = proposition("clearer").into();
    world.on_claim(2, ANA, claim_facts::Event::Refined { proposition: clearer, reason: because() });
    let to = world.log_head();
    world.propose(1, 5, ANA, "later");
    let db = world.views();
    let ana = sight(&db, ANA);
    let filter =
        claims::ClaimFilter { standing: Some(claims::Standing::Proposed), ..Default::default() };
    let one = Limit::new(1).unwrap();
    let ask = |position: u64| {
        let (db, ana, filter) = (&db, &ana, &filter);
        move |cursor: Option<&Cursor>, _: Limit| {
            claims::page(db, ana, At::Position(position), case(1), filter, cursor, one)
        }
    };
    let found = lists(&db, &ana, (from, to), &mut ask(from), &mut ask(to), BY_ID).unwrap();
    assert_eq!((found.before, found.after), (2, 2));
    let facts = |causes: &[EntryDoc]| -> Vec<String> {
        causes.iter().map(|entry| entry.fact.clone()).collect()
    };
    let [left] = found.left.as_slice() else { panic!("{:?}", found.left) };
    assert_eq!((left.id, facts(&left.causes)), (claim(1).0, vec!["claim.withdrawn.v1".to_owned()]));
    let [entered] = found.entered.as_slice() else { panic!("{:?}", found.entered) };
    assert_eq!((entered.id, entered.causes.len()), (claim(3).0, 1));
    let [changed] = found.changed.as_slice() else { panic!("{:?}", found.changed) };
    assert_eq!(facts(&changed.causes), ["claim.refined.v1"]);
    assert!(changed.changes.iter().any(|change| change.to == json!("clearer")));
    let back = lists(&db, &ana, (to, to), &mut ask(to), &mut ask(to), BY_ID).unwrap();
    assert!(back.entered.is_empty() && back.left.is_empty() && back.changed.is_empty());
}

#[test]
fn what_an_item_is_made_of_is_a_cause_where_it_is_named_and_in_sight() {
    let mut world = World::busy();
    let from = world.log_head();
    world.on_claim(2, ANA, claim_facts::Event::Withdrawn { reason: reason("no").into() });
    let to = world.log_head();
    let db = world.views();
    let ana = sight(&db, ANA);
    let ask = |position: u64| {
        let (db, ana) = (&db, &ana);
        move |cursor: Option<&Cursor>, limit: Limit| {
            contradictions::page(db, ana, At::Position(position), case(1), None, cursor, limit)
        }
    };
    let also: &[&str] = &["/from/claim", "/to/claim"];
    for (also, who, count) in [(also, ANA, 1), (also, ADM, 0), (&[], ANA, 0)] {
        let naming = Naming { key: "link", also };
        let sight = sight(&db, who);
        let found = lists(&db, &sight, (from, to), &mut ask(from), &mut ask(to), naming).unwrap();
        let [changed] = found.changed.as_slice() else { panic!("{:?}", found.changed) };
        assert_eq!((changed.id, changed.causes.len()), (link(1).0, count));
    }
}

/// A list of as many items, a page at a time.
fn long(count: usize) -> impl FnMut(Option<&Cursor>, Limit) -> Result<Page, ViewError> {
    let mut done = 0;
    move |_, limit| {
        let end = count.min(done + limit.get());
        let item =
            |n: usize| raw(json!({"id": Uuid::from_u128(u128::try_from(n).unwrap())}).to_string());
        let items = (done..end).map(item).collect::<Result<_, _>>()?;
        done = end;
        Ok(Page { items, next: (done < count).then(|| Cursor::new("more")), position: 1 })
    }
}

#[test]
fn a_list_that_is_too_long_is_refused_and_says_which() {
    let db = World::peopled().views();
    let ana = sight(&db, ANA);
    let most = lists(&db, &ana, (3, 4), &mut long(LIST_ITEMS_MAX), &mut long(0), BY_ID).unwrap();
    assert_eq!((most.before, most.left.len()), (5_000, LIST_ITEMS_MAX));
    let more = lists(&db, &ana, (3, 4), &mut long(0), &mut long(LIST_ITEMS_MAX + 1), BY_ID);
    assert!(matches!(more, Err(ListsError::TooMany { position: 4 })));
    let unnamed = Naming { key: "link", also: &[] };
    let found = lists(&db, &ana, (3, 4), &mut long(1), &mut long(0), unnamed);
    assert!(matches!(found, Err(ListsError::View(ViewError::Damaged(_)))));
}
