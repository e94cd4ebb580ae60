//! The contract of replicas is worth something only if it notices: planted bugs each break it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use assay_ledger::Frontier;
use assay_store::contract::{self, MakeReplica};
use assay_store::fact::Recorded;
use assay_store::journal::{Entry, Journal};
use assay_store::log::{LogError, Token};
use assay_store::replica::Replica;
use assay_store_sqlite::{Options, SqliteLog};
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    BecomesTheCopyOfTwo,
    SaysYesToWhatDoesNotFollow,
    TakesFactsOneByOne,
    ForgetsPlacesWithoutFacts,
    CutsTimeToSeconds,
    TakesPositionsForTokens,
    HasReachedEverything,
    ReachesOneTooFar,
    ShowsPositionsAsTokens,
}

#[derive(Debug)]
struct Planted {
    log: SqliteLog,
    bug: Bug,
}

impl Planted {
    fn open(path: PathBuf, bug: Bug) -> Arc<Self> {
        let log = SqliteLog::open(path, Options::default()).unwrap();
        Arc::new(Self { log, bug })
    }

    async fn take(&self, mut facts: Vec<Recorded>, up_to: Token) -> Result<u64, LogError> {
        match self.bug {
            Bug::CutsTimeToSeconds => {
                for recorded in &mut facts {
                    let at = &mut recorded.fact.envelope.recorded_at;
                    *at -= *at % 1_000_000;
                }
            }
            Bug::TakesFactsOneByOne => {
                for recorded in facts {
                    let token = recorded.token;
                    self.log.take(vec![recorded], token).await?;
                }
                return self.log.take(Vec::new(), up_to).await;
            }
            Bug::ForgetsPlacesWithoutFacts if facts.is_empty() && up_to > Token(1) => {
                return Journal::head(&self.log);
            }
            _ => {}
        }
        let done = self.log.take(facts, up_to).await;
        match done {
            Err(LogError::Corrupt(_)) if self.bug == Bug::SaysYesToWhatDoesNotFollow => {
                Journal::head(&self.log)
            }
            done => done,
        }
    }
}

impl Replica for Planted {
    fn upstream(&self) -> Result<Option<Uuid>, LogError> {
        self.log.upstream()
    }

    fn adopt(&self, log: Uuid) -> BoxFuture<'_, Result<(), LogError>> {
        let forgiving = self.bug == Bug::BecomesTheCopyOfTwo;
        let adopted = self.log.adopt(log);
        adopted.map(move |done| if forgiving { Ok(()) } else { done }).boxed()
    }

    fn take(&self, facts: Vec<Recorded>, up_to: Token) -> BoxFuture<'_, Result<u64, LogError>> {
        self.take(facts, up_to).boxed()
    }

    fn token_of(&self, position: u64) -> Result<Option<Token>, LogError> {
        let token = self.log.token_of(position)?;
        let wrong = self.bug == Bug::TakesPositionsForTokens;
        Ok(token.map(|token| if wrong { Token(position) } else { token }))
    }

    fn followed(&self) -> Result<Option<Token>, LogError> {
        self.log.followed()
    }
}

impl Journal for Planted {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let mut entries = self.log.entries(after, limit)?;
        if self.bug == Bug::ShowsPositionsAsTokens {
            for entry in &mut entries {
                entry.recorded.token = Token(entry.position);
            }
        }
        Ok(entries)
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

    fn reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        let reached = self.log.reached(token)?;
        match self.bug {
            Bug::HasReachedEverything => Ok(reached.or(Some(Journal::head(&self.log)?))),
            Bug::ReachesOneTooFar => Ok(reached.map(|position| position + 1)),
            _ => Ok(reached),
        }
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        self.log.frontier()
    }
}

struct Files {
    directory: tempfile::TempDir,
    made: AtomicU32,
    bug: Bug,
}

impl MakeReplica for Files {
    type Replica = Planted;

    fn fresh(&self) -> BoxFuture<'_, Arc<Planted>> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.path().join(format!("{number}.db"));
        async move { Planted::open(path, self.bug) }.boxed()
    }

    fn reopen(&self, replica: Arc<Planted>) -> BoxFuture<'_, Arc<Planted>> {
        let path = replica.log.path().to_owned();
        drop(Arc::into_inner(replica).unwrap());
        async move { Planted::open(path, self.bug) }.boxed()
    }
}

/// What the contract says of a bug.
async fn broken(bug: Bug) -> String {
    let files = Files { directory: tempfile::tempdir().unwrap(), made: AtomicU32::new(0), bug };
    let broken = tokio::spawn(async move { contract::run_replica(&files).await }).await;
    let Err(error) = broken else { panic!("nobody noticed {bug:?}") };
    let panic = error.into_panic();
    let said = panic.downcast_ref::<String>().cloned();
    said.unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

#[tokio::test]
async fn every_planted_bug_is_noticed() {
    for (bug, wanted) in [
        (Bug::BecomesTheCopyOfTwo, "not of two"),
        (Bug::SaysYesToWhatDoesNotFollow, "a revision too far"),
        (Bug::TakesFactsOneByOne, "nothing was written"),
        (Bug::ForgetsPlacesWithoutFacts, "the place is kept"),
        (Bug::CutsTimeToSeconds, "the same entries"),
        (Bug::TakesPositionsForTokens, "Sparse"),
        (Bug::HasReachedEverything, "not before it is followed"),
        (Bug::ReachesOneTooFar, "the last one"),
        (Bug::ShowsPositionsAsTokens, "Sparse"),
    ] {
        let said = broken(bug).await;
        assert!(said.contains(wanted), "{bug:?}: the contract says: {said}");
    }
}
