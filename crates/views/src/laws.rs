//! The laws of the views, over generated histories: rebuild, as-of, no leak; and who makes what of which fact.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::AssertionId;
use assay_domain::{
    access, adoption, case, claim, erasure, finding, link, log_key, replay, report, source, user,
};
use assay_ledger::Frontier;
use assay_store::journal::{Entry, Journal};
use assay_store::log::LogError;
use proptest::prelude::*;
use strum::EnumCount as _;
use tokio::sync::watch;
use uuid::Uuid;

use crate::at::At;
use crate::db::{Reader, Views, writer};
use crate::dump::{digest, dump_canonical};
use crate::fact::decode;
use crate::members::Sight;
use crate::project::{Took, VIEWS};
use crate::projector::catch_up;
use crate::rebuild::{compare, rebuild};
use crate::rows::{Rows, Tables};
use crate::testing::*;
use crate::{adoptions, erasures, findings, log_keys, reads, replays};
use crate::{
    cases, claims, contradictions, coverage, diff, history, links, members, queue, reports,
};
use crate::{changes, search, sources, users};

/// A journal that ends earlier.
#[derive(Debug)]
struct Until {
    journal: Arc<dyn Journal>,
    head: u64,
}

impl Journal for Until {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let left = usize::try_from(self.head.saturating_sub(after)).unwrap();
        self.journal.entries(after, limit.min(left))
    }
    fn head(&self) -> Result<u64, LogError> {
        Ok(self.head)
    }
    fn watch(&self) -> watch::Receiver<u64> {
        self.journal.watch()
    }
    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        self.journal.locate(fact)
    }
    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        self.journal.position_at(recorded_at)
    }
    fn frontier(&self) -> Result<Frontier, LogError> {
        self.journal.frontier()
    }
}

fn until(world: &World, head: u64) -> Arc<dyn Journal> {
    Arc::new(Until { journal: world.journal(), head })
}

/// Views of entries 1 to `head`, projected in steps that end at the given positions.
fn views_until(world: &World, name: &str, steps: &[u64], head: u64) -> Reader {
    let views = Views::open(world.dir.path().join(name)).unwrap();
    for end in steps.iter().copied().filter(|end| *end < head).chain([head]) {
        catch_up(&views, &until(world, end), &world.keys, &world.handle(), |_, _| ()).unwrap();
    }
    views.reader().unwrap()
}

/// The answers of every query at one moment, by name.
fn answers(db: &Reader, sight: &Sight, at: At) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut note = |name: String, answer: String| {
        all.insert(name, answer);
    };
    let page = |page: crate::Page| format!("{:?}", (values(&page), page.next));
    let limit = many();
    note("users".into(), page(users::page(db, sight, at, None, limit).unwrap()));
    note("sources".into(), page(sources::page(db, sight, at, None, None, limit).unwrap()));
    for filter in [cases::CaseFilter::All, cases::CaseFilter::Open, cases::CaseFilter::Closed] {
        let found = cases::page(db, sight, at, filter, None, limit).unwrap();
        note(format!("cases {filter:?}"), page(found));
    }
    for n in 1..=2 {
        let case = case(n);
        note(
            format!("members {n}"),
            page(members::page(db, sight, at, case, None, limit).unwrap()),
        );
        note(format!("case {n}"), format!("{:?}", cases::one(db, sight, at, case).unwrap()));
        let overview = cases::overview(db, sight, at, case).unwrap();
        note(format!("overview {n}"), format!("{overview:?}"));
        let filter = reports::ReportFilter::default();
        let found = reports::page(db, sight, at, case, &filter, None, limit).unwrap();
        note(format!("reports {n}"), page(found));
        for sort in [claims::ClaimSort::Oldest, claims::ClaimSort::Changed] {
            let filter =
                claims::ClaimFilter { sort, report: Some(report(n)), ..Default::default() };
            let found = claims::page(db, sight, at, case, &filter, None, limit).unwrap();
            note(format!("claims {n} {sort:?}"), page(found));
        }
        let filter = links::LinkFilter { claim: Some(claim(1)), ..Default::default() };
        note(
            format!("links {n}"),
            page(links::page(db, sight, at, case, &filter, None, limit).unwrap()),
        );
        for open in [None, Some(true)] {
            let found = contradictions::page(db, sight, at, case, open, None, limit).unwrap();
            note(format!("contradictions {n} {open:?}"), page(found));
        }
        let filter = queue::QueueFilter { case: Some(case), without_barred: false };
        note(format!("queue {n}"), page(queue::page(db, sight, at, &filter, None, limit).unwrap()));
        let found = history::of_case(db, sight, at, case, None, limit).unwrap();
        note(format!("history {n}"), page(found));
    }
    for n in 1..=4 {
        let covered = coverage::coverage(db, sight, at, report(n), None).unwrap();
        note(format!("coverage {n}"), format!("{covered:?}"));
        note(
            format!("report {n}"),
            format!("{:?}", reports::one(db, sight, at, report(n)).unwrap()),
        );
        let text = reports::rendition(db, sight, at, report(n), rendition(n)).unwrap();
        note(format!("rendition {n}"), format!("{text:?}"));
        note(format!("card {n}"), format!("{:?}", claims::card(db, sight, at, claim(n)).unwrap()));
        note(format!("link {n}"), format!("{:?}", links::one(db, sight, at, link(n)).unwrap()));
        note(
            format!("source {n}"),
            format!("{:?}", sources::one(db, sight, at, source(n)).unwrap()),
        );
    }
    audited(db, sight, at, &mut note);
    note("log".into(), page(history::page(db, sight, at, None, limit).unwrap()));
    for asked in ["villages", "yildirim", "said*", "title", "post"] {
        let filter = search::SearchFilter::default();
        let found = search::find(db, sight, at, asked, &filter, None, limit).unwrap();
        let hits: BTreeSet<String> = found.items.iter().map(|hit| hit.get().to_owned()).collect();
        note(format!("search {asked}"), format!("{hits:?}"));
    }
    all
}

