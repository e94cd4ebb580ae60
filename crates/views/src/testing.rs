//! A small world for tests: people, a case and its things, written as facts into a memory log.

mod audit;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use assay_domain::aggregate::{Event, Subject, name_of, write};
use assay_domain::case::{self, Brief, CaseRole};
use assay_domain::claim::{self, AssertionContent, ClaimKind, Proposition};
use assay_domain::id::{CaseId, ClaimId, LinkId, RenditionId, ReportId, SourceId, UserId};
use assay_domain::link::{self, End, LinkType};
use assay_domain::personal::{Seal, sealing};
use assay_domain::report::{self, RenditionContent, ReportKind};
use assay_domain::source::{self, Descriptor, SourceKind};
use assay_domain::text::{Label, Name, Reason, Title};
use assay_domain::user::{self, HouseRole, Profile};
use assay_domain::value::{
    Act, Anchor, Chain, ChainLink, Confidence, Directness, Hedge, HedgeLevel, Holder, Polarity,
    Quote, Scope, Stance, Tlp,
};
use assay_store::fact::{ActorKind, Envelope, NewFact};
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::log::{Expected, Log as _};
use assay_store::memory::{MemoryLog, MemoryVault};
use assay_store::seal::seal;
use assay_store::vault::KeyId;
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};
use uuid::Uuid;

use crate::at::At;
use crate::db::{Reader, Views};
use crate::members::Sight;
use crate::page::{Limit, Page};
use crate::projector::catch_up;

pub(crate) use audit::{adoption, erasure, finding, passage, replay, there};

pub(crate) const TEXT: &str =
    "Rebels took 16 villages on Thursday, west of the salient. Yıldırım said no. 漢字も。";

pub(crate) fn id(kind: u8, n: u8) -> Uuid {
    Uuid::from_u128((u128::from(kind) << 64) | u128::from(n))
}
pub(crate) fn user(n: u8) -> UserId {
    id(1, n).into()
}
pub(crate) fn case(n: u8) -> CaseId {
    id(2, n).into()
}
pub(crate) fn source(n: u8) -> SourceId {
    id(3, n).into()
}
pub(crate) fn report(n: u8) -> ReportId {
    id(4, n).into()
}
pub(crate) fn rendition(n: u8) -> RenditionId {
    id(5, n).into()
}
pub(crate) fn claim(n: u8) -> ClaimId {
    id(6, n).into()
}
pub(crate) fn link(n: u8) -> LinkId {
    id(7, n).into()
}
pub(crate) fn reason(text: &str) -> Reason {
    Reason::try_from(text).unwrap()
}
pub(crate) fn name(text: &str) -> Name {
    Name::try_from(text).unwrap()
}

pub(crate) const ANA: u8 = 1;
pub(crate) const RAO: u8 = 2;
pub(crate) const AUD: u8 = 3;
pub(crate) const ADM: u8 = 4;
pub(crate) const BEN: u8 = 5;

/// Everything a test of the views needs.
pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) runtime: Runtime,
    pub(crate) dir: TempDir,
    pub(crate) key: Option<KeyId>,
    count: u8,
    facts: u32,
    taken: Option<u8>,
}

