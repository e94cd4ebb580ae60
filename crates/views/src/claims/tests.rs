//! Facts of a claim in, its card out.

use assay_domain::claim::{AssertionWithdrawal, Change, Event, Outcome};
use assay_domain::link::LinkType;
use assay_domain::value::{Edtf, FuzzyTime, Match, Stance};
use serde_json::{Value, json};

use super::*;
use crate::at::At;
use crate::contradictions;
use crate::db::Reader;
use crate::queue::{self, QueueFilter};
use crate::testing::{
    ANA, BEN, RAO, World, case, chain, claim, head, id, link, many, proposition, reason, report,
    sight, values,
};

fn read(db: &Reader, n: u8) -> Value {
    let found = card(db, &sight(db, ANA), head(), claim(n)).unwrap().unwrap();
    serde_json::from_str(&found.json).unwrap()
}

#[test]
fn a_card_shows_who_stands_where() {
    let db = World::busy().views();
    let card = read(&db, 1);
    assert_eq!(card["contested"], true);
    assert_eq!(
        card["stances"],
        json!([
            {"side": "government", "stance": "denies", "count": 1},
            {"side": "rebels", "stance": "claims", "count": 1},
        ])
    );
    assert_eq!(card["links"][0]["other"], claim(2).to_string());
    assert_eq!(card["links"][0]["direction"], "from");
    assert_eq!(card["assertions"][0]["holder"]["is"], "group");
    assert_eq!(card["proposed"]["at"], "2018-01-03T17:20:22.000000Z");
    assert_eq!(
        values(&assertions(&db, &sight(&db, ANA), head(), claim(1)).unwrap().unwrap()).len(),
        2
    );
}

#[test]
fn a_card_is_exact_at_every_position_and_keeps_its_own_revision() {
    let mut world = World::busy();
    world.on_claim(
        1,
        ANA,
        Event::Refined {
            proposition: proposition("rebels retook villages").into(),
            reason: reason("clearer").into(),
        },
    );
    let db = world.views();
    let ana = sight(&db, ANA);
    // 20 proposed · 21, 22 asserted · 25 linked · 26 refined
    let at = |position| card(&db, &ana, At::Position(position), claim(1)).unwrap();
    let first = (1..100).find(|position| at(*position).is_some()).unwrap();
    let seen: Vec<(u64, u64)> = (first..first + 7)
        .map(|p| at(p).map(|d| (d.position - first, d.revision)).unwrap())
        .collect();
    assert_eq!(seen, [(0, 0), (1, 1), (2, 2), (2, 2), (2, 2), (5, 2), (6, 3)]);
}

#[test]
fn a_verdict_series_keeps_every_turn() {
    let mut world = World::busy();
    world.request(1, ANA, 1);
    world.judge(1, RAO, 1, Outcome::Supported);
    let (verdict, assertion) = (id(10, 1).into(), id(8, 1).into());
    world.on_claim(
        1,
        ANA,
        Event::AssertionWithdrawn { assertion, why: AssertionWithdrawal::Misread, note: None },
    );
    world.on_claim(1, ANA, Event::VerdictBasisChanged { verdict, assertion });
    let db = world.views();
    assert_eq!(read(&db, 1)["standing"], "stale");
    assert_eq!(read(&db, 1)["contested"], false);
    world.on_claim(
        1,
        RAO,
        Event::VerdictSuperseded {
            verdict,
            by: id(10, 2).into(),
            change: Change::Weakened,
            reason: reason("less is left").into(),
        },
    );
    world.judge(1, RAO, 2, Outcome::NotEnoughEvidence);
    world.on_claim(1, ANA, Event::Withdrawn { reason: reason("out").into() });
    let db = world.views();
    let card = read(&db, 1);
    assert_eq!(card["standing"], "withdrawn");
    assert_eq!(card["current_verdict"], id(10, 2).to_string());
    assert_eq!(card["verdicts"][0]["superseded"]["change"], "weakened");
    assert_eq!(card["verdicts"][0]["basis_changed"][0]["assertion"], id(8, 1).to_string());
    world.on_claim(1, ANA, Event::Reinstated { reason: reason("in").into() });
    assert_eq!(read(&world.views(), 1)["standing"], "adjudicated");
}

