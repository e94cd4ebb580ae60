//! Taking over and forgetting: bytes stay as they were, times twice is once, people are who they are mapped to.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

use std::sync::Arc;

use assay_commands::{Actor, Clock, Error, Foreign, House, Request, Taken};
use assay_domain::aggregate::Refusal as _;
use assay_domain::case::{Brief, Case, OpenCase, RetitleCase};
use assay_domain::erasure::{Erasable, ErasableKind};
use assay_domain::id::{CaseId, UserId};
use assay_domain::text::Title;
use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::Tlp;
use assay_store::fact::ActorKind;
use assay_store::journal::{Entry, Journal as _};
use assay_store::keyring::{KeyRing, sealed_keys};
use assay_store::memory::{MemoryLog, MemoryVault};
use assay_store::vault::KeyState;
use jiff::Timestamp;
use uuid::Uuid;

#[derive(Debug)]
struct At(&'static str);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0.parse().unwrap()
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128((0x018d_0a2c_u128 << 96) | n)
}

fn case() -> CaseId {
    id(1).into()
}

fn house(now: &'static str) -> (House, Arc<MemoryLog>, Arc<KeyRing>) {
    let log = Arc::new(MemoryLog::new());
    let keys = Arc::new(KeyRing::new(Arc::new(MemoryVault::new())));
    (House::new(log.clone(), log.clone(), keys.clone(), Arc::new(At(now))), log, keys)
}

async fn register(house: &House, n: u128, name: &str) -> UserId {
    let register = RegisterUser {
        user: id(n).into(),
        profile: Profile {
            username: name.to_owned().try_into().unwrap(),
            display_name: name.try_into().unwrap(),
        },
        roles: vec![HouseRole::Analyst],
        clearance: Tlp::Amber,
    };
    let request = Request::by(Actor::House, ActorKind::Service, id(n << 32));
    house.execute(&request, &register).await.unwrap();
    id(n).into()
}

/// A case opened and retitled by Ana.
async fn lived(house: &House, ana: UserId) {
    let by = |n: u128| Request::by(Actor::User(ana), ActorKind::Person, id(n << 40));
    let brief = Brief { title: "Idlib".try_into().unwrap(), mandate: None };
    house.execute(&by(1), &OpenCase { case: case(), brief, marking: Tlp::Amber }).await.unwrap();
    let retitle = RetitleCase { case: case(), title: "Idlib, January".try_into().unwrap() };
    house.execute(&by(2), &retitle).await.unwrap();
}

fn of_case(log: &MemoryLog) -> Vec<Entry> {
    let all = log.entries(0, 1_000).unwrap();
    all.into_iter().filter(|entry| entry.recorded.stream.starts_with("case-")).collect()
}

fn foreign(entries: &[Entry], here: UserId) -> Foreign {
    let taken = |entry: &Entry| Taken { actor: here, fact: entry.recorded.fact.id };
    let first = &entries.first().unwrap().recorded;
    Foreign {
        stream: first.stream.clone(),
        first: first.revision,
        taken: entries.iter().map(taken).collect(),
        data: entries.iter().map(|entry| entry.recorded.fact.data.clone()).collect(),
    }
}

async fn hand_over_keys(from: &KeyRing, to: &KeyRing, entries: &[Entry]) {
    let ids: Vec<_> = entries.iter().flat_map(|e| sealed_keys(&e.recorded.fact.data)).collect();
    from.fetch(&ids).await.unwrap();
    let held = |id| match from.get(id) {
        Some(KeyState::Held(key)) => (id, key),
        other => panic!("{other:?}"),
    };
    to.adopt(ids.into_iter().map(held).collect()).await.unwrap();
}

fn importing(n: u128) -> Request {
    Request::by(Actor::House, ActorKind::Import, id(n << 48))
}

#[tokio::test]
async fn a_case_taken_over_is_the_same_bytes_under_the_mapped_name() {
    let (there, log, keys) = house("2018-01-12T12:00:00Z");
    let ana = register(&there, 0xA, "ana").await;
    lived(&there, ana).await;
    let entries = of_case(&log);

    let (here, our_log, our_keys) = house("2026-01-01T12:00:00Z");
    let bea = register(&here, 0xF, "bea").await;
    hand_over_keys(&keys, &our_keys, &entries).await;
    let run = foreign(&entries, bea);
    here.take(&importing(1), &run).await.unwrap();

    let ours = of_case(&our_log);
    assert_eq!(ours.len(), entries.len());
    for (ours, theirs) in ours.iter().zip(&entries) {
        let (ours, theirs) = (&ours.recorded.fact, &theirs.recorded.fact);
        assert_eq!(ours.data, theirs.data);
        assert_eq!(ours.envelope.actor, bea.0);
        assert_eq!(ours.envelope.actor_kind, ActorKind::Import);
        assert_eq!(ours.envelope.causation, Some(theirs.id));
        assert!(ours.envelope.recorded_at > theirs.envelope.recorded_at, "by our own clock");
    }
    let known = here.load::<Case>(case().0).await.unwrap().state;
    assert_eq!(known.title.as_ref().map(Title::as_str), Some("Idlib, January"));
    assert_eq!(known.originator, Some(bea));
}

#[tokio::test]
async fn taking_over_twice_adds_nothing_and_another_past_is_refused() {
    let (there, log, keys) = house("2018-01-12T12:00:00Z");
    let ana = register(&there, 0xA, "ana").await;
    lived(&there, ana).await;
    let entries = of_case(&log);
    let (here, our_log, our_keys) = house("2026-01-01T12:00:00Z");
    let bea = register(&here, 0xF, "bea").await;
    hand_over_keys(&keys, &our_keys, &entries).await;
    here.take(&importing(1), &foreign(&entries, bea)).await.unwrap();
    let head = our_log.head().unwrap();
    here.take(&importing(1), &foreign(&entries, bea)).await.unwrap();
    here.take(&importing(2), &foreign(&entries, bea)).await.unwrap();
    assert_eq!(our_log.head().unwrap(), head);
    let later = Foreign { first: 9, ..foreign(&entries, bea) };
    match here.take(&importing(3), &later).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code(), "adoption_stream_differs"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_would_not_stay_as_it_is_is_not_taken_over() {
    let (here, our_log, _) = house("2026-01-01T12:00:00Z");
    let bea = register(&here, 0xF, "bea").await;
    let head = our_log.head().unwrap();
    let clear = r#"{"type":"case.retitled.v1","data":{"title":{"clear":"Idlib"}}}"#;
    let run = Foreign {
        stream: format!("case-{}", case()),
        first: 0,
        taken: vec![Taken { actor: bea, fact: id(9) }],
        data: vec![clear.into()],
    };
    match here.take(&importing(1), &run).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code(), "adoption_unsealed"),
        other => panic!("{other:?}"),
    }
    assert_eq!(our_log.head().unwrap(), head);
}

#[tokio::test]
async fn what_was_forgotten_reads_as_erased_and_stands_byte_for_byte() {
    let (house, log, _) = house("2018-01-12T12:00:00Z");
    let ana = register(&house, 0xA, "ana").await;
    lived(&house, ana).await;
    let before = of_case(&log);
    let subject = Erasable { kind: ErasableKind::Case, id: case().0 };
    assert_eq!(house.forget(subject).await.unwrap(), 1);
    assert_eq!(house.forget(subject).await.unwrap(), 1, "harmless when done twice");
    assert_eq!(house.load::<Case>(case().0).await.unwrap().state.title, None);
    assert_eq!(of_case(&log), before);
}