impl World {
    pub(crate) fn empty() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .unwrap();
        Self {
            log: MemoryLog::with_id(Uuid::nil()),
            keys: Arc::new(KeyRing::new(Arc::new(MemoryVault::new()))),
            runtime,
            dir: tempfile::tempdir().unwrap(),
            key: None,
            count: 0,
            facts: 0,
            taken: None,
        }
    }

    /// Ana leads case 1, Ben case 2; Rao reviews in case 1; an auditor and an admin look on.
    pub(crate) fn peopled() -> Self {
        let mut world = Self::empty();
        for (n, word, role) in [
            (ANA, "ana", HouseRole::Analyst),
            (RAO, "rao", HouseRole::Reviewer),
            (AUD, "aud", HouseRole::Auditor),
            (ADM, "adm", HouseRole::Admin),
            (BEN, "ben", HouseRole::Analyst),
        ] {
            world.register(n, word, role);
        }
        world.open_case(1, ANA, "Idlib", Tlp::Amber);
        world.add_member(1, ANA, RAO, CaseRole::Reviewer);
        world.open_case(2, BEN, "Secret of Ben", Tlp::Amber);
        world
    }

    /// A report, a contested claim with two assertions of two sides, and a contradicting claim.
    pub(crate) fn busy() -> Self {
        let mut world = Self::peopled();
        world.file(1, 1, ANA, TEXT);
        world.propose(1, 1, ANA, "rebels took villages");
        world.assert(1, 1, ANA, 1, "16 villages", Stance::Claims, Some("rebels"));
        world.assert(1, 2, ANA, 1, "said no", Stance::Denies, Some("government"));
        world.propose(1, 2, ANA, "there was no attack");
        world.assert(2, 3, ANA, 1, "Yıldırım said no", Stance::Asserts, Some("government"));
        world.link(1, 1, ANA, LinkType::Contradicts, 1, 2);
        world
    }

    pub(crate) fn journal(&self) -> Arc<dyn Journal> {
        Arc::new(self.log.clone())
    }

    pub(crate) fn handle(&self) -> Handle {
        self.runtime.handle().clone()
    }

    #[expect(clippy::needless_pass_by_value, reason = "facts are made where they are given")]
    /// Appends facts of one subject, sealed where the world has a key.
    pub(crate) fn add(
        &mut self,
        subject: Subject,
        actor: u8,
        case: Option<u8>,
        events: Vec<Event>,
    ) {
        let stream = format!("{}-{}", subject.kind(), subject.id());
        let sealed = self.key.map(|id| {
            self.runtime.block_on(self.keys.fetch(&[id])).unwrap();
            let (keys, stream) = (self.keys.clone(), stream.clone());
            let seal: Rc<Seal> = Rc::new(move |plain| {
                let Some(assay_store::vault::KeyState::Held(key)) = keys.get(id) else {
                    return Err("gone".to_owned());
                };
                seal(id, &key, &stream, plain).map_err(|error| error.to_string())
            });
            seal
        });
        let facts = events
            .iter()
            .map(|event| {
                let bytes = match &sealed {
                    Some(seal) => sealing(seal.clone(), || bytes_of(event)),
                    None => bytes_of(event),
                };
                self.fact(actor, case, bytes)
            })
            .collect();
        self.append(&stream, facts);
    }

    pub(crate) fn fact(&mut self, actor: u8, case: Option<u8>, data: Vec<u8>) -> NewFact {
        self.facts += 1;
        let from = self.taken.map(there);
        self.taken = self.taken.map(|n| n + 1);
        let import = from.is_some();
        let envelope = Envelope {
            recorded_at: 1_515_000_000_000_000 + i64::from(self.facts) * 1_000_000,
            actor: user(actor).0,
            actor_kind: if import { ActorKind::Import } else { ActorKind::Person },
            on_behalf_of: None,
            session: None,
            command: id(9, 0),
            causation: from.map(|origin| origin.fact),
            correlation: id(9, 0),
            case: case.map(|n| self::case(n).0),
            request_mac: None,
        };
        NewFact {
            id: Uuid::from_u128(u128::from(self.facts)),
            name: name_of(&data).unwrap_or("unknown").to_owned(),
            envelope,
            data: data.into(),
        }
    }

    pub(crate) fn append(&mut self, stream: &str, facts: Vec<NewFact>) {
        self.runtime.block_on(self.log.append(stream, Expected::Any, facts)).unwrap();
    }

    pub(crate) fn register(&mut self, n: u8, username: &str, role: HouseRole) {
        let username_label = Label::try_from(username.to_owned()).unwrap();
        let profile = Profile { username: username_label, display_name: name(username) };
        let events = vec![
            Event::User(user::Event::Registered { profile: profile.into() }),
            Event::User(user::Event::Cleared { clearance: Tlp::Amber }),
            Event::User(user::Event::RoleGranted { role }),
        ];
        self.add(Subject::User(user(n)), ADM, None, events);
    }

    pub(crate) fn open_case(&mut self, n: u8, actor: u8, title: &str, marking: Tlp) {
        let brief = Brief { title: Title::try_from(title).unwrap(), mandate: None };
        let roles = BTreeSet::from([CaseRole::CaseLead, CaseRole::Analyst]);
        let events = vec![
            Event::Case(case::Event::Opened { case: case(n), brief: brief.into(), marking }),
            Event::Case(case::Event::MemberAdded { user: user(actor), roles }),
        ];
        self.add(Subject::Case(case(n)), actor, Some(n), events);
    }

    pub(crate) fn on_case(&mut self, n: u8, actor: u8, event: case::Event) {
        self.add(Subject::Case(case(n)), actor, Some(n), vec![Event::Case(event)]);
    }

    pub(crate) fn add_member(&mut self, n: u8, actor: u8, who: u8, role: CaseRole) {
        let roles = BTreeSet::from([role]);
        self.on_case(n, actor, case::Event::MemberAdded { user: user(who), roles });
    }

    pub(crate) fn register_source(&mut self, n: u8, actor: u8, called: &str) {
        let descriptor =
            Descriptor { name: name(called), url: None, language: None, description: None };
        let kind = SourceKind::Outlet;
        let event = source::Event::Registered { kind, descriptor: descriptor.into() };
        self.add(Subject::Source(source(n)), actor, None, vec![Event::Source(event)]);
    }

    pub(crate) fn file(&mut self, n: u8, in_case: u8, actor: u8, text: &str) {
        let event = report::Event::Filed {
            case: case(in_case),
            kind: ReportKind::News,
            rendition: rendition(n),
            content: RenditionContent::new(text.to_owned(), None).unwrap().into(),
            stated: vec![].into(),
            flags: vec![],
        };
        self.on_report(n, in_case, actor, event);
    }

    pub(crate) fn on_report(&mut self, n: u8, in_case: u8, actor: u8, event: report::Event) {
        self.add(Subject::Report(report(n)), actor, Some(in_case), vec![Event::Report(event)]);
    }

    pub(crate) fn propose(&mut self, in_case: u8, n: u8, actor: u8, gist: &str) {
        let event = claim::Event::Proposed {
            case: case(in_case),
            kind: ClaimKind::Event,
            proposition: proposition(gist).into(),
            flags: vec![],
        };
        self.add(Subject::Claim(claim(n)), actor, Some(in_case), vec![Event::Claim(event)]);
    }

    pub(crate) fn refine(&mut self, n: u8, actor: u8, gist: &str) {
        let proposition = proposition(gist).into();
        let reason = reason("clearer").into();
        self.on_claim(n, actor, claim::Event::Refined { proposition, reason });
    }

    /// Something happens to a claim of case 1.
    pub(crate) fn on_claim(&mut self, n: u8, actor: u8, event: claim::Event) {
        self.add(Subject::Claim(claim(n)), actor, Some(1), vec![Event::Claim(event)]);
    }

    #[expect(clippy::too_many_arguments, reason = "a sentence of the tests")]
    pub(crate) fn assert(
        &mut self,
        n: u8,
        assertion: u8,
        actor: u8,
        in_report: u8,
        words: &str,
        stance: Stance,
        side: Option<&str>,
    ) {
        let content = content(rendition(in_report), words, side);
        self.on_claim(
            n,
            actor,
            claim::Event::AssertionRecorded {
                assertion: id(8, assertion).into(),
                report: report(in_report),
                publisher: None,
                stance,
                content: content.into(),
            },
        );
    }

    pub(crate) fn link(&mut self, n: u8, in_case: u8, actor: u8, kind: LinkType, a: u8, b: u8) {
        let event = link::Event::Proposed {
            case: case(in_case),
            from: End { claim: claim(a), assertion: None },
            kind,
            to: End { claim: claim(b), assertion: None },
            tentative: false,
            rationale: reason("they cannot both be so").into(),
        };
        self.on_link(n, in_case, actor, event);
    }

    pub(crate) fn on_link(&mut self, n: u8, in_case: u8, actor: u8, event: link::Event) {
        self.add(Subject::Link(link(n)), actor, Some(in_case), vec![Event::Link(event)]);
    }

    pub(crate) fn request(&mut self, n: u8, actor: u8, round: u32) {
        self.on_claim(n, actor, claim::Event::ReviewRequested { round, priority: 2, note: None });
    }

    pub(crate) fn judge(&mut self, n: u8, actor: u8, verdict: u8, outcome: claim::Outcome) {
        self.on_claim(n, actor, judged(id(10, verdict).into(), outcome));
    }

    /// Views of everything so far.
    pub(crate) fn views(&mut self) -> Reader {
        self.count += 1;
        let views = Views::open(self.dir.path().join(format!("{}.db", self.count))).unwrap();
        catch_up(&views, &self.journal(), &self.keys, &self.handle(), |_, _| ()).unwrap();
        views.reader().unwrap()
    }
}