/// The answers about findings, reads, replays, erasures, adoptions and keys.
fn audited(db: &Reader, sight: &Sight, at: At, note: &mut impl FnMut(String, String)) {
    let page = |page: crate::Page| format!("{:?}", (values(&page), page.next));
    let limit = many();
    for n in 0..=2 {
        let case = (n > 0).then_some(case(n));
        let filter = findings::FindingFilter { case, ..Default::default() };
        let found = findings::page(db, sight, at, &filter, None, limit).unwrap();
        note(format!("findings {n}"), page(found));
        let filter = reads::ReadFilter { case, ..Default::default() };
        note(format!("reads {n}"), page(reads::page(db, sight, at, &filter, None, limit).unwrap()));
        let found = replays::page(db, sight, at, case, None, limit).unwrap();
        note(format!("replays {n}"), page(found));
    }
    for n in 1..=4 {
        let found = findings::one(db, sight, at, crate::testing::finding(n)).unwrap();
        note(format!("finding {n}"), format!("{found:?}"));
        let found = replays::one(db, sight, at, crate::testing::replay(n)).unwrap();
        note(format!("replay {n}"), format!("{found:?}"));
        let found = erasures::one(db, sight, at, crate::testing::erasure(n)).unwrap();
        note(format!("erasure {n}"), format!("{found:?}"));
        let found = adoptions::one(db, sight, at, crate::testing::adoption(n)).unwrap();
        note(format!("adoption {n}"), format!("{found:?}"));
    }
    note("erasures".into(), page(erasures::page(db, sight, at, None, None, limit).unwrap()));
    note("adoptions".into(), page(adoptions::page(db, sight, at, None, limit).unwrap()));
    note("keys".into(), page(log_keys::page(db, sight, at, None, limit).unwrap()));
}

/// Something that happens, as four numbers that mean it.
type Op = (u8, u8, u8, u8);

fn home(n: u8) -> u8 {
    n % 2 + 1
}

/// Whether a question is about the house, so that an admin who is in no case gets an answer.
fn sees_anyway(question: &str) -> bool {
    let first = question.split(' ').next().unwrap();
    ["users", "erasures", "erasure", "keys", "finding"].contains(&first) || question == "findings 0"
}

