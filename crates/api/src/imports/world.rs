//! A house in memory for tests of imports: Ana, who opened a case, and Eve, who has no part in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assay_commands::{Actor, Clock, House, Request};
use assay_domain::case::{Brief, OpenCase};
use assay_domain::id::{CaseId, UserId};
use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::Tlp;
use assay_exchange::Key;
use assay_store::fact::{ActorKind, NewFact, Recorded};
use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use assay_store::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};
use assay_store::memory::{MemoryLog, MemoryVault};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use uuid::Uuid;

#[derive(Debug)]
pub(super) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2018-01-12T12:00:00Z".parse().unwrap()
    }
}

/// The memory log, at the pace of a disk: an append takes many turns, so that what does not wait
/// overtakes; and it is away after so many appends.
#[derive(Debug)]
struct Slow {
    log: Arc<MemoryLog>,
    appends_left: Arc<AtomicU64>,
}

impl Log for Slow {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let less = |left: u64| left.checked_sub(1);
            let left = self.appends_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            left.map_err(|_| LogError::Unavailable { outcome_unknown: false })?;
            self.log.append(stream, expected, facts).await
        }
        .boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        self.log.read_stream(stream, from, direction, limit)
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        self.log.follow(after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        Log::head(&*self.log)
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}

pub(super) struct World {
    pub(super) house: Arc<House>,
    pub(super) log: Arc<MemoryLog>,
    pub(super) vault: Arc<MemoryVault>,
    /// How many appends the log takes until it is away.
    pub(super) appends_left: Arc<AtomicU64>,
}

pub(super) fn ana() -> UserId {
    Uuid::from_u128(0xA).into()
}

pub(super) fn eve() -> UserId {
    Uuid::from_u128(0xE).into()
}

pub(super) fn case() -> CaseId {
    Uuid::from_u128(1).into()
}

pub(super) fn key(text: &str) -> Key {
    Key::try_from(text.to_owned()).unwrap()
}

impl World {
    /// Ana, who opened a case, and Eve, who has no part in it.
    pub(super) async fn new() -> Self {
        let log = Arc::new(MemoryLog::new());
        let vault = Arc::new(MemoryVault::new());
        let keys = Arc::new(KeyRing::new(vault.clone()));
        let appends_left = Arc::new(AtomicU64::new(u64::MAX));
        let slow = Slow { log: log.clone(), appends_left: appends_left.clone() };
        let house = House::new(Arc::new(slow), log.clone(), keys, Arc::new(Noon));
        let world = Self { house: Arc::new(house), log, vault, appends_left };
        for (user, name) in [(ana(), "ana"), (eve(), "eve")] {
            let username = name.to_owned().try_into().unwrap();
            let profile = Profile { username, display_name: name.try_into().unwrap() };
            let roles = vec![HouseRole::Analyst];
            let register = RegisterUser { user, profile, roles, clearance: Tlp::Amber };
            world.ask(Actor::House, &register).await;
        }
        let brief = Brief { title: "Idlib".try_into().unwrap(), mandate: None };
        let open = OpenCase { case: case(), brief, marking: Tlp::Amber };
        world.ask(Actor::User(ana()), &open).await;
        world
    }

    pub(super) async fn ask<C>(&self, actor: Actor, command: &C)
    where
        C: assay_domain::aggregate::Command<On: assay_commands::Cached>,
    {
        let name = Uuid::from_u128(0xC000 + u128::from(self.head()) * 0x100);
        let request = Request::by(actor, ActorKind::Person, name);
        self.house.execute(&request, command).await.unwrap();
    }

    pub(super) fn head(&self) -> u64 {
        Journal::head(&*self.log).unwrap()
    }
}