pub(crate) fn bytes_of(event: &Event) -> Vec<u8> {
    match event {
        Event::User(event) => write(event),
        Event::Case(event) => write(event),
        Event::Source(event) => write(event),
        Event::Report(event) => write(event),
        Event::Claim(event) => write(event),
        Event::Link(event) => write(event),
        Event::Finding(event) => write(event),
        Event::Access(event) => write(event),
        Event::Replay(event) => write(event),
        Event::Erasure(event) => write(event),
        Event::Adoption(event) => write(event),
        Event::Log(event) => write(event),
    }
    .unwrap()
}

pub(crate) fn proposition(gist: &str) -> Proposition {
    Proposition {
        gist: reason(gist),
        polarity: Polarity::Affirmed,
        participants: vec![],
        time: None,
        places: vec![],
        quantities: vec![],
        materiel: vec![],
        resolution: None,
    }
}

pub(crate) fn chain(side: Option<&str>) -> Chain {
    let link = |holder, side: Option<&str>| ChainLink {
        holder,
        side: side.map(|side| Label::try_from(side.to_owned()).unwrap()),
        act: Act::Asserts,
        directness: Directness::Narration,
        verb: None,
        scope: Scope::Explicit,
    };
    let origin = Holder::Group { name: name("the group") };
    Chain::try_from(vec![link(Holder::Narrator, side), link(origin, None)]).unwrap()
}

