//! The contract is worth something only if it notices: logs with a planted bug each break their promise.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may")]

use std::sync::Arc;

use assay_store::contract::{self, Make};
use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{
    Append, Appended, Direction, Expected, Followed, Log, LogError, Revision, Token,
};
use assay_store::memory::MemoryLog;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::{BoxStream, StreamExt as _};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    WritesHalfABatch,
    ForgetsWhoAskedBefore,
    IgnoresWhatIsExpected,
    KeepsSystemNames,
    ReadsOneTooMany,
    FollowsOutOfOrder,
    ResumesWithTheTokenItself,
    LosesAFactNowAndThen,
    HasNoLimits,
    CutsTimeToSeconds,
    GoesOnAfterAFailure,
    CarriesOrdersOutBackwards,
}

#[derive(Debug)]
struct Planted {
    log: MemoryLog,
    bug: Bug,
}

impl Planted {
    async fn append(
        &self,
        stream: &str,
        expected: Expected,
        mut facts: Vec<NewFact>,
    ) -> Result<Appended, LogError> {
        let mut expected = expected;
        match self.bug {
            Bug::CutsTimeToSeconds => {
                for fact in &mut facts {
                    fact.envelope.recorded_at -= fact.envelope.recorded_at % 1_000_000;
                }
            }
            Bug::WritesHalfABatch => {
                let first: Vec<NewFact> = facts.iter().take(1).cloned().collect();
                let whole = self.log.append(stream, expected, facts).await;
                if matches!(whole, Err(LogError::Conflict { .. })) {
                    self.log.append(stream, Expected::Any, first).await?;
                }
                return whole;
            }
            Bug::ForgetsWhoAskedBefore => {
                for fact in &mut facts {
                    fact.id = Uuid::from_u128(rand::random());
                }
            }
            Bug::IgnoresWhatIsExpected => expected = Expected::Any,
            Bug::KeepsSystemNames if stream.starts_with('$') => {
                return self.log.append("system", expected, facts).await;
            }
            Bug::HasNoLimits => {
                for fact in &mut facts {
                    fact.data.truncate(1_000);
                }
            }
            _ => {}
        }
        self.log.append(stream, expected, facts).await
    }
}

impl Log for Planted {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        self.append(stream, expected, facts).boxed()
    }

    fn append_in_order(
        &self,
        mut appends: Vec<Append>,
    ) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        async move {
            if self.bug == Bug::CarriesOrdersOutBackwards {
                // By streams, so that each append finds what it expects.
                appends.sort_by(|a, b| b.stream.cmp(&a.stream));
            }
            let (mut answers, mut failed) = (Vec::new(), None);
            for Append { stream, expected, facts } in appends {
                match self.append(&stream, expected, facts).await {
                    Ok(done) => answers.push(done),
                    Err(error) => failed = failed.or(Some(error)),
                }
                if failed.is_some() && self.bug != Bug::GoesOnAfterAFailure {
                    break;
                }
            }
            failed.map_or(Ok(answers), Err)
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
        let more = usize::from(self.bug == Bug::ReadsOneTooMany);
        self.log.read_stream(stream, from, direction, limit + more)
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        let number = |item: &Result<Followed, LogError>| match item {
            Ok(Followed::Fact(fact)) => fact.token.0,
            _ => 0,
        };
        match self.bug {
            Bug::FollowsOutOfOrder => {
                let pairs = self.log.follow(after).ready_chunks(2);
                pairs.flat_map(|pair| futures_util::stream::iter(pair.into_iter().rev())).boxed()
            }
            Bug::ResumesWithTheTokenItself => {
                let before = after.and_then(|token| token.0.checked_sub(1)).map(Token);
                self.log.follow(before).boxed()
            }
            Bug::LosesAFactNowAndThen => {
                self.log.follow(after).filter(move |item| ready(number(item) % 97 != 96)).boxed()
            }
            _ => self.log.follow(after),
        }
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        Log::head(&self.log)
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}

impl Make for Bug {
    type Log = Planted;

    fn fresh(&self) -> BoxFuture<'_, Arc<Planted>> {
        ready(Arc::new(Planted { log: MemoryLog::new(), bug: *self })).boxed()
    }

    fn reopen(&self, log: Arc<Planted>) -> BoxFuture<'_, Arc<Planted>> {
        ready(log).boxed()
    }
}

/// What the contract says of a bug. The clock is paused: where everybody waits, time jumps ahead.
async fn broken(bug: Bug) -> String {
    let broken = tokio::spawn(async move { contract::run(&bug).await }).await;
    let Err(error) = broken else { panic!("nobody noticed {bug:?}") };
    let panic = error.into_panic();
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[tokio::test(start_paused = true)]
async fn every_planted_bug_is_noticed() {
    for (bug, promise) in [
        (Bug::WritesHalfABatch, "L1"),
        (Bug::LosesAFactNowAndThen, "L3"),
        (Bug::FollowsOutOfOrder, "L3"),
        (Bug::IgnoresWhatIsExpected, "L1"),
        (Bug::ForgetsWhoAskedBefore, "L1"),
        (Bug::KeepsSystemNames, "L8"),
        (Bug::ReadsOneTooMany, "L9"),
        (Bug::ResumesWithTheTokenItself, "L11"),
        (Bug::HasNoLimits, "L14"),
        (Bug::CutsTimeToSeconds, "L1"),
        (Bug::GoesOnAfterAFailure, "L19"),
        (Bug::CarriesOrdersOutBackwards, "L19"),
    ] {
        let said = broken(bug).await;
        let mut words = said.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(
            words.any(|word| word == promise),
            "{bug:?} breaks {promise} but the contract says: {said}"
        );
    }
}
