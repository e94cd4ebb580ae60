//! Laws over generated histories: a wish granted is not granted twice, a fold from cache equals a fold from the log, stored bytes come back byte for byte.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_commands::{Actor, Clock, Error, House, Receipt, Request};
use assay_domain::aggregate::{Event, Subject, write};
use assay_domain::case::{
    self, AddMember, Brief, CaseRole, CloseCase, MarkCase, OpenCase, ReopenCase, RetitleCase,
};
use assay_domain::claim::{
    AssertionRef, AssertionWithdrawal, AssessCredibility, AssessReliability, Change, CitationRole,
    Cited, CitedWords, ClaimKind, IssueVerdict, Judgement, Outcome, ProposeClaim, Proposition,
    RecordAssertion, RecordDissent, RefineClaim, ReinstateClaim, RequestReview, ReturnReview,
    SupersedeVerdict, Supersession, VerdictText, WithdrawAssertion, WithdrawClaim,
};
use assay_domain::link::{ConfirmLink, End, LinkType, ProposeLink, RejectLink, WithdrawLink};
use assay_domain::report::{
    FileReport, MarkNoClaim, RenditionContent, ReportKind, WithdrawReport, WithdrawalReason,
};
use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::{
    Confidence, Credibility, Hedge, HedgeLevel, Polarity, Quote, Reliability, Stance, Tlp,
};
use assay_store::fact::ActorKind;
use assay_store::journal::Journal as _;
use assay_store::keyring::KeyRing;
use assay_store::memory::{MemoryLog, MemoryVault};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

fn id(kind: u128, n: u8) -> Uuid {
    Uuid::from_u128((0x018d_0a2c_u128 << 96) | (kind << 64) | u128::from(n))
}

/// What somebody tries: who, what, on which thing.
type Try = (u8, u8, u8, u8);

struct World {
    house: House,
    log: Arc<MemoryLog>,
    keys: Arc<KeyRing>,
    commands: u128,
}

/// How a try ended: with a receipt, or refused.
type Ended = Result<Receipt, String>;

impl World {
    async fn new() -> Self {
        let log = Arc::new(MemoryLog::new());
        let keys = Arc::new(KeyRing::new(Arc::new(MemoryVault::new())));
        let house = House::new(log.clone(), log.clone(), keys.clone(), Arc::new(Noon));
        let mut world = Self { house, log, keys, commands: 0 };
        for (n, role) in
            [(0, HouseRole::Analyst), (1, HouseRole::Reviewer), (2, HouseRole::Auditor)]
        {
            let profile = Profile {
                username: format!("user{n}").try_into().unwrap(),
                display_name: format!("User {n}").as_str().try_into().unwrap(),
            };
            let clearance = Tlp::Amber;
            let register =
                RegisterUser { user: id(1, n).into(), profile, roles: vec![role], clearance };
            world.ask(None, &register).await.unwrap();
        }
        world
    }

    async fn ask<C>(&mut self, who: Option<u8>, command: &C) -> Ended
    where
        C: assay_domain::aggregate::Command,
        C::On: assay_commands::Cached,
    {
        self.commands += 1;
        let name = Uuid::from_u128((0x018d_0a2d_u128 << 96) | (self.commands << 32));
        let actor = who.map_or(Actor::House, |n| Actor::User(id(1, n).into()));
        let request = Request::by(actor, ActorKind::Person, name);
        let first = self.house.execute(&request, command).await;
        let head = self.log.head().unwrap();
        if let Ok(receipt) = &first {
            let again = self.house.execute(&request, command).await.unwrap();
            if !receipt.event_ids.is_empty() {
                assert_eq!(
                    (&again.event_ids, again.revision),
                    (&receipt.event_ids, receipt.revision)
                );
            }
            assert_eq!(self.log.head().unwrap(), head, "the same request again added facts");
        }
        let renamed =
            Request::by(actor, ActorKind::Person, Uuid::from_u128(name.as_u128() + (1 << 16)));
        let _ = self.house.execute(&renamed, command).await;
        assert_eq!(self.log.head().unwrap(), head, "the same wish under another name added facts");
        first.map_err(|error: Error<_>| error.to_string())
    }

