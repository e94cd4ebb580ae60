//! Facts in; who could see or change what on a day, since when and by which entries, out.

use assay_domain::aggregate::Event;
use assay_domain::case::{self as case_facts, CaseRole};
use assay_domain::finding::Severity;
use assay_domain::user::{self as user_facts, HouseRole};

use super::*;
use crate::testing::{
    ADM, ANA, AUD, BEN, RAO, World, case, claim, finding, head, link, many, reason, replay, report,
    sight, source, user,
};

fn reach(db: &Reader, who: u8, at: At, subject: Subject) -> Option<Reach> {
    of(db, &sight(db, who), at, subject, None, many()).unwrap()
}

fn of_case(db: &Reader, at: At) -> Reach {
    reach(db, AUD, at, Subject::Case(case(1))).unwrap()
}

fn person(reach: &Reach, who: u8) -> Option<&Reacher> {
    reach.items.iter().find(|person| person.user == user(who))
}

/// Who could see the subject.
fn seers(reach: &Reach) -> Vec<UserId> {
    reach.items.iter().filter(|person| person.sees).map(|person| person.user).collect()
}

fn on_user(world: &mut World, who: u8, event: user_facts::Event) {
    world.add(Subject::User(user(who)), ADM, None, vec![Event::User(event)]);
}

#[test]
fn members_and_auditors_see_a_case_and_the_policy_says_what_they_may() {
    let db = World::busy().views();
    let found = of_case(&db, head());
    assert_eq!(seers(&found), [ANA, RAO, AUD].map(user));
    let rao = person(&found, RAO).unwrap();
    assert_eq!(rao.may.see, ["read_case", "replay"]);
    assert_eq!(rao.may.change, ["grade", "confirm_link", "judge", "answer_finding"]);
    assert_eq!(person(&found, AUD).unwrap().may.change, ["record_finding"]);
    let lead = reach(&db, ANA, head(), Subject::Claim(claim(1))).unwrap();
    assert_eq!(person(&lead, ANA).unwrap().may.change, ["extract", "grade", "request_review"]);
    assert_eq!((lead.case, lead.marking), (Some(case(1)), Some(Tlp::Amber)));
    let link = reach(&db, AUD, head(), Subject::Link(link(1))).unwrap();
    assert_eq!(person(&link, RAO).unwrap().may.change, ["confirm_link"]);
}

#[test]
fn reach_is_of_the_day_asked_for_and_names_its_entries() {
    let mut world = World::peopled();
    let joined = world.log_head() - 2; // Then Ben opened another case, in two facts.
    on_user(&mut world, RAO, user_facts::Event::PasswordChanged {});
    let before = world.log_head();
    world.on_case(1, ANA, case_facts::Event::MemberRemoved { user: user(RAO) });
    let removed = world.log_head();
    world.add_member(1, ANA, RAO, CaseRole::Analyst);
    let again = world.log_head();
    let db = world.views();
    let since = |position: u64| {
        let found = of_case(&db, At::Position(position));
        let rao = person(&found, RAO)?;
        let membership = rao.by.iter().find(|grant| grant.what == GrantKind::Membership).unwrap();
        assert_eq!((membership.fact.as_str(), membership.by), ("case.member_added.v1", user(ANA)));
        Some((rao.since.unwrap().position, membership.position))
    };
    assert_eq!(since(joined - 1), None);
    assert_eq!(since(before), Some((joined, joined)));
    assert_eq!(since(removed), None);
    assert_eq!(since(again), Some((again, again)));
    let early = of_case(&db, At::Position(before));
    assert_eq!(early.as_of.position, before);
    let kinds: Vec<GrantKind> =
        person(&early, RAO).unwrap().by.iter().map(|grant| grant.what).collect();
    assert_eq!(kinds, [GrantKind::Clearance, GrantKind::Marking, GrantKind::Membership]);
    let auditor = person(&early, AUD).unwrap();
    let role = auditor.by.iter().find(|grant| grant.what == GrantKind::HouseRole).unwrap();
    assert_eq!(role.fact, "user.role_granted.v1");
}