#[test]
fn the_register_follows_verdicts_and_sides() {
    let mut world = World::busy();
    let open = |world: &mut World| {
        let db = world.views();
        let ana = sight(&db, ANA);
        let page =
            contradictions::page(&db, &ana, head(), case(1), Some(true), None, many()).unwrap();
        values(&page)
    };
    let first = open(&mut world);
    assert_eq!(first.len(), 1);
    // The denial of the first claim and the second claim are both the government's.
    assert_eq!(first[0]["same_side"], true);
    assert_eq!(first[0]["from"]["sides"], json!(["government", "rebels"]));
    world.on_claim(
        1,
        ANA,
        Event::AssertionReattributed {
            assertion: id(8, 2).into(),
            chain: chain(Some("observers")).into(),
            reason: reason("misread").into(),
        },
    );
    assert_eq!(open(&mut world)[0]["same_side"], false);
    world.request(2, ANA, 1);
    world.judge(2, RAO, 1, Outcome::Refuted);
    assert!(open(&mut world).is_empty());
    let db = world.views();
    let all = contradictions::page(&db, &sight(&db, ANA), head(), case(1), None, None, many());
    assert_eq!(values(&all.unwrap())[0]["to"]["outcome"], "refuted");
}

#[test]
fn the_queue_says_who_is_barred() {
    let mut world = World::busy();
    world.request(1, ANA, 1);
    let db = world.views();
    let ask = |who: u8, filter: &QueueFilter| {
        values(&queue::page(&db, &sight(&db, who), head(), filter, None, many()).unwrap())
    };
    let all = QueueFilter::default();
    assert_eq!(ask(ANA, &all)[0]["barred"], true);
    assert_eq!(ask(RAO, &all)[0]["barred"], false);
    assert!(ask(BEN, &all).is_empty());
    let mine = QueueFilter { without_barred: true, ..all };
    assert_eq!((ask(ANA, &mine).len(), ask(RAO, &mine).len()), (0, 1));
    world.judge(1, RAO, 1, Outcome::Supported);
    let db = world.views();
    let left = queue::page(&db, &sight(&db, RAO), head(), &QueueFilter::default(), None, many());
    assert!(left.unwrap().items.is_empty());
}

#[test]
fn claims_are_filtered_by_what_they_are_and_when_they_held() {
    let mut world = World::busy();
    let edtf = |text: &str| Edtf::try_from(text.to_owned()).unwrap();
    let mut dated = proposition("it happened");
    dated.time = Some(FuzzyTime::plain(edtf("[2018-01-07..2018-01-11]")));
    world.on_claim(
        2,
        ANA,
        Event::Refined { proposition: dated.into(), reason: reason("when").into() },
    );
    let db = world.views();
    let count = |filter: ClaimFilter| {
        page(&db, &sight(&db, RAO), head(), case(1), &filter, None, many()).unwrap().items.len()
    };
    let when = |text: &str, at_least| {
        let time = Some(TimeFilter { valid_at: edtf(text), at_least });
        count(ClaimFilter { time, ..ClaimFilter::default() })
    };
    assert_eq!(count(ClaimFilter::default()), 2);
    assert_eq!(when("2018-01-11", Match::Possible), 1);
    assert_eq!(when("2018-01-11", Match::Certain), 0);
    assert_eq!(when("2018-01", Match::Certain), 1);
    assert_eq!(when("2017", Match::Possible), 0);
    assert_eq!(count(ClaimFilter { contested: Some(true), ..ClaimFilter::default() }), 1);
    let stands = ClaimFilter { standing: Some(Standing::UnderReview), ..ClaimFilter::default() };
    assert_eq!(count(stands), 0);
    assert_eq!(count(ClaimFilter { report: Some(report(1)), ..ClaimFilter::default() }), 2);
    assert_eq!(count(ClaimFilter { report: Some(report(2)), ..ClaimFilter::default() }), 0);
    for sort in [ClaimSort::Newest, ClaimSort::Changed] {
        assert_eq!(count(ClaimFilter { sort, ..ClaimFilter::default() }), 2);
    }
}

#[test]
fn a_link_is_seen_from_both_ends_as_it_is_decided() {
    let mut world = World::busy();
    world.assert(2, 4, RAO, 1, "salient", Stance::Denies, None);
    world.link(2, 1, RAO, LinkType::Supports, 2, 1);
    world.on_link(2, 1, ANA, assay_domain::link::Event::Rejected { reason: reason("no").into() });
    let db = world.views();
    let card = read(&db, 1);
    assert_eq!(
        (&card["links"][1]["standing"], &card["links"][1]["direction"]),
        (&json!("rejected"), &json!("to"))
    );
    let found = crate::links::one(&db, &sight(&db, ANA), head(), link(2)).unwrap().unwrap();
    assert_eq!(found.revision, 1);
    assert!(crate::links::one(&db, &sight(&db, BEN), head(), link(2)).unwrap().is_none());
}
