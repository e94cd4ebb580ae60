//! The log and the journal without a disk: for tests, which need no mocks because of it.

mod vault;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use assay_ledger::Frontier;
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use uuid::Uuid;

use crate::fact::{NewFact, Recorded};
use crate::journal::{Entry, Journal};
use crate::leaf::leaf_of;
use crate::log::{
    Appended, Committed, Direction, Expected, Followed, Log, LogError, Revision, Token,
    check_append, check_name, next_revision,
};

pub use vault::MemoryVault;

/// A log that is its own journal and is gone when dropped. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryLog {
    shared: Arc<Shared>,
}

struct Shared {
    log_id: Uuid,
    kept: RwLock<Kept>,
    watch: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    entries: Vec<Entry>,
    /// The index of every fact of a stream in `entries`, by revision.
    streams: HashMap<String, Vec<usize>>,
    ids: HashMap<Uuid, usize>,
    frontier: Frontier,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log with a random id.
    pub fn new() -> Self {
        Self::with_id(uuid::Builder::from_random_bytes(rand::random()).into_uuid())
    }

    /// An empty log with an id of the caller's choice.
    pub fn with_id(log_id: Uuid) -> Self {
        let (watch, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { log_id, kept: RwLock::default(), watch }) }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log {} with {} entries in memory", self.log_id, self.read().entries.len())
    }
}

impl Shared {
    // A panic of another thread leaves whole entries only: each append is checked before it writes.
    fn read(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Kept> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn append(
        &self,
        stream: &str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> Result<Appended, LogError> {
        check_append(stream, &facts)?;
        let mut kept = self.write();
        let answer = kept.append(stream, expected, facts)?;
        let head = number(kept.entries.len());
        drop(kept);
        // Two appends may arrive here in the other order: the watch never goes back.
        self.watch.send_if_modified(|seen| {
            let forward = head > *seen;
            *seen = head.max(*seen);
            forward
        });
        Ok(answer)
    }

    fn read_stream(
        &self,
        stream: &str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<Recorded>, LogError> {
        check_name(stream)?;
        let kept = self.read();
        let facts = kept.streams.get(stream).ok_or(LogError::StreamNotFound)?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let recorded = |index: &usize| kept.entries.get(*index).map(|entry| entry.recorded.clone());
        Ok(match direction {
            Direction::Forward => {
                facts.iter().skip(from).take(limit).filter_map(recorded).collect()
            }
            Direction::Backward => {
                let upto = facts.get(..=from.min(facts.len() - 1)).unwrap_or_default();
                upto.iter().rev().take(limit).filter_map(recorded).collect()
            }
        })
    }
}

impl Kept {
    fn append(
        &mut self,
        stream: &str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> Result<Appended, LogError> {
        let known = self.streams.get(stream);
        let current = known.and_then(|facts| number(facts.len()).checked_sub(1));
        let first = expected.first_revision(current);
        if first != next_revision(current) {
            return self.asked_again(stream, first, &facts).ok_or(LogError::Conflict { current });
        }
        let repeated = facts.iter().enumerate().any(|(n, fact)| {
            self.ids.contains_key(&fact.id) || facts.iter().skip(n + 1).any(|f| f.id == fact.id)
        });
        if repeated {
            return Err(LogError::Invalid("a fact's id is used elsewhere".to_owned()));
        }
        let entries: Vec<Entry> = facts
            .into_iter()
            .zip(first..)
            .map(|(fact, revision)| self.push(stream, revision, fact))
            .collect();
        Ok(answer(&entries))
    }

    fn push(&mut self, stream: &str, revision: Revision, mut fact: NewFact) -> Entry {
        // The clock may go back; the order of what was recorded does not (see `SqliteLog`).
        let last = self.entries.last().map(|entry| entry.recorded.fact.envelope.recorded_at);
        let recorded_at = fact.envelope.recorded_at.max(last.unwrap_or(i64::MIN));
        fact.envelope.recorded_at = recorded_at;
        let index = self.entries.len();
        let position = number(index) + 1;
        let leaf_hash = leaf_of(position, stream, revision, &fact);
        self.frontier.append(leaf_hash);
        self.ids.insert(fact.id, index);
        self.streams.entry(stream.to_owned()).or_default().push(index);
        let token = Token(position);
        let recorded = Recorded { stream: stream.to_owned(), revision, token, fact };
        let entry = Entry { position, leaf_hash, recorded };
        self.entries.push(entry.clone());
        entry
    }

    /// The answer given before, if exactly these facts stand there already.
    fn asked_again(&self, stream: &str, first: Revision, facts: &[NewFact]) -> Option<Appended> {
        let first = usize::try_from(first).ok()?;
        let there = self.streams.get(stream)?.get(first..first.checked_add(facts.len())?)?;
        let there: Vec<Entry> =
            there.iter().filter_map(|index| self.entries.get(*index).cloned()).collect();
        let same = there.iter().map(|entry| entry.recorded.fact.id).eq(facts.iter().map(|f| f.id));
        same.then(|| answer(&there))
    }
}

/// The answer to an append of at least one fact.
fn answer(entries: &[Entry]) -> Appended {
    let last = entries.last();
    Appended {
        last: last.map_or(0, |entry| entry.recorded.revision),
        token: Token(last.map_or(0, |entry| entry.position)),
        committed: entries
            .iter()
            .map(|entry| Committed { position: entry.position, leaf_hash: entry.leaf_hash })
            .collect(),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Journal for Shared {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.read().entries.iter().skip(after).take(limit).cloned().collect())
    }

    fn head(&self) -> Result<u64, LogError> {
        Ok(number(self.read().entries.len()))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.watch.subscribe()
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        let kept = self.read();
        Ok(kept.ids.get(&fact).and_then(|index| kept.entries.get(*index)).cloned())
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        let until = |entry: &Entry| entry.recorded.fact.envelope.recorded_at <= recorded_at;
        Ok(number(self.read().entries.partition_point(until)))
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        Ok(self.read().frontier.clone())
    }
}

impl Journal for MemoryLog {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.shared.entries(after, limit)
    }

    fn head(&self) -> Result<u64, LogError> {
        Journal::head(&*self.shared)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.shared.watch()
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        self.shared.locate(fact)
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        self.shared.position_at(recorded_at)
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        self.shared.frontier()
    }
}

impl Log for MemoryLog {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move { self.shared.append(stream, expected, facts) }.boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        async move { self.shared.read_stream(stream, from, direction, limit) }.boxed()
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        crate::follow::follow(self.shared.clone(), after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        let head = number(self.shared.read().entries.len());
        ready(Ok((head > 0).then_some(Token(head)))).boxed()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        ready(Ok(self.shared.log_id)).boxed()
    }
}