    async fn attempt(&mut self, (who, what, thing, other): Try) -> Ended {
        let who = Some(who % 3);
        let n = thing % 3;
        match what % 24 {
            0 => self.ask(who, &open()).await,
            1 => self.ask(who, &RetitleCase { case: case(), title: text(thing) }).await,
            2 => self.ask(who, &member(other % 3, thing)).await,
            3 => {
                self.ask(
                    who,
                    &MarkCase { case: case(), marking: tlp(thing), reason: Some(text(other)) },
                )
                .await
            }
            4 => {
                self.ask(
                    who,
                    &CloseCase { case: case(), outcome: text(thing), open_contradictions: vec![] },
                )
                .await
            }
            5 | 6 => self.ask(who, &ReopenCase { case: case(), reason: text(thing) }).await,
            7 => self.ask(who, &file(n)).await,
            8 => self.ask(who, &no_claim(n)).await,
            9 if other > 200 => self.ask(who, &withdraw_report(n)).await,
            9 | 10 => self.ask(who, &propose(n, other)).await,
            11 => {
                self.ask(
                    who,
                    &RefineClaim { claim: claim(n), proposition: said(other), reason: text(1) },
                )
                .await
            }
            12 | 13 => self.ask(who, &record(n, other % 3)).await,
            14 => self.ask(who, &withdraw_assertion(n, other % 3)).await,
            15 => self.ask(who, &reliability(n, other)).await,
            16 => self.ask(who, &credibility(n, other)).await,
            17 | 18 => {
                self.ask(who, &RequestReview { claim: claim(n), priority: 2, note: None }).await
            }
            19 if other > 150 => {
                self.ask(
                    who,
                    &ReturnReview { claim: claim(n), questions: "who?".try_into().unwrap() },
                )
                .await
            }
            19 | 20 => {
                self.ask(who, &IssueVerdict { claim: claim(n), judgement: judgement(n, other % 4) })
                    .await
            }
            21 => self.ask(who, &supersede(n, thing % 4, other % 4)).await,
            22 => match other % 4 {
                0 => self.ask(who, &dissent(n, thing % 4)).await,
                1 => self.ask(who, &WithdrawClaim { claim: claim(n), reason: text(2) }).await,
                _ => self.ask(who, &ReinstateClaim { claim: claim(n), reason: text(2) }).await,
            },
            _ => match other % 5 {
                0 => self.ask(who, &ConfirmLink { link: id(8, n).into(), note: None }).await,
                1 => self.ask(who, &RejectLink { link: id(8, n).into(), reason: text(3) }).await,
                2 => self.ask(who, &WithdrawLink { link: id(8, n).into(), reason: text(3) }).await,
                _ => self.ask(who, &link(n)).await,
            },
        }
    }

    async fn same_folds(&self) {
        let fresh =
            House::new(self.log.clone(), self.log.clone(), self.keys.clone(), Arc::new(Noon));
        let cached = self.house.load::<case::Case>(case().0).await.unwrap();
        assert_eq!(cached.state, fresh.load::<case::Case>(case().0).await.unwrap().state);
        for n in 0..3 {
            let id = claim(n).0;
            let cached = self.house.load::<assay_domain::claim::Claim>(id).await.unwrap();
            assert_eq!(
                cached.state,
                fresh.load::<assay_domain::claim::Claim>(id).await.unwrap().state
            );
            assert_eq!(
                cached.revision,
                fresh.load::<assay_domain::claim::Claim>(id).await.unwrap().revision
            );
        }
    }

