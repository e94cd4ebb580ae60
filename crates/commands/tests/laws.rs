//! Laws of the one write path: asking twice adds nothing, names are not reused, strangers see nothing, nothing personal is stored in clear.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::collections::BTreeSet;
use std::sync::Arc;

use assay_commands::{Actor, Clock, Error, House, Receipt, Request};
use assay_domain::case::{AddMember, Brief, CaseRole, CloseCase, OpenCase, RetitleCase};
use assay_domain::claim::{
    CitationRole, Cited, CitedWords, ClaimKind, IssueVerdict, Judgement, Outcome, ProposeClaim,
    Proposition, RecordAssertion, RequestReview, VerdictText,
};
use assay_domain::id::{CaseId, UserId};
use assay_domain::report::{FileReport, RenditionContent, ReportKind};
use assay_domain::user::{HouseRole, Profile, RegisterUser, SuspendUser};
use assay_domain::value::{Confidence, Hedge, HedgeLevel, Polarity, Quote, Stance, Tlp};
use assay_store::fact::ActorKind;
use assay_store::journal::Journal as _;
use assay_store::keyring::KeyRing;
use assay_store::memory::{MemoryLog, MemoryVault};
use jiff::Timestamp;
use uuid::Uuid;

const SECRET: &str = "Khan-Sheikhoun-canary";

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2018-01-12T12:00:00Z".parse().unwrap()
    }
}

struct World {
    house: House,
    log: Arc<MemoryLog>,
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128((0x018d_0a2c_u128 << 96) | n)
}

fn user(n: u128) -> UserId {
    id(n).into()
}

fn case() -> CaseId {
    id(1).into()
}

impl World {
    async fn new() -> Self {
        let log = Arc::new(MemoryLog::new());
        let keys = Arc::new(KeyRing::new(Arc::new(MemoryVault::new())));
        let house = House::new(log.clone(), log.clone(), keys, Arc::new(Noon));
        let world = Self { house, log };
        for (n, name, role) in [
            (0xA, "ana", HouseRole::Analyst),
            (0xB, "rao", HouseRole::Reviewer),
            (0xC, "eve", HouseRole::Analyst),
        ] {
            let register = RegisterUser {
                user: user(n),
                profile: Profile {
                    username: name.to_owned().try_into().unwrap(),
                    display_name: name.try_into().unwrap(),
                },
                roles: vec![role],
                clearance: Tlp::Amber,
            };
            let request = Request::by(Actor::House, ActorKind::Service, id(n << 32));
            world.house.execute(&request, &register).await.unwrap();
        }
        world
    }

    fn head(&self) -> u64 {
        self.log.head().unwrap()
    }
}

fn by(actor: u128, command: u128) -> Request {
    Request::by(Actor::User(user(actor)), ActorKind::Person, id(command << 32))
}

fn open() -> OpenCase {
    let brief = Brief { title: SECRET.try_into().unwrap(), mandate: None };
    OpenCase { case: case(), brief, marking: Tlp::Amber }
}

fn file() -> FileReport {
    FileReport {
        case: case(),
        report: id(2).into(),
        kind: ReportKind::News,
        rendition: id(3).into(),
        content: RenditionContent::new(format!("They struck {SECRET} on Thursday."), None).unwrap(),
        stated: vec![],
        flags: vec![],
    }
}

fn propose() -> ProposeClaim {
    let proposition = Proposition {
        gist: format!("{SECRET} was struck").as_str().try_into().unwrap(),
        polarity: Polarity::Affirmed,
        participants: vec![],
        time: None,
        places: vec![],
        quantities: vec![],
        materiel: vec![],
        resolution: None,
    };
    ProposeClaim {
        case: case(),
        claim: id(5).into(),
        kind: ClaimKind::Event,
        proposition,
        flags: vec![],
    }
}

