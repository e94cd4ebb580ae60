//! A log in memory whose tokens have gaps, whose clocks are as they were, and with which everything can go wrong.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};
use assay_store::memory::MemoryLog;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;
use uuid::Uuid;

use super::fact;

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    /// Nothing can be reached.
    pub(super) away: bool,
    /// Following fails at every so manieth item, counted over all followers.
    pub(super) error_every: Option<usize>,
    /// Following says nothing from the so manieth item on, for ever.
    pub(super) stalls_after: Option<usize>,
    /// Following leaves out the fact at this position.
    pub(super) skips: Option<u64>,
    /// Following says the fact at this position before the one before it.
    pub(super) swaps: Option<u64>,
    /// Whoever follows keeps following the log that was, after it was replaced.
    pub(super) followers_stay: bool,
    /// Following says this place after it has caught up.
    pub(super) place_beyond: Option<Token>,
    /// Answers to appends get lost after the facts were written.
    pub(super) loses_answers: bool,
}

#[derive(Debug)]
pub(super) struct Upstream {
    log: Mutex<MemoryLog>,
    /// Tokens are positions times this.
    gap: u64,
    faults: Mutex<Faults>,
    items: Mutex<usize>,
    replaced: watch::Sender<u64>,
    /// When each fact was recorded by the clock of who recorded it.
    times: Mutex<HashMap<Uuid, i64>>,
    /// How often it was followed, and from where.
    follows: Mutex<Vec<Option<Token>>>,
}

impl Upstream {
    pub(super) fn new() -> Arc<Self> {
        Self::over(MemoryLog::with_id(Uuid::from_u128(42)))
    }

    pub(super) fn over(log: MemoryLog) -> Arc<Self> {
        Arc::new(Self {
            log: Mutex::new(log),
            gap: 10,
            faults: Mutex::default(),
            items: Mutex::default(),
            replaced: watch::Sender::new(0),
            times: Mutex::default(),
            follows: Mutex::default(),
        })
    }

    /// With as many facts, in streams of several.
    pub(super) async fn with(facts: u64) -> Arc<Self> {
        let upstream = Self::new();
        upstream.write(0..facts).await;
        upstream
    }

    pub(super) async fn write(&self, numbers: std::ops::Range<u64>) {
        for number in numbers {
            self.append_one(&format!("s{}", number % 11), fact(number)).await;
        }
    }

    pub(super) async fn append_one(&self, stream: &str, fact: NewFact) {
        self.times.lock().unwrap().insert(fact.id, fact.envelope.recorded_at);
        self.log().append(stream, Expected::Any, vec![fact]).await.unwrap();
    }

    pub(super) fn log(&self) -> MemoryLog {
        self.log.lock().unwrap().clone()
    }

