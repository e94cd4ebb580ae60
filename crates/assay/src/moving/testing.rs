//! Logs for trying out how one is copied: full ones, one with gaps in its tokens, one that breaks.

use std::sync::atomic::{AtomicUsize, Ordering};

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::journal::Journal as _;
use assay_store::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};
use assay_store::memory::MemoryLog;
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use uuid::Uuid;

use super::reading::Reading;

/// A fact with so many bytes.
pub(super) fn fact(bytes: usize) -> NewFact {
    let id = || Uuid::from_bytes(rand::random());
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_000 + i64::from(rand::random::<u16>()),
        actor: id(),
        actor_kind: ActorKind::Person,
        on_behalf_of: None,
        session: None,
        command: id(),
        causation: None,
        correlation: id(),
        case: None,
        request_mac: None,
    };
    NewFact {
        id: id(),
        name: "thing.happened.v1".to_owned(),
        envelope,
        data: vec![b'x'; bytes].into(),
    }
}

/// An entry of a log.
pub(super) fn recorded(stream: &str, revision: Revision, bytes: usize) -> Recorded {
    Recorded { stream: stream.to_owned(), revision, token: Token(0), fact: fact(bytes) }
}

/// Adds so many entries in a few streams; the clock they were recorded by goes back now and then.
pub(super) async fn fill(log: &dyn Log, entries: usize) {
    let mut left = entries;
    while left > 0 {
        let many = 1 + usize::from(rand::random::<u8>() % 4).min(left - 1);
        let stream = format!("stream-{}", rand::random::<u8>() % 5);
        let facts = (0..many).map(|_| fact(20)).collect();
        log.append(&stream, Expected::Any, facts).await.unwrap();
        left -= many;
    }
}

/// The ids of all entries.
pub(super) async fn ids(log: &dyn Log) -> Vec<Uuid> {
    let mut reading = Reading::whole(log).await.unwrap();
    let mut ids = Vec::new();
    while let Some(recorded) = reading.next().await.unwrap() {
        ids.push(recorded.fact.id);
    }
    ids
}

/// A log whose tokens have gaps.
#[derive(Debug)]
pub(super) struct Sparse(MemoryLog);

impl Sparse {
    pub(super) fn new() -> Self {
        Self(MemoryLog::new())
    }
}

fn gapped(token: Token) -> Token {
    Token(token.0 * 137 + 11)
}

impl Log for Sparse {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            let answer = self.0.append(stream, expected, facts).await?;
            Ok(Appended { token: gapped(answer.token), committed: Vec::new(), ..answer })
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
        self.0.read_stream(stream, from, direction, limit)
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        let after = after.map(|Token(after)| Token((after.saturating_sub(11)) / 137));
        let gaps = |followed| match followed {
            Followed::Fact(fact) => {
                Followed::Fact(Box::new(Recorded { token: gapped(fact.token), ..*fact }))
            }
            Followed::Progress(token) => Followed::Progress(gapped(token)),
            Followed::CaughtUp => Followed::CaughtUp,
        };
        self.0.follow(after).map(move |item| item.map(gaps)).boxed()
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        async { Ok(Log::head(&self.0).await?.map(gapped)) }.boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.0.log_id()
    }
}

/// A log that refuses after some appends, forgets to answer, or tells another entry 17 than it was given.
#[derive(Debug)]
pub(super) struct Breaking {
    log: MemoryLog,
    /// How many appends are let through yet.
    pub(super) left: AtomicUsize,
    lose_every: usize,
    change: Option<Uuid>,
}

impl Breaking {
    /// Refuses after so many appends.
    pub(super) fn after(log: MemoryLog, appends: usize) -> Self {
        Self { log, left: AtomicUsize::new(appends), lose_every: 0, change: None }
    }

    /// Carries every n-th append out and does not say so.
    pub(super) fn losing_answers(log: MemoryLog, every: usize) -> Self {
        Self { log, left: AtomicUsize::new(usize::MAX), lose_every: every, change: None }
    }

    /// Shows another actor at entry 17.
    pub(super) fn changing(log: MemoryLog, actor: Uuid) -> Self {
        Self { log, left: AtomicUsize::new(usize::MAX), lose_every: 0, change: Some(actor) }
    }
}

impl Log for Breaking {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            if self.left.load(Ordering::Relaxed) == 0 {
                return Err(LogError::Full);
            }
            let left = self.left.fetch_sub(1, Ordering::Relaxed);
            let before = self.log.frontier()?.size();
            let answer = self.log.append(stream, expected, facts).await?;
            let new = self.log.frontier()?.size() > before;
            if new && self.lose_every > 0 && left.is_multiple_of(self.lose_every) {
                return Err(LogError::Unavailable { outcome_unknown: true });
            }
            Ok(answer)
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
        let change = self.change;
        let shown = move |mut followed| {
            if let (Followed::Fact(fact), Some(actor)) = (&mut followed, change)
                && fact.token == Token(17)
            {
                fact.fact.envelope.actor = actor;
            }
            followed
        };
        self.log.follow(after).map(move |item| item.map(shown)).boxed()
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        Log::head(&self.log)
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}
