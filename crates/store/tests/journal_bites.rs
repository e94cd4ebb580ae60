//! The journal's contract notices too: journals with a planted bug in their leaves each break it.
#![expect(clippy::unwrap_used, reason = "tests may")]

use assay_ledger::Frontier;
use assay_store::contract;
use assay_store::fact::{NewFact, Recorded};
use assay_store::journal::{Entry, Journal};
use assay_store::leaf::LeafHash;
use assay_store::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};
use assay_store::memory::MemoryLog;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
enum Bug {
    StartsAtThePlaceItself,
    GivesOneTooMany,
    StopsEarly,
    MistakesOne,
    GoesBackToTheStartPastTheEnd,
    AlwaysGivesOne,
}

#[derive(Debug)]
struct Planted {
    log: MemoryLog,
    bug: Bug,
}

impl Journal for Planted {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.log.entries(after, limit)
    }

    fn leaves(&self, after: u64, limit: usize) -> Result<Vec<LeafHash>, LogError> {
        match self.bug {
            Bug::StartsAtThePlaceItself => self.log.leaves(after.saturating_sub(1), limit),
            Bug::GivesOneTooMany => self.log.leaves(after, limit + 1),
            Bug::StopsEarly => self
                .log
                .leaves(after, limit.min(usize::try_from(150_u64.saturating_sub(after)).unwrap())),
            Bug::MistakesOne => {
                let mut leaves = self.log.leaves(after, limit)?;
                if let (true, Some(first)) = (after > 0, leaves.first_mut()) {
                    first[31] ^= 1;
                }
                Ok(leaves)
            }
            Bug::GoesBackToTheStartPastTheEnd => {
                let head = Journal::head(&self.log)?;
                self.log.leaves(if after > head { 0 } else { after }, limit)
            }
            Bug::AlwaysGivesOne => self.log.leaves(after, limit.max(1)),
        }
    }

    fn head(&self) -> Result<u64, LogError> {
        Journal::head(&self.log)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.log.watch()
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        self.log.locate(fact)
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        self.log.position_at(recorded_at)
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        self.log.frontier()
    }
}

impl Log for Planted {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        self.log.append(stream, expected, facts)
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
        Log::head(&self.log)
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}

#[tokio::test]
async fn every_bug_planted_in_the_leaves_is_noticed() {
    for bug in [
        Bug::StartsAtThePlaceItself,
        Bug::GivesOneTooMany,
        Bug::StopsEarly,
        Bug::MistakesOne,
        Bug::GoesBackToTheStartPastTheEnd,
        Bug::AlwaysGivesOne,
    ] {
        let planted = Planted { log: MemoryLog::new(), bug };
        let broken = tokio::spawn(async move { contract::run_journal(&planted).await }).await;
        let Err(error) = broken else { panic!("nobody noticed {bug:?}") };
        let panic = error.into_panic();
        let said = panic
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned());
        assert!(said.contains("leaves"), "{bug:?}: the contract says: {said}");
    }
}