    /// Another log stands here from now on.
    pub(super) fn replace(&self, log: MemoryLog) {
        *self.log.lock().unwrap() = log;
        self.replaced.send_modify(|times| *times += 1);
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    pub(super) fn follows(&self) -> Vec<Option<Token>> {
        self.follows.lock().unwrap().clone()
    }

    pub(super) fn token(&self, position: u64) -> Token {
        Token(position * self.gap)
    }

    fn reach(&self) -> Result<(), LogError> {
        if self.faults().away {
            return Err(LogError::Unavailable { outcome_unknown: false });
        }
        Ok(())
    }

    fn upstream(&self, mut recorded: Recorded) -> Recorded {
        recorded.token = self.token(recorded.token.0);
        if let Some(time) = self.times.lock().unwrap().get(&recorded.fact.id) {
            recorded.fact.envelope.recorded_at = *time;
        }
        recorded
    }
}

/// One follower.
struct Follower {
    upstream: Arc<Upstream>,
    inner: BoxStream<'static, Result<Followed, LogError>>,
    replaced: watch::Receiver<u64>,
    held: Option<Followed>,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<Followed, LogError>> {
        loop {
            let item = if let Some(held) = self.held.take() {
                Ok(held)
            } else {
                let stay = self.upstream.faults().followers_stay;
                tokio::select! {
                    item = self.inner.next() => item?,
                    _ = self.replaced.changed(), if !stay => {
                        return Some(Err(LogError::Unavailable { outcome_unknown: false }));
                    }
                }
            };
            let faults = self.upstream.faults().clone();
            let count = {
                let mut items = self.upstream.items.lock().unwrap();
                *items += 1;
                *items
            };
            if faults.stalls_after.is_some_and(|after| count > after) {
                std::future::pending::<()>().await;
            }
            let broken = faults.error_every.is_some_and(|every| count.is_multiple_of(every));
            if broken || faults.away {
                return Some(Err(LogError::Unavailable { outcome_unknown: false }));
            }
            return Some(match item {
                Ok(Followed::Fact(fact)) => {
                    let position = fact.token.0;
                    if faults.skips == Some(position) {
                        continue;
                    }
                    if faults.swaps == Some(position + 1) {
                        let next = self.inner.next().await?;
                        self.upstream.faults().swaps = None;
                        self.held = Some(Followed::Fact(fact));
                        next.map(|item| self.map(item))
                    } else {
                        Ok(self.map(Followed::Fact(fact)))
                    }
                }
                Ok(Followed::CaughtUp) => {
                    if let Some(token) = self.upstream.faults().place_beyond.take() {
                        self.held = Some(Followed::CaughtUp);
                        return Some(Ok(Followed::Progress(token)));
                    }
                    Ok(Followed::CaughtUp)
                }
                Ok(other) => Ok(self.map(other)),
                Err(error) => Err(error),
            });
        }
    }

    fn map(&self, item: Followed) -> Followed {
        match item {
            Followed::Fact(fact) => Followed::Fact(Box::new(self.upstream.upstream(*fact))),
            Followed::Progress(token) => Followed::Progress(self.upstream.token(token.0)),
            Followed::CaughtUp => Followed::CaughtUp,
        }
    }
}

/// An upstream that followers can hold: the trait's `follow` has no `Arc`.
#[derive(Debug, Clone)]
pub(super) struct Handle(pub(super) Arc<Upstream>);

impl Upstream {
    pub(super) fn handle(self: &Arc<Self>) -> Arc<dyn Log> {
        Arc::new(Handle(self.clone()))
    }
}

impl Log for Handle {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            self.0.reach()?;
            let times = facts.iter().map(|fact| (fact.id, fact.envelope.recorded_at));
            self.0.times.lock().unwrap().extend(times);
            let mut answer = self.0.log().append(stream, expected, facts).await?;
            if self.0.faults().loses_answers {
                return Err(LogError::Unavailable { outcome_unknown: true });
            }
            answer.token = self.0.token(answer.token.0);
            answer.committed.clear();
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
        async move {
            self.0.reach()?;
            let facts = self.0.log().read_stream(stream, from, direction, limit).await?;
            Ok(facts.into_iter().map(|fact| self.0.upstream(fact)).collect())
        }
        .boxed()
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        self.0.follows.lock().unwrap().push(after);
        let replaced = self.0.replaced.subscribe();
        let log = self.0.log();
        // A place between two facts is after the first; a place beyond the last fact is honest, too.
        let after = after.map(|Token(token)| Token(token / self.0.gap));
        let inner = log.follow(after);
        let follower = Follower { upstream: self.0.clone(), inner, replaced, held: None };
        let items = stream::unfold(Some(follower), |follower| async move {
            let mut follower = follower?;
            let item = follower.next().await?;
            let on = item.is_ok().then_some(follower);
            Some((item, on))
        });
        items.boxed()
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        async move {
            self.0.reach()?;
            Ok(Log::head(&self.0.log()).await?.map(|token| self.0.token(token.0)))
        }
        .boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        async move {
            self.0.reach()?;
            self.0.log().log_id().await
        }
        .boxed()
    }
}