    fn same_bytes(&self) {
        for entry in self.log.entries(0, 10_000).unwrap() {
            let stored = &entry.recorded.fact.data;
            let subject = Subject::of_stream(&entry.recorded.stream).unwrap();
            let back = match subject.read(stored).unwrap() {
                Event::User(event) => write(&event),
                Event::Case(event) => write(&event),
                Event::Source(event) => write(&event),
                Event::Report(event) => write(&event),
                Event::Claim(event) => write(&event),
                Event::Link(event) => write(&event),
                Event::Finding(event) => write(&event),
                Event::Access(event) => write(&event),
                Event::Replay(event) => write(&event),
                Event::Erasure(event) => write(&event),
                Event::Adoption(event) => write(&event),
                Event::Log(event) => write(&event),
            };
            assert_eq!(back.unwrap(), stored.as_ref());
        }
    }

    /// Four eyes, for every verdict that ever came to be.
    async fn four_eyes(&self) {
        for entry in self.log.entries(0, 10_000).unwrap() {
            if entry.recorded.fact.name != "claim.verdict_issued.v1" {
                continue;
            }
            let Some(Subject::Claim(id)) = Subject::of_stream(&entry.recorded.stream) else {
                continue;
            };
            let state = self.house.load::<assay_domain::claim::Claim>(id.0).await.unwrap().state;
            let issuer = entry.recorded.fact.envelope.actor.into();
            assert!(!state.authors.contains(&issuer), "an author judged");
        }
    }
}

fn case() -> assay_domain::id::CaseId {
    id(2, 0).into()
}

fn claim(n: u8) -> assay_domain::id::ClaimId {
    id(5, n).into()
}

fn text<T: for<'a> TryFrom<&'a str>>(n: u8) -> T
where
    for<'a> <T as TryFrom<&'a str>>::Error: std::fmt::Debug,
{
    T::try_from(["One", "Two", "Three", "Four"].get(usize::from(n % 4)).unwrap()).unwrap()
}

fn tlp(n: u8) -> Tlp {
    if n.is_multiple_of(2) { Tlp::Green } else { Tlp::Amber }
}

fn open() -> OpenCase {
    OpenCase { case: case(), brief: Brief { title: text(0), mandate: None }, marking: Tlp::Amber }
}

fn member(user: u8, roles: u8) -> AddMember {
    let all = [CaseRole::CaseLead, CaseRole::Analyst, CaseRole::Reviewer];
    let chosen = all.into_iter().enumerate().filter(|(bit, _)| (roles >> bit) & 1 == 1);
    let roles: BTreeSet<CaseRole> = chosen.map(|(_, role)| role).collect();
    AddMember { case: case(), user: id(1, user).into(), roles }
}

fn file(n: u8) -> FileReport {
    FileReport {
        case: case(),
        report: id(3, n).into(),
        kind: ReportKind::News,
        rendition: id(4, n).into(),
        content: RenditionContent::new("They took 16 villages.".to_owned(), None).unwrap(),
        stated: vec![],
        flags: vec![],
    }
}