#[test]
fn a_marking_a_clearance_or_a_suspension_stands_in_the_way_and_says_so() {
    let mut world = World::busy();
    on_user(&mut world, RAO, user_facts::Event::Cleared { clearance: Tlp::Red });
    let cleared = world.log_head();
    world.on_case(1, ANA, case_facts::Event::MarkingRaised { marking: Tlp::AmberStrict });
    let raised = world.log_head();
    for who in [ANA, AUD] {
        on_user(&mut world, who, user_facts::Event::Cleared { clearance: Tlp::AmberStrict });
    }
    on_user(&mut world, RAO, user_facts::Event::Suspended { reason: reason("left").into() });
    let suspended = world.log_head();
    let db = world.views();
    let strict = of_case(&db, At::Position(raised));
    assert_eq!(seers(&strict), [user(RAO)]);
    let ana = person(&strict, ANA).unwrap();
    assert_eq!((ana.why_not, ana.since), (Some(WhyNot::ClearanceBelowMarking), None));
    assert_eq!(ana.may, May::default());
    // Rao was never without: the clearance came before the marking.
    let rao = person(&strict, RAO).unwrap();
    assert!(rao.since.unwrap().position < cleared);
    let marking = rao.by.last().unwrap();
    assert_eq!((marking.what, marking.position), (GrantKind::Marking, raised));
    let late = of_case(&db, head());
    assert_eq!(seers(&late), [ANA, AUD].map(user));
    assert_eq!(person(&late, ANA).unwrap().since.unwrap().position, raised + 1);
    let rao = person(&late, RAO).unwrap();
    assert_eq!(rao.why_not, Some(WhyNot::Suspended));
    let entry = rao.by.last().unwrap();
    assert_eq!((entry.what, entry.position), (GrantKind::Suspension, suspended));
}

#[test]
fn only_auditors_and_leads_of_the_case_ask_and_only_of_what_there_was() {
    let mut world = World::complete();
    world.find(7, None, Severity::Note, "of the house");
    let db = world.views();
    let asked = |who, subject| reach(&db, who, head(), subject).is_some();
    let of_case = Subject::Case(case(1));
    assert_eq!([ANA, RAO, BEN, ADM].map(|who| asked(who, of_case)), [true, false, false, false]);
    assert!(asked(AUD, Subject::Case(case(2))) && !asked(ANA, Subject::Case(case(2))));
    assert!(asked(AUD, Subject::Report(report(1))) && asked(AUD, Subject::Finding(finding(1))));
    assert!(asked(AUD, Subject::Finding(finding(7))) && !asked(ANA, Subject::Finding(finding(7))));
    assert!(asked(AUD, Subject::Source(source(1))) && !asked(ANA, Subject::Source(source(1))));
    assert!(!asked(AUD, Subject::Claim(claim(99))) && !asked(AUD, Subject::Replay(replay(1))));
    assert!(reach(&db, AUD, At::Position(3), of_case).is_none());
}

#[test]
fn a_source_is_seen_by_roles_anywhere_and_a_user_by_those_who_manage_and_by_themselves() {
    let mut world = World::busy();
    world.register_source(1, ANA, "The Post");
    on_user(&mut world, RAO, user_facts::Event::RoleRevoked { role: HouseRole::Reviewer });
    let db = world.views();
    let found = reach(&db, AUD, head(), Subject::Source(source(1))).unwrap();
    assert_eq!(seers(&found), [ANA, RAO, AUD, BEN].map(user));
    assert_eq!(person(&found, ANA).unwrap().may.change, ["register_source"]);
    let rao = person(&found, RAO).unwrap();
    assert_eq!((rao.may.change.len(), rao.since), (0, None));
    assert_eq!((found.case, found.marking), (None, None));
    let found = reach(&db, AUD, head(), Subject::User(user(BEN))).unwrap();
    assert_eq!(seers(&found), [AUD, ADM, BEN].map(user));
    assert_eq!(person(&found, ADM).unwrap().may.change, ["manage_users"]);
    assert_eq!(person(&found, BEN).unwrap().by.last().unwrap().what, GrantKind::Account);
}

#[test]
fn the_list_pages_through_in_the_order_of_registration() {
    let mut world = World::busy();
    let db = world.views();
    let first =
        of(&db, &sight(&db, AUD), head(), Subject::Case(case(1)), None, Limit::new(1).unwrap());
    let mut found = first.unwrap().unwrap();
    world.add_member(1, ANA, BEN, CaseRole::Analyst);
    let later = world.views();
    let mut users = Vec::new();
    loop {
        users.extend(found.items.iter().map(|person| person.user));
        let Some(cursor) = found.next else { break };
        let aud = sight(&later, AUD);
        let next =
            of(&later, &aud, head(), Subject::Case(case(1)), Some(&cursor), Limit::new(1).unwrap());
        found = next.unwrap().unwrap();
    }
    // The moment is that of the first page.
    assert_eq!(users, [ANA, RAO, AUD].map(user));
}