#[expect(clippy::too_many_lines, reason = "one arm a kind of event")]
/// Lets it happen, where what it happens to exists.
fn happen(world: &mut World, made: &mut BTreeSet<(char, u8)>, (what, a, b, c): Op) {
    let actor = [ANA, RAO, BEN][usize::from(c % 3)];
    let (n, other, words) = (a % 4 + 1, b % 4 + 1, ["16 villages", "Yıldırım said no", "salient"]);
    let words = words[usize::from(c % 3)];
    let side = [None, Some("rebels"), Some("government")][usize::from(b % 3)];
    let subject = Subject::Claim(claim(n));
    let why = || reason("because").into();
    let verdict = |n: u8| id(10, n).into();
    let assertion: AssertionId = id(8, b % 3).into();
    let on_claim = |world: &mut World, event: claim::Event| {
        world.add(subject, actor, Some(home(n)), vec![Event::Claim(event)]);
    };
    match what % 28 {
        0 if made.insert(('r', n)) => world.file(n, home(n), actor, TEXT),
        1 if made.insert(('c', n)) => world.propose(home(n), n, actor, "villages were taken"),
        2 if made.insert(('s', n)) => world.register_source(n, actor, "The Post"),
        3 if made.contains(&('c', n)) && made.insert(('x', n * 16 + b % 3)) => {
            let stance = [assay_domain::value::Stance::Claims, assay_domain::value::Stance::Denies];
            let stance = stance[usize::from(c % 2)];
            let event = recorded(id(8, b % 3).into(), home(n), words, stance, side);
            on_claim(world, event);
        }
        4 if made.contains(&('c', n))
            && made.contains(&('c', other))
            && n != other
            && home(n) == home(other) =>
        {
            let kind = [link::LinkType::Contradicts, link::LinkType::Supports][usize::from(c % 2)];
            if made.insert(('l', n)) {
                world.link(n, home(n), actor, kind, n, other);
            }
        }
        5 if made.contains(&('l', n)) => {
            let event = match b % 3 {
                0 => link::Event::Confirmed { note: None },
                1 => link::Event::Rejected { reason: why() },
                _ => link::Event::Withdrawn { reason: why() },
            };
            world.on_link(n, home(n), actor, event);
        }
        6 | 7 if made.contains(&('c', n)) => {
            let event = claim::Event::ReviewRequested { round: 1, priority: b % 3 + 1, note: None };
            on_claim(world, event);
        }
        8 if made.contains(&('c', n)) => {
            let outcome = [claim::Outcome::Supported, claim::Outcome::Refuted][usize::from(b % 2)];
            on_claim(world, judged(verdict(b % 4), outcome));
        }
        9 if made.contains(&('c', n)) => {
            let event = if b % 2 == 0 {
                claim::Event::Withdrawn { reason: why() }
            } else {
                claim::Event::Reinstated { reason: why() }
            };
            on_claim(world, event);
        }
        10 if made.contains(&('c', n)) => on_claim(
            world,
            claim::Event::AssertionReattributed {
                assertion,
                chain: chain(side).into(),
                reason: why(),
            },
        ),
        11 if made.contains(&('c', n)) => on_claim(
            world,
            claim::Event::AssertionWithdrawn {
                assertion,
                why: claim::AssertionWithdrawal::Misread,
                note: None,
            },
        ),
        12 if made.contains(&('c', n)) => on_claim(
            world,
            claim::Event::Refined {
                proposition: proposition(["villages fell", "towns fell"][usize::from(b % 2)])
                    .into(),
                reason: why(),
            },
        ),
        13 if made.contains(&('r', n)) => {
            let title = assay_domain::text::Title::try_from(format!("title {b}")).unwrap();
            let metadata = report::Metadata::Title(title);
            let inference = report::Inference { metadata, basis: vec![reason("it says so")] };
            let event = report::Event::MetadataInferred { inference: inference.into() };
            world.on_report(n, home(n), actor, event);
        }
        14 if made.contains(&('r', n)) => {
            let span =
                report::NoClaim { anchor: anchor(rendition(n), words), why: reason("empty") };
            let event = report::Event::SpanMarkedNoClaim { span: span.into() };
            world.on_report(n, home(n), actor, event);
        }
        15 => {
            let title = assay_domain::text::Title::try_from(format!("title {b}")).unwrap();
            world.on_case(home(n), actor, case::Event::Retitled { title: title.into() });
        }
        16 => {
            let roles = BTreeSet::from([case::CaseRole::Analyst]);
            let event = if b % 2 == 0 {
                case::Event::MemberAdded { user: user(BEN), roles }
            } else {
                case::Event::MemberRemoved { user: user(BEN) }
            };
            world.on_case(1, ANA, event);
        }
        17 => {
            let event = if b % 2 == 0 {
                case::Event::Closed { outcome: why(), open_contradictions: vec![] }
            } else {
                case::Event::Reopened { reason: why() }
            };
            world.on_case(home(n), actor, event);
        }
        18 => {
            let event = user::Event::Suspended { reason: why() };
            let event = if b % 2 == 0 { event } else { user::Event::Reinstated { reason: why() } };
            world.add(Subject::User(user(BEN)), ADM, None, vec![Event::User(event)]);
        }
        19 if made.contains(&('s', n)) => {
            let event = source::Event::Named { name: name(&format!("post {b}")).into() };
            world.add(Subject::Source(source(n)), actor, None, vec![Event::Source(event)]);
        }
        20.. => audit(world, made, actor, (what % 28, n, b, c)),
        _ => (),
    }
}