pub(crate) fn anchor(rendition: RenditionId, words: &str) -> Anchor {
    let quote = Quote {
        rendition: None,
        exact: Some(words.to_owned()),
        prefix: None,
        suffix: None,
        start: None,
        end: None,
        span_sha256: None,
        text_sha256: None,
    };
    quote.resolve(rendition, TEXT, "").unwrap()
}

pub(crate) fn content(rendition: RenditionId, words: &str, side: Option<&str>) -> AssertionContent {
    AssertionContent {
        chain: chain(side),
        hedge: Hedge { level: HedgeLevel::Flat, marker: None },
        polarity: Polarity::Affirmed,
        anchors: vec![anchor(rendition, words)],
        editorial: vec![],
        note: None,
        tool: None,
    }
}

pub(crate) fn sight(db: &Reader, n: u8) -> Sight {
    Sight::of(db, user(n)).unwrap().unwrap()
}

pub(crate) fn many() -> Limit {
    Limit::new(500).unwrap()
}

/// The items of a page as JSON values.
pub(crate) fn values(page: &Page) -> Vec<serde_json::Value> {
    page.items.iter().map(|item| serde_json::from_str(item.get()).unwrap()).collect()
}

pub(crate) fn head() -> At {
    At::Head
}

impl World {
    pub(crate) fn log_head(&self) -> u64 {
        Journal::head(&self.log).unwrap()
    }
}

pub(crate) fn judged(
    verdict: assay_domain::id::VerdictId,
    outcome: claim::Outcome,
) -> claim::Event {
    let text = claim::VerdictText {
        justification: assay_domain::text::Passage::try_from("seen").unwrap(),
        assumptions: vec![],
        alternatives: vec![],
        would_settle: None,
    };
    claim::Event::VerdictIssued {
        verdict,
        outcome,
        likelihood: None,
        confidence: Confidence::Moderate,
        cites: vec![],
        citations: vec![].into(),
        text: text.into(),
        basis: 1,
    }
}

