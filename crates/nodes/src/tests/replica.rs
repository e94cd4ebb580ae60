//! A replica in memory whose disk can be full and whose answers can get lost.

use std::sync::{Arc, Mutex, MutexGuard};

use assay_ledger::Frontier;
use assay_store::fact::Recorded;
use assay_store::journal::{Entry, Journal};
use assay_store::log::{Expected, Log, LogError, Token};
use assay_store::memory::MemoryLog;
use assay_store::replica::Replica;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::watch;
use uuid::Uuid;

/// What goes wrong.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Every so manieth batch is taken, and the answer says it was not.
    pub(super) loses_every: Option<usize>,
    /// There is no room left.
    pub(super) full: bool,
    /// A batch is on its way until this is let go.
    pub(super) hold: Option<Arc<tokio::sync::Semaphore>>,
}

#[derive(Debug, Default)]
struct Kept {
    upstream: Option<Uuid>,
    tokens: Vec<Token>,
    followed: Option<Token>,
    /// How many facts each batch had.
    batches: Vec<usize>,
}

#[derive(Debug, Default)]
pub(super) struct MemoryReplica {
    journal: MemoryLog,
    kept: Mutex<Kept>,
    faults: Mutex<Faults>,
}

impl MemoryReplica {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A journal that is a log of its own.
    pub(super) fn of_its_own(journal: MemoryLog) -> Arc<Self> {
        Arc::new(Self { journal, ..Self::default() })
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    pub(super) fn batches(&self) -> Vec<usize> {
        self.kept().batches.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    fn as_upstream(&self, mut entry: Entry) -> Entry {
        if let Ok(Some(token)) = self.token_of(entry.position) {
            entry.recorded.token = token;
        }
        entry
    }

    async fn take_all(&self, facts: Vec<Recorded>, up_to: Token) -> Result<u64, LogError> {
        let hold = self.faults().hold.clone();
        if let Some(hold) = hold {
            hold.acquire().await.unwrap().forget();
        }
        if self.faults().full {
            return Err(LogError::Full);
        }
        let corrupt = |what: &str| Err(LogError::Corrupt(what.to_owned()));
        let before = self.kept().followed;
        if facts.iter().map(|f| Some(f.token)).any(|token| token <= before || token > Some(up_to)) {
            return corrupt("a token that does not follow");
        }
        if Some(up_to) < before {
            return corrupt("a place that goes back");
        }
        if self.kept().upstream.is_none() {
            return Err(LogError::Denied);
        }
        let in_order = facts.is_sorted_by(|one, next| one.token < next.token);
        let ids: std::collections::HashSet<Uuid> = facts.iter().map(|f| f.fact.id).collect();
        if !in_order || ids.len() < facts.len() {
            return corrupt("facts that do not follow each other");
        }
        if facts.iter().any(|f| matches!(self.journal.locate(f.fact.id), Ok(Some(_)))) {
            return corrupt("an id that is known");
        }
        let count = facts.len();
        let mut next = std::collections::HashMap::new();
        for recorded in &facts {
            let stream = recorded.stream.as_str();
            if !next.contains_key(stream) {
                let read = self
                    .journal
                    .read_stream(stream, u64::MAX, assay_store::log::Direction::Backward, 1)
                    .await;
                let last = read.ok().and_then(|facts| facts.first().map(|fact| fact.revision));
                next.insert(stream, last.map_or(0, |last| last + 1));
            }
            let revision = next.get_mut(stream).unwrap();
            if *revision != recorded.revision {
                return corrupt("a fact that is not the next of its stream");
            }
            *revision += 1;
        }
        for recorded in facts {
            let expected = match recorded.revision.checked_sub(1) {
                None => Expected::NoStream,
                Some(before) => Expected::Exact(before),
            };
            self.kept().tokens.push(recorded.token);
            let facts = vec![recorded.fact];
            self.journal.append(&recorded.stream, expected, facts).await.unwrap();
        }
        let mut kept = self.kept();
        kept.followed = Some(up_to);
        kept.batches.push(count);
        let lost = self.faults().loses_every.is_some_and(|n| kept.batches.len().is_multiple_of(n));
        if lost {
            return Err(LogError::Unavailable { outcome_unknown: true });
        }
        Journal::head(&self.journal)
    }
}

impl Journal for MemoryReplica {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let entries = self.journal.entries(after, limit)?;
        Ok(entries.into_iter().map(|entry| self.as_upstream(entry)).collect())
    }

    fn head(&self) -> Result<u64, LogError> {
        Journal::head(&self.journal)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.journal.watch()
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        Ok(self.journal.locate(fact)?.map(|entry| self.as_upstream(entry)))
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        self.journal.position_at(recorded_at)
    }

    fn reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        let kept = self.kept();
        let before = kept.tokens.partition_point(|known| *known < token);
        let entries = u64::try_from(before).unwrap();
        let all = u64::try_from(kept.tokens.len()).unwrap();
        Ok((kept.followed >= Some(token)).then_some((entries + 1).min(all)))
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        self.journal.frontier()
    }
}

impl Replica for MemoryReplica {
    fn upstream(&self) -> Result<Option<Uuid>, LogError> {
        Ok(self.kept().upstream)
    }

    fn adopt(&self, log: Uuid) -> BoxFuture<'_, Result<(), LogError>> {
        let own = self.kept().upstream.is_none() && Journal::head(&self.journal) != Ok(0);
        let mut kept = self.kept();
        let same = *kept.upstream.get_or_insert(if own { Uuid::nil() } else { log }) == log;
        if own {
            kept.upstream = None;
        }
        let refused = || LogError::Invalid("this journal is no copy of that log".to_owned());
        std::future::ready(if same { Ok(()) } else { Err(refused()) }).boxed()
    }

    fn take(&self, facts: Vec<Recorded>, up_to: Token) -> BoxFuture<'_, Result<u64, LogError>> {
        self.take_all(facts, up_to).boxed()
    }

    fn token_of(&self, position: u64) -> Result<Option<Token>, LogError> {
        let index = position.checked_sub(1).and_then(|index| usize::try_from(index).ok());
        Ok(index.and_then(|index| self.kept().tokens.get(index).copied()))
    }

    fn followed(&self) -> Result<Option<Token>, LogError> {
        Ok(self.kept().followed)
    }
}

/// The double is a replica like any other.
struct Make;

impl assay_store::contract::MakeReplica for Make {
    type Replica = MemoryReplica;

    fn fresh(&self) -> BoxFuture<'_, Arc<MemoryReplica>> {
        std::future::ready(MemoryReplica::new()).boxed()
    }

    fn reopen(&self, replica: Arc<MemoryReplica>) -> BoxFuture<'_, Arc<MemoryReplica>> {
        std::future::ready(replica).boxed()
    }
}

#[tokio::test]
async fn the_replica_in_memory_keeps_the_contract() {
    assay_store::contract::run_replica(&Make).await;
}