/// Lets happen what auditors, data protection and other houses do.
fn audit(world: &mut World, made: &mut BTreeSet<(char, u8)>, actor: u8, (what, n, b, c): Op) {
    let why = || reason("because").into();
    match what {
        20 if made.insert(('f', n)) => {
            let in_case = [Some(home(n)), Some(home(n)), None][usize::from(b % 3)];
            world.find(n, in_case, finding::Severity::Minor, "something is off");
        }
        21 if made.contains(&('f', n)) => {
            let outcome = finding::FindingOutcome::Resolved;
            let event = match b % 3 {
                0 => finding::Event::Answered { answer: passage("no").into() },
                1 => finding::Event::Closed { outcome, reason: why() },
                _ => finding::Event::Reopened { reason: why() },
            };
            world.on_finding(n, actor, event);
        }
        22 => {
            let in_case = [Some(home(n)), None][usize::from(b % 2)];
            let first = i64::from(c);
            world.reads(n, actor, in_case, &[(None, first, first + 3), (None, 0, first)]);
        }
        23 if made.insert(('p', n)) => world.save_replay(n, actor, home(n)),
        23 => {
            let note = (b % 2 == 0).then(why);
            let event = replay::Event::WentTo { position: u64::from(b), note };
            world.on_replay(n, actor, if c % 4 == 0 { replay::Event::Dropped {} } else { event });
        }
        24 if made.insert(('e', n)) => world.ask_erasure(n, ADM, claim(n).0),
        24 => {
            let kind = erasure::ErasableKind::Claim;
            let subject = erasure::Erasable { kind, id: claim(n).0 };
            let event = match b % 4 {
                0 => erasure::Event::Restricted { reason: why() },
                1 => erasure::Event::RestrictionLifted { reason: why() },
                2 => erasure::Event::Refused { ground: why() },
                _ => erasure::Event::CarriedOut { subject },
            };
            world.on_erasure(n, ADM, event);
        }
        25 if made.insert(('a', n)) => {
            world.begin_adoption(n, home(n));
            world.note_entries(n, &[100 + n]);
        }
        25 if made.insert(('c', n)) => {
            world.taken(100 + n, |world| world.propose(home(n), n, actor, "taken over"));
        }
        26 => {
            let demanded = case::Event::PurposeDemanded {};
            let waived = case::Event::PurposeWaived { reason: why() };
            world.on_case(home(n), actor, if b % 2 == 0 { demanded } else { waived });
        }
        27 if made.insert(('k', n)) => world.log_keys(&format!("one {n}"), &format!("two {n}")),
        _ => (),
    }
}

fn recorded(
    assertion: AssertionId,
    in_report: u8,
    words: &str,
    stance: assay_domain::value::Stance,
    side: Option<&str>,
) -> claim::Event {
    claim::Event::AssertionRecorded {
        assertion,
        report: report(in_report),
        publisher: None,
        stance,
        content: content(rendition(in_report), words, side).into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..Default::default() })]

    #[test]
    fn rebuilt_incremental_and_past_views_agree(
        ops in prop::collection::vec(any::<Op>(), 20..90),
        cuts in prop::collection::btree_set(1_u64..110, 0..8),
        past in 1_u64..110,
    ) {
        let mut world = World::peopled();
        let mut made = BTreeSet::new();
        for op in ops {
            happen(&mut world, &mut made, op);
        }
        let head = world.log_head();
        let past = past.min(head);
        let cuts: Vec<u64> = cuts.into_iter().collect();
        let house = Sight::house();

        let live = views_until(&world, "live.db", &cuts, head);
        let whole = views_until(&world, "whole.db", &[], head);
        let early = views_until(&world, "early.db", &[], past);
        let rebuilt = world.dir.path().join("rebuilt.db");
        rebuild(&rebuilt, &world.journal(), &world.keys, &world.handle(), |_, _| ()).unwrap();
        prop_assert_eq!(compare(&world.dir.path().join("live.db"), &rebuilt).unwrap(), vec![]);
        let rebuilt = Reader::open(&rebuilt).unwrap();

        // Rebuild: however the entries came, the rows are the same.
        let sum = digest(&live, At::Head).unwrap();
        prop_assert_eq!(&sum, &digest(&whole, At::Head).unwrap());
        prop_assert_eq!(&sum, &digest(&rebuilt, At::Head).unwrap());

        // As-of: the past is what views of that day would say.
        prop_assert_eq!(digest(&live, At::Position(past)).unwrap(), digest(&early, At::Head).unwrap());
        let (then, now) = (answers(&live, &house, At::Position(past)), answers(&early, &house, At::Head));
        for (name, answer) in &now {
            prop_assert_eq!(answer, &then[name], "{} as of {}", name, past);
        }

        // Sight: an outsider sees nothing of what is not theirs, whatever they ask and when.
        let outsider = Sight::of(&live, user(ADM)).unwrap().unwrap();
        for at in [At::Head, At::Position(past)] {
            let filter = findings::FindingFilter::default();
            let found = findings::page(&live, &outsider, at, &filter, None, many()).unwrap();
            prop_assert!(values(&found).iter().all(|finding| finding["case"].is_null()));
            let nobody = answers(&views_until(&world, "people.db", &[], 15), &outsider, At::Head);
            for (name, answer) in answers(&live, &outsider, at) {
                if !sees_anyway(&name) {
                    prop_assert_eq!(&answer, &nobody[&name], "{} leaks", name);
                }
            }
        }
    }
}

