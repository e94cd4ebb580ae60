//! The one thread that writes: it takes what is waiting, commits it with one sync, then answers.

mod outcome;
mod replica;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use assay_store::log::{Appended, LogError};
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::batch::{Batch, Known, Stop, Taken, Wanted};
use crate::readers::Readers;
use crate::stats::{Counters, add};
use outcome::{End, commit_failed, failed, roll_back, run};

/// The most appends in one transaction.
pub(crate) const GROUP_APPENDS_MAX: usize = 1_024;
/// The most bytes in one transaction, but for the append that crosses the limit.
pub(crate) const GROUP_BYTES_MAX: usize = 1024 * 1024;

pub(crate) type Answer<T = Appended> = Result<T, LogError>;

/// What the thread is asked for, and how many bytes of the queue it takes.
pub(crate) struct Request {
    pub(crate) bytes: usize,
    pub(crate) what: What,
}

/// What can be asked for, and where the answer goes.
pub(crate) enum What {
    /// An append, which shares its transaction with those that wait beside it.
    Append(Waiting),
    /// Appends of which one comes after the other; the first that is refused ends them.
    InOrder(Vec<Wanted>, oneshot::Sender<Answer<Vec<Appended>>>),
    /// Facts of a log elsewhere.
    Take(Taken, oneshot::Sender<Answer<u64>>),
    /// Becoming the copy of a log elsewhere.
    Adopt(Uuid, oneshot::Sender<Answer<()>>),
}

/// An append that waits.
pub(crate) struct Waiting {
    pub(crate) wanted: Wanted,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// All that the thread owns.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) known: Known,
    pub(crate) readers: Arc<Readers>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) queued_bytes: Arc<AtomicUsize>,
    pub(crate) watch: watch::Sender<u64>,
    /// Wakes the checkpointer; a full channel means that it is awake already.
    pub(crate) written: Option<SyncSender<()>>,
}

/// How the appends of a transaction stand to each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// One that is refused does not concern the others.
    None,
    /// One that is refused is the last.
    Strict,
}