impl World {
    /// A world in which every fact there is has happened.
    pub(crate) fn complete() -> Self {
        let mut world = Self::busy();
        let because = || reason("because");
        for event in [
            user::Event::PasswordChanged {},
            user::Event::RoleRevoked { role: HouseRole::Analyst },
            user::Event::Suspended { reason: because().into() },
            user::Event::Reinstated { reason: because().into() },
        ] {
            world.add(Subject::User(user(BEN)), ADM, None, vec![Event::User(event)]);
        }
        world.register_source(1, ANA, "The Post");
        let flag = source::SourceFlag::Deceptive;
        for event in [
            source::Event::Named { name: name("Post").into() },
            source::Event::NameDropped { name: name("Post").into(), reason: because().into() },
            source::Event::Flagged { flag, reason: because().into() },
            source::Event::Unflagged { flag, reason: because().into() },
        ] {
            world.add(Subject::Source(source(1)), ANA, None, vec![Event::Source(event)]);
        }
        let metadata = report::Metadata::Publisher(source(1));
        let title = report::Metadata::Title(Title::try_from("A title").unwrap());
        let inference = report::Inference { metadata, basis: vec![because()] };
        let correction = report::Correction { metadata: title, reason: because() };
        let span = report::NoClaim { anchor: anchor(rendition(1), "salient"), why: because() };
        for event in [
            report::Event::RenditionAdded {
                rendition: rendition(2),
                kind: report::RenditionKind::Translation,
                of: Some(rendition(1)),
                content: RenditionContent::new("translated".into(), None).unwrap().into(),
            },
            report::Event::MetadataInferred { inference: inference.into() },
            report::Event::MetadataCorrected { correction: correction.into() },
            report::Event::SpanMarkedNoClaim { span: span.into() },
            report::Event::Withdrawn {
                reason: report::WithdrawalReason::FiledInError,
                duplicate_of: None,
                note: None,
            },
        ] {
            world.on_report(1, 1, ANA, event);
        }
        world.all_of_a_claim();
        for event in [
            link::Event::Confirmed { note: None },
            link::Event::Rejected { reason: because().into() },
            link::Event::Withdrawn { reason: because().into() },
        ] {
            world.on_link(1, 1, RAO, event);
        }
        let title = Title::try_from("Other").unwrap();
        for event in [
            case::Event::Retitled { title: title.into() },
            case::Event::MemberRemoved { user: user(RAO) },
            case::Event::MarkingRaised { marking: Tlp::Red },
            case::Event::MarkingLowered { marking: Tlp::Amber, reason: because().into() },
            case::Event::Closed { outcome: because().into(), open_contradictions: vec![link(1)] },
            case::Event::Reopened { reason: because().into() },
        ] {
            world.on_case(1, ANA, event);
        }
        world.audited();
        world
    }

    fn all_of_a_claim(&mut self) {
        let because = || reason("because");
        let (assertion, verdict) = (id(8, 1).into(), id(10, 1).into());
        let passage = || assay_domain::text::Passage::try_from("why").unwrap();
        for event in [
            claim::Event::Refined {
                proposition: proposition("clearer").into(),
                reason: because().into(),
            },
            claim::Event::AssertionReattributed {
                assertion,
                chain: chain(None).into(),
                reason: because().into(),
            },
            claim::Event::ReliabilityAssessed {
                assertion,
                link: 0,
                grade: assay_domain::value::Reliability::B,
                topic: None,
                rationale: because().into(),
            },
            claim::Event::CredibilityAssessed {
                assertion,
                grade: assay_domain::value::Credibility::ProbablyTrue,
                corroborated_by: vec![],
                rationale: because().into(),
            },
            claim::Event::ReviewRequested { round: 1, priority: 1, note: None },
            claim::Event::ReviewReturned { round: 1, questions: passage().into() },
            claim::Event::ReviewRequested { round: 2, priority: 1, note: None },
            judged(verdict, claim::Outcome::Supported),
            claim::Event::DissentRecorded { verdict, opinion: 2, reasons: passage().into() },
            claim::Event::AssertionWithdrawn {
                assertion,
                why: claim::AssertionWithdrawal::Misread,
                note: None,
            },
            claim::Event::VerdictBasisChanged { verdict, assertion },
            claim::Event::VerdictSuperseded {
                verdict,
                by: id(10, 2).into(),
                change: claim::Change::Weakened,
                reason: because().into(),
            },
            judged(id(10, 2).into(), claim::Outcome::NotEnoughEvidence),
            claim::Event::Withdrawn { reason: because().into() },
            claim::Event::Reinstated { reason: because().into() },
        ] {
            self.on_claim(1, RAO, event);
        }
    }
}