fn quote() -> Quote {
    serde_json::from_str(r#"{"exact":"16 villages"}"#).unwrap()
}

fn no_claim(n: u8) -> MarkNoClaim {
    MarkNoClaim { report: id(3, n).into(), quote: quote(), why: text(0) }
}

fn withdraw_report(n: u8) -> WithdrawReport {
    let reason = WithdrawalReason::FiledInError;
    WithdrawReport { report: id(3, n).into(), reason, duplicate_of: None, note: None }
}

fn said(n: u8) -> Proposition {
    Proposition {
        gist: text(n),
        polarity: Polarity::Affirmed,
        participants: vec![],
        time: None,
        places: vec![],
        quantities: vec![],
        materiel: vec![],
        resolution: None,
    }
}

fn propose(n: u8, gist: u8) -> ProposeClaim {
    ProposeClaim {
        case: case(),
        claim: claim(n),
        kind: ClaimKind::Event,
        proposition: said(gist),
        flags: vec![],
    }
}

fn assertion(n: u8) -> AssertionRef {
    AssertionRef { claim: claim(n), assertion: id(6, n).into() }
}

fn record(n: u8, report: u8) -> RecordAssertion {
    let chain = r#"[{"holder":{"is":"narrator"},"act":"asserts","directness":"narration"}]"#;
    RecordAssertion {
        claim: claim(n),
        assertion: id(6, n).into(),
        report: id(3, report).into(),
        chain: serde_json::from_str(chain).unwrap(),
        stance: Stance::Asserts,
        hedge: Hedge { level: HedgeLevel::Flat, marker: None },
        polarity: Polarity::Affirmed,
        quotes: vec![quote()],
        editorial: vec![],
        note: None,
        tool: None,
    }
}

fn withdraw_assertion(n: u8, which: u8) -> WithdrawAssertion {
    let why = AssertionWithdrawal::Misread;
    WithdrawAssertion { claim: claim(n), assertion: id(6, which).into(), why, note: None }
}

fn reliability(n: u8, grade: u8) -> AssessReliability {
    let grade = if grade.is_multiple_of(2) { Reliability::A } else { Reliability::F };
    AssessReliability {
        claim: claim(n),
        assertion: id(6, n).into(),
        link: 0,
        grade,
        topic: None,
        rationale: text(0),
    }
}

fn credibility(n: u8, grade: u8) -> AssessCredibility {
    let grade =
        if grade.is_multiple_of(2) { Credibility::Confirmed } else { Credibility::CannotBeJudged };
    let rationale = text(0);
    AssessCredibility {
        claim: claim(n),
        assertion: id(6, n).into(),
        grade,
        corroborated_by: vec![],
        rationale,
    }
}

fn judgement(n: u8, verdict: u8) -> Judgement {
    let cites = Cited::Assertion(assertion(n));
    Judgement {
        verdict: id(7, verdict * 3 + n).into(),
        outcome: Outcome::Supported,
        likelihood: None,
        confidence: Confidence::Low,
        citations: vec![CitedWords {
            cites,
            role: CitationRole::Supports,
            sha256: None,
            note: None,
        }],
        text: VerdictText {
            justification: text(0),
            assumptions: vec![],
            alternatives: vec![],
            would_settle: None,
        },
    }
}

fn supersede(n: u8, old: u8, new: u8) -> SupersedeVerdict {
    let verdict = id(7, old * 3 + n).into();
    let supersession = Supersession { verdict, change: Change::Weakened, reason: text(0) };
    SupersedeVerdict { claim: claim(n), judgement: judgement(n, new), supersession }
}

fn dissent(n: u8, verdict: u8) -> RecordDissent {
    RecordDissent {
        claim: claim(n),
        verdict: id(7, verdict * 3 + n).into(),
        opinion: 2,
        reasons: text(0),
    }
}

fn link(n: u8) -> ProposeLink {
    let end = |n: u8| End { claim: claim(n % 3), assertion: None };
    ProposeLink {
        case: case(),
        link: id(8, n).into(),
        from: end(n),
        kind: LinkType::Contradicts,
        to: end(n + 1),
        tentative: false,
        rationale: text(0),
    }
}

/// The steps without which little happens, so that histories go deep.
const BEGINNING: [Try; 9] = [
    (0, 0, 0, 0),
    (0, 2, 7, 0),
    (0, 2, 4, 1),
    (0, 7, 0, 0),
    (0, 10, 0, 0),
    (0, 12, 0, 0),
    (0, 17, 0, 0),
    (1, 20, 0, 0),
    (0, 10, 1, 0),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn laws_hold_over_any_history(tries in proptest::collection::vec(any::<Try>(), 0..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut granted = 0;
            for one in BEGINNING.into_iter().chain(tries) {
                granted += usize::from(world.attempt(one).await.is_ok());
            }
            assert!(granted >= BEGINNING.len(), "only {granted} wishes were granted");
            world.same_folds().await;
            world.same_bytes();
            world.four_eyes().await;
        });
    }
}