impl Writer {
    /// Works until nobody can send any more, and gives the connection back to be closed last.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) -> Connection {
        let mut held = None;
        while let Some(first) = held.take().or_else(|| requests.recv().ok()) {
            self.queued_bytes.fetch_sub(first.bytes, Ordering::Relaxed);
            match first.what {
                What::Append(waiting) => {
                    let (group, next) = self.gather(waiting, first.bytes, requests);
                    held = next;
                    self.serve(group);
                }
                What::InOrder(wanted, answer) => self.serve_in_order(&wanted, answer),
                What::Take(taken, answer) => self.serve_take(&taken, answer),
                What::Adopt(log, answer) => self.serve_adopt(log, answer),
            }
        }
        self.connection
    }

    /// The appends that wait behind one, and what came after them.
    fn gather(
        &self,
        first: Waiting,
        mut bytes: usize,
        requests: &Receiver<Request>,
    ) -> (Vec<Waiting>, Option<Request>) {
        let mut group = vec![first];
        while group.len() < GROUP_APPENDS_MAX && bytes < GROUP_BYTES_MAX {
            // No waiting for more: what came in during the last commit is the natural group.
            let Ok(next) = requests.try_recv() else { break };
            match next {
                Request { bytes: more, what: What::Append(waiting) } => {
                    self.queued_bytes.fetch_sub(more, Ordering::Relaxed);
                    bytes += more;
                    group.push(waiting);
                }
                other => return (group, Some(other)),
            }
        }
        (group, None)
    }

    fn serve(&mut self, group: Vec<Waiting>) {
        let before = self.known.tip.position;
        let (wanted, senders): (Vec<Wanted>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.wanted, waiting.answer)).unzip();
        add(&self.counters.groups, 1);
        let answers = self.commit_once(&wanted, Order::None);
        self.publish(before, || {
            for (sender, answer) in senders.into_iter().zip(answers) {
                // Whoever went away does not need the answer.
                let _gone = sender.send(answer);
            }
        });
    }

    fn serve_in_order(
        &mut self,
        wanted: &[Wanted],
        sender: oneshot::Sender<Answer<Vec<Appended>>>,
    ) {
        let before = self.known.tip.position;
        add(&self.counters.groups, 1);
        let answers = self.commit_once(wanted, Order::Strict).into_iter().collect();
        self.publish(before, || drop(sender.send(answers)));
    }

    /// Makes what was committed seen: first to readers, then to who asked, then to who follows.
    fn publish(&self, before: u64, answer: impl FnOnce()) {
        let position = self.known.tip.position;
        self.readers.head.store(position, Ordering::Release);
        answer();
        if position > before {
            self.wake();
        }
    }

    fn wake(&self) {
        self.watch.send_replace(self.known.tip.position);
        if let Some(written) = &self.written {
            let _awake = written.try_send(());
        }
    }

    /// The answers to appends, of each its own; in strict order none after the first refusal.
    fn commit_once(&mut self, wanted: &[Wanted], order: Order) -> Vec<Answer> {
        let refused = |error: LogError| wanted.iter().map(|_| Err(error.clone())).collect();
        if self.counters.read_only.load(Ordering::Relaxed) {
            return refused(LogError::Unavailable { outcome_unknown: false });
        }
        if self.readers.origin.now().is_copy {
            return refused(LogError::Denied);
        }
        let mut done = self.transaction(|batch| append_all(batch, wanted, order, false));
        if matches!(done, Err(End::Again)) {
            add(&self.counters.redone, 1);
            done = self.transaction(|batch| append_all(batch, wanted, order, true));
        }
        match done {
            Ok((answers, wrote)) => {
                add(&self.counters.appends, wrote);
                add(&self.counters.unwritten, answers.len() - wrote);
                answers
            }
            Err(end) => refused(end.error()),
        }
    }

    /// Works inside one transaction, and commits it if anything was written. Any stop of the work
    /// takes all of it back.
    fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, Stop>,
    ) -> Result<T, End> {
        let Self { connection, known, counters, readers, .. } = self;
        let connection = &*connection;
        run(connection, "BEGIN IMMEDIATE").map_err(|error| failed(counters, &error))?;
        let mut batch = Batch::new(connection, known);
        let worked = work(&mut batch).and_then(|done| {
            batch.seal()?;
            Ok(done)
        });
        let done = worked.map_err(|stop| {
            let end = match stop {
                Stop::Refused(error) => End::Refused(error),
                Stop::Broken => End::Again,
                Stop::Failed(error) => failed(counters, &error),
            };
            roll_back(connection, counters);
            end
        })?;
        if !batch.changes.wrote {
            roll_back(connection, counters);
            return Ok(done);
        }
        if let Err(error) = run(connection, "COMMIT") {
            let end = commit_failed(counters, &error);
            roll_back(connection, counters);
            return Err(end);
        }
        add(&counters.commits, 1);
        counters.facts.fetch_add(batch.facts(), Ordering::Relaxed);
        let changes = batch.changes;
        readers.tails.tell(changes.ends());
        known.learn(changes);
        Ok(done)
    }
}

/// The answers to the appends of a group, and how many of them wrote. With care, each append has a
/// savepoint to go back to, which costs copies of pages and is therefore not the rule.
fn append_all(
    batch: &mut Batch<'_>,
    wanted: &[Wanted],
    order: Order,
    careful: bool,
) -> Result<(Vec<Answer>, usize), Stop> {
    let mut answers: Vec<Answer> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let answer = if careful { with_care(batch, wanted) } else { batch.append(wanted) };
        match answer {
            Ok(appended) => answers.push(Ok(appended)),
            Err(Stop::Refused(error)) => {
                answers.push(Err(error));
                if order == Order::Strict {
                    break;
                }
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok((answers, batch.changes.appends))
}

/// Appends inside a savepoint, so that an append that breaks a rule takes only itself back.
fn with_care(batch: &mut Batch<'_>, wanted: &Wanted) -> Result<Appended, Stop> {
    let before = batch.changes.clone();
    run(batch.connection, "SAVEPOINT one").map_err(Stop::Failed)?;
    let answer = batch.append(wanted);
    let answer = match answer {
        Err(Stop::Broken) => {
            run(batch.connection, "ROLLBACK TO one").map_err(Stop::Failed)?;
            batch.changes = before;
            Err(Stop::Refused(LogError::Invalid("a fact's id is used elsewhere".to_owned())))
        }
        other => other,
    };
    run(batch.connection, "RELEASE one").map_err(Stop::Failed)?;
    answer
}

#[cfg(test)]
mod tests;