#[test]
fn a_member_of_one_case_sees_nothing_of_the_other() {
    let mut world = World::busy();
    world.file(3, 2, BEN, "only ben knows");
    let db = world.views();
    let ana = sight(&db, ANA);
    let all = answers(&db, &ana, At::Head);
    let told: Vec<&String> = all.values().filter(|answer| answer.contains("ben knows")).collect();
    assert!(told.is_empty() && !all["cases All"].contains("Secret"), "{told:?}");
    assert!(changes::after(&db, &ana, case(2), 0, many()).unwrap().is_empty());
    assert!(diff::case(&db, &ana, case(2), 0, 100, None, many()).unwrap().is_none());
    assert!(diff::subject(&db, &ana, Subject::Case(case(2)), 0, 100).unwrap().is_none());
    let subject = Subject::Report(report(3));
    assert!(
        history::of_subject(&db, &ana, At::Head, subject, None, many()).unwrap().items.is_empty()
    );
    for position in 1..=world.log_head() {
        if let Some(entry) = history::one(&db, &ana, position).unwrap() {
            let own = entry.entry.subject.id == user(ANA).0;
            assert!(own || entry.entry.case == Some(case(1)), "{entry:?}");
        }
    }
}

#[test]
fn every_fact_is_used_by_somebody_and_the_table_says_by_whom() {
    let world = World::complete();
    let path = world.dir.path().join("coverage.db");
    let views = Views::open(&path).unwrap();
    let mut conn = writer(views.path()).unwrap();
    let entries = world.journal().entries(0, 10_000).unwrap();
    let (facts, result) = decode(entries, &world.keys, &world.handle());
    result.unwrap();
    let mut took: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    let mut tables = Tables::default();
    let transaction = conn.transaction().unwrap();
    for fact in &facts {
        let (position, revision) = (fact.position, fact.revision);
        let mut rows = Rows { conn: &transaction, tables: &mut tables, position, revision };
        let used = took.entry(fact.name.clone()).or_insert_with(|| vec![false; VIEWS.len()]);
        for (n, (_, fold)) in VIEWS.iter().enumerate() {
            used[n] |= fold(fact, &mut rows).unwrap() == Took::Used;
        }
    }
    let known = user::Event::COUNT + case::Event::COUNT + source::Event::COUNT;
    let known = known + report::Event::COUNT + claim::Event::COUNT + link::Event::COUNT;
    let known = known + finding::Event::COUNT + access::Event::COUNT + replay::Event::COUNT;
    let known = known + erasure::Event::COUNT + adoption::Event::COUNT + log_key::Event::COUNT;
    assert_eq!(took.len(), known, "the complete world lacks a fact: add it there");
    let mut table = String::new();
    for (name, used) in &took {
        for ((view, _), used) in VIEWS.iter().zip(used) {
            writeln!(table, "{name:36} {view:16} {}", if *used { "used" } else { "ignored" })
                .unwrap();
        }
        let history = VIEWS.iter().position(|(view, _)| *view == "history");
        assert!(
            used.iter().enumerate().any(|(n, used)| *used && Some(n) != history),
            "{name}: nobody?"
        );
    }
    golden("coverage.txt", &table);
}

#[expect(clippy::disallowed_methods, reason = "a test may be told to rewrite its golden")]
fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var("ASSAY_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "golden/{name} differs; look, then run with ASSAY_GOLDEN=write");
}

#[test]
fn a_dump_is_lines_of_json_in_one_order() {
    let mut world = World::complete();
    let db = world.views();
    let mut out = Vec::new();
    dump_canonical(&db, At::Head, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.lines().count() > 50);
    for line in text.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(value.get("table").is_some());
    }
}