fn record() -> RecordAssertion {
    let chain = r#"[{"holder":{"is":"narrator"},"act":"asserts","directness":"narration"}]"#;
    let quote: Quote = serde_json::from_str(&format!(r#"{{"exact":"struck {SECRET}"}}"#)).unwrap();
    RecordAssertion {
        claim: id(5).into(),
        assertion: id(6).into(),
        report: id(2).into(),
        chain: serde_json::from_str(chain).unwrap(),
        stance: Stance::Asserts,
        hedge: Hedge { level: HedgeLevel::Flat, marker: None },
        polarity: Polarity::Affirmed,
        quotes: vec![quote],
        editorial: vec![],
        note: None,
        tool: None,
    }
}

fn verdict() -> IssueVerdict {
    let cites = assay_domain::claim::AssertionRef { claim: id(5).into(), assertion: id(6).into() };
    let citation = CitedWords {
        cites: Cited::Assertion(cites),
        role: CitationRole::Supports,
        sha256: None,
        note: None,
    };
    let text = VerdictText {
        justification: "seen".try_into().unwrap(),
        assumptions: vec![],
        alternatives: vec![],
        would_settle: None,
    };
    IssueVerdict {
        claim: id(5).into(),
        judgement: Judgement {
            verdict: id(7).into(),
            outcome: Outcome::Supported,
            likelihood: None,
            confidence: Confidence::Moderate,
            citations: vec![citation],
            text,
        },
    }
}

/// Ana opens a case with Rao and brings a claim to review.
async fn under_review(world: &World) {
    let house = &world.house;
    house.execute(&by(0xA, 1), &open()).await.unwrap();
    for (command, who, roles) in [
        (2, 0xB, vec![CaseRole::Reviewer]),
        (3, 0xA, vec![CaseRole::CaseLead, CaseRole::Analyst, CaseRole::Reviewer]),
    ] {
        let add = AddMember {
            case: case(),
            user: user(who),
            roles: roles.into_iter().collect::<BTreeSet<_>>(),
        };
        house.execute(&by(0xA, command), &add).await.unwrap();
    }
    house.execute(&by(0xA, 4), &file()).await.unwrap();
    house.execute(&by(0xA, 5), &propose()).await.unwrap();
    house.execute(&by(0xA, 6), &record()).await.unwrap();
    let request = RequestReview { claim: id(5).into(), priority: 2, note: None };
    house.execute(&by(0xA, 7), &request).await.unwrap();
}

#[tokio::test]
async fn the_whole_job_runs_and_four_eyes_hold_for_a_reviewing_analyst() {
    let world = World::new().await;
    under_review(&world).await;
    let own = world.house.execute(&by(0xA, 8), &verdict()).await;
    assert!(matches!(own, Err(Error::Refused(assay_domain::claim::Refusal::FourEyes))), "{own:?}");
    let head = world.head();
    let receipt = world.house.execute(&by(0xB, 9), &verdict()).await.unwrap();
    assert_eq!(receipt.position, Some(head + 1));
    assert!(receipt.leaf_hash.is_some());
}

#[tokio::test]
async fn asking_twice_answers_the_same_and_adds_nothing() {
    let world = World::new().await;
    under_review(&world).await;
    let first = world.house.execute(&by(0xB, 9), &verdict()).await.unwrap();
    let head = world.head();
    let again = world.house.execute(&by(0xB, 9), &verdict()).await.unwrap();
    assert_eq!(world.head(), head);
    assert_eq!(Receipt { replayed: false, ..again.clone() }, first);
    assert!(again.replayed);
    // The same wish under another name changes nothing either.
    let other = world.house.execute(&by(0xB, 10), &verdict()).await.unwrap();
    assert_eq!((other.event_ids.len(), world.head()), (0, head));
}

#[tokio::test]
async fn a_reused_name_with_another_request_is_refused() {
    let world = World::new().await;
    let named = |mac: u8| Request { mac: Some([mac; 16]), ..by(0xA, 1) };
    world.house.execute(&named(1), &open()).await.unwrap();
    let head = world.head();
    assert!(matches!(world.house.execute(&named(2), &open()).await, Err(Error::KeyReused)));
    // In another stream, too.
    let elsewhere = OpenCase { case: id(99).into(), ..open() };
    assert!(matches!(world.house.execute(&named(1), &elsewhere).await, Err(Error::KeyReused)));
    assert_eq!(world.head(), head);
}

#[tokio::test]
async fn a_lost_update_is_told_what_came_between() {
    let world = World::new().await;
    world.house.execute(&by(0xA, 1), &open()).await.unwrap();
    let retitle = |to: &str| RetitleCase { case: case(), title: to.try_into().unwrap() };
    world.house.execute(&by(0xA, 2), &retitle("One")).await.unwrap();
    let stale = Request { if_match: Some(1), ..by(0xA, 3) };
    match world.house.execute(&stale, &retitle("Two")).await {
        Err(Error::Moved { current: Some(2), since }) => {
            assert_eq!(
                since.iter().map(|fact| fact.name.as_str()).collect::<Vec<_>>(),
                ["case.retitled.v1"]
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn strangers_and_the_suspended_see_nothing() {
    let world = World::new().await;
    under_review(&world).await;
    let head = world.head();
    let retitle = RetitleCase { case: case(), title: "Mine".try_into().unwrap() };
    assert!(matches!(world.house.execute(&by(0xC, 20), &retitle).await, Err(Error::Unseen)));
    assert!(matches!(world.house.execute(&by(0xC, 21), &record()).await, Err(Error::Unseen)));
    assert!(matches!(world.house.execute(&by(0xB, 22), &retitle).await, Err(Error::Forbidden)));
    assert_eq!(world.head(), head);
    let suspend = SuspendUser { user: user(0xA), reason: "left".try_into().unwrap() };
    let operator = Request::by(Actor::House, ActorKind::Service, id(23 << 32));
    world.house.execute(&operator, &suspend).await.unwrap();
    assert!(matches!(world.house.execute(&by(0xA, 24), &retitle).await, Err(Error::Inactive)));
}

#[tokio::test]
async fn a_closed_case_takes_nothing_but_reopening() {
    let world = World::new().await;
    under_review(&world).await;
    let close = CloseCase {
        case: case(),
        outcome: "done".try_into().unwrap(),
        open_contradictions: vec![],
    };
    world.house.execute(&by(0xA, 30), &close).await.unwrap();
    assert!(matches!(world.house.execute(&by(0xB, 31), &verdict()).await, Err(Error::CaseClosed)));
    let reopen =
        assay_domain::case::ReopenCase { case: case(), reason: "footage".try_into().unwrap() };
    world.house.execute(&by(0xA, 32), &reopen).await.unwrap();
    world.house.execute(&by(0xB, 33), &verdict()).await.unwrap();
}

#[tokio::test]
async fn nothing_personal_is_stored_in_clear() {
    let world = World::new().await;
    under_review(&world).await;
    world.house.execute(&by(0xB, 9), &verdict()).await.unwrap();
    for entry in world.log.entries(0, 1000).unwrap() {
        let data = String::from_utf8_lossy(&entry.recorded.fact.data).into_owned();
        assert!(!data.contains(SECRET) && !data.contains("\"clear\""), "{data}");
    }
}

#[tokio::test]
async fn of_many_writers_at_once_none_is_lost() {
    let world = Arc::new(World::new().await);
    world.house.execute(&by(0xA, 1), &open()).await.unwrap();
    let head = world.head();
    let writers = (0..6_u128).map(|n| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let retitle = RetitleCase {
                case: case(),
                title: format!("Title {n}").as_str().try_into().unwrap(),
            };
            world.house.execute(&by(0xA, 100 + n), &retitle).await
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(world.head(), head + 6);
}
