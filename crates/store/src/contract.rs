//! What every log, journal, replica and vault must pass: the promises L1–L19 as one run, for each adapter.
//!
//! An adapter's test is five lines: it says how a fresh log is made and how one is opened again
//! ([`Make`]), and calls [`run`]. A broken promise panics with its number. L18 (nothing is ever
//! deleted) needs no test: the trait has no word for it.

mod append;
mod follow;
mod journal;
mod order;
mod read;
mod replica;
mod vault;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{BoxStream, StreamExt as _};
use uuid::Uuid;

use crate::fact::{ActorKind, Envelope, NewFact, Recorded};
use crate::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};

pub use journal::run as run_journal;
pub use replica::{MakeReplica, run as run_replica, run_one_or_the_other};
pub use vault::{MakeVault, run as run_vault};

/// How long any single promise may take before it counts as broken.
const PATIENCE: Duration = Duration::from_mins(2);

/// How an adapter makes logs for the contract.
pub trait Make: Send + Sync {
    /// The log it makes.
    type Log: Log + 'static;

    /// A log that nobody has written to.
    fn fresh(&self) -> BoxFuture<'_, Arc<Self::Log>>;

    /// The same log after its process ended and another one started. Nobody else holds it.
    fn reopen(&self, log: Arc<Self::Log>) -> BoxFuture<'_, Arc<Self::Log>>;
}

/// Holds a log to its promises, each on a fresh one. Runs inside a tokio runtime.
///
/// # Panics
///
/// With the number of the first promise that is broken.
pub async fn run<M: Make>(make: &M) {
    in_time("L1", append::batches_are_whole(&*make.fresh().await)).await;
    in_time("L2", append::tokens_increase(&*make.fresh().await)).await;
    in_time("L3", follow::nothing_appears_behind_a_follower(make.fresh().await)).await;
    in_time("L4", append::expectations_are_checked(&*make.fresh().await)).await;
    in_time("L5", append::asking_again_answers_the_same(make)).await;
    in_time("L6", append::an_id_used_elsewhere_does_no_harm(&*make.fresh().await)).await;
    in_time("L7", append::one_writer_wins(make.fresh().await)).await;
    in_time("L8", read::names_are_kept_or_refused(&*make.fresh().await)).await;
    in_time("L9", read::streams_are_read_in_pages(&*make.fresh().await)).await;
    in_time("L10", follow::only_our_facts_appear(&*make.fresh().await)).await;
    in_time("L11", follow::every_fact_once_in_order(&*make.fresh().await)).await;
    in_time("L12", follow::progress_is_a_place_to_resume(&*make.fresh().await)).await;
    in_time("L13", follow::a_follower_ahead_is_told(&*make.fresh().await)).await;
    in_time("L14", append::limits_are_exact(&*make.fresh().await)).await;
    in_time("L15", append::a_lost_answer_leaves_one_copy(make.fresh().await)).await;
    in_time("L16", follow::a_slow_follower_misses_nothing(make.fresh().await)).await;
    in_time("L17", read::microseconds_survive(make)).await;
    in_time("L19", order::appends_stay_in_order(&*make.fresh().await)).await;
    in_time("L19", order::the_first_failure_ends_an_order(&*make.fresh().await)).await;
}

async fn in_time<T>(promise: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(done) => done,
        Err(elapsed) => panic!("{promise}: not kept within {PATIENCE:?}: {elapsed}"),
    }
}

/// What a promise needs to succeed.
#[track_caller]
fn must<T, E: fmt::Debug>(promise: &str, done: Result<T, E>) -> T {
    match done {
        Ok(value) => value,
        Err(error) => panic!("{promise}: {error:?}"),
    }
}

/// A fact like any other; the same number gives the same fact.
fn fact(number: u64) -> NewFact {
    let id = |kind: u128| Uuid::from_u128(kind << 64 | u128::from(number));
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_001 + i64::try_from(number).unwrap_or(i64::MAX / 2),
        actor: id(2),
        actor_kind: ActorKind::Person,
        on_behalf_of: number.is_multiple_of(2).then(|| id(3)),
        session: number.is_multiple_of(3).then(|| id(4)),
        command: id(5),
        causation: number.is_multiple_of(5).then(|| id(6)),
        correlation: id(7),
        case: number.is_multiple_of(7).then(|| id(8)),
        request_mac: number.is_multiple_of(4).then_some([9; 16]),
    };
    let data = format!("{{\"type\":\"contract.tested.v1\",\"number\":{number}}}").into();
    NewFact { id: id(1), name: "contract.tested.v1".to_owned(), envelope, data }
}

fn facts(numbers: impl IntoIterator<Item = u64>) -> Vec<NewFact> {
    numbers.into_iter().map(fact).collect()
}

/// All of a stream, oldest first.
async fn all(promise: &str, log: &impl Log, stream: &str) -> Vec<Recorded> {
    must(promise, log.read_stream(stream, 0, Direction::Forward, 100_000).await)
}

/// All facts after a token up to the first `CaughtUp`.
async fn caught_up(promise: &str, log: &impl Log, after: Option<Token>) -> Vec<Recorded> {
    let mut seen = Vec::new();
    let mut following = log.follow(after);
    loop {
        match following.next().await {
            Some(Ok(Followed::Fact(fact))) => seen.push(*fact),
            Some(Ok(Followed::Progress(_))) => {}
            Some(Ok(Followed::CaughtUp)) => return seen,
            other => panic!("{promise}: a follower got {other:?}"),
        }
    }
}

/// A log whose answers can get lost after the facts were written: for testing whoever asks again.
#[derive(Debug)]
pub struct LosesAnswers<L> {
    log: Arc<L>,
    lose: AtomicBool,
}

impl<L: Log> LosesAnswers<L> {
    /// A log that answers until told otherwise.
    pub const fn new(log: Arc<L>) -> Self {
        Self { log, lose: AtomicBool::new(false) }
    }

    /// Loses the answer to the next append that succeeds.
    pub fn lose_next(&self) {
        self.lose.store(true, Ordering::SeqCst);
    }
}

impl<L: Log> Log for LosesAnswers<L> {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            let answer = self.log.append(stream, expected, facts).await?;
            if self.lose.swap(false, Ordering::SeqCst) {
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
        self.log.follow(after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        self.log.head()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}
