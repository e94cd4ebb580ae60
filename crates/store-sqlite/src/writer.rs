//! The one thread that writes: it takes what is waiting, commits it with one sync, then answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use assay_store::log::{Appended, LogError};
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{oneshot, watch};

use crate::batch::{Batch, Known, Stop, Wanted};
use crate::readers::Readers;
use crate::stats::{Counters, add};

/// The most appends in one transaction.
const GROUP_APPENDS_MAX: usize = 1_024;
/// The most bytes in one transaction, but for the append that crosses the limit.
const GROUP_BYTES_MAX: usize = 1024 * 1024;

pub(crate) type Answer = Result<Appended, LogError>;

/// An append that waits, and where its answer goes.
pub(crate) struct Request {
    pub(crate) wanted: Wanted,
    pub(crate) bytes: usize,
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

/// How a group ended without a commit.
enum End {
    /// Nothing of it was written, everybody gets this answer.
    Refused(LogError),
    /// One of the appends broke a rule of the database: do it again with care.
    Again,
}

impl Writer {
    /// Works until nobody can send any more, and gives the connection back to be closed last.
    pub(crate) fn run(mut self, requests: &Receiver<Request>) -> Connection {
        while let Ok(first) = requests.recv() {
            let mut bytes = first.bytes;
            let mut group = vec![first];
            while group.len() < GROUP_APPENDS_MAX && bytes < GROUP_BYTES_MAX {
                // No waiting for more: what came in during the last commit is the natural group.
                let Ok(next) = requests.try_recv() else { break };
                bytes += next.bytes;
                group.push(next);
            }
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.serve(group);
        }
        self.connection
    }

    fn serve(&mut self, group: Vec<Request>) {
        let before = self.known.tip.position;
        let (wanted, senders): (Vec<Wanted>, Vec<_>) =
            group.into_iter().map(|request| (request.wanted, request.answer)).unzip();
        add(&self.counters.groups, 1);
        let answers = self.commit_once(&wanted);
        let position = self.known.tip.position;
        self.readers.head.store(position, Ordering::Release);
        for (sender, answer) in senders.into_iter().zip(answers) {
            // Whoever went away does not need the answer.
            let _gone = sender.send(answer);
        }
        if position > before {
            self.watch.send_replace(position);
            if let Some(written) = &self.written {
                let _awake = written.try_send(());
            }
        }
    }

    fn commit_once(&mut self, wanted: &[Wanted]) -> Vec<Answer> {
        if self.counters.read_only.load(Ordering::Relaxed) {
            let refused = Err(LogError::Unavailable { outcome_unknown: false });
            return wanted.iter().map(|_| refused.clone()).collect();
        }
        let mut done = self.transaction(wanted, false);
        if matches!(done, Err(End::Again)) {
            add(&self.counters.redone, 1);
            done = self.transaction(wanted, true);
        }
        done.unwrap_or_else(|end| {
            let refused = match end {
                End::Refused(error) => error,
                // With care nobody asks for another time; if so, nothing was written.
                End::Again => LogError::Unavailable { outcome_unknown: false },
            };
            wanted.iter().map(|_| Err(refused.clone())).collect()
        })
    }

    /// One transaction over the whole group. With care, each append has a savepoint to go back to,
    /// which costs copies of pages and is therefore not the rule.
    fn transaction(&mut self, wanted: &[Wanted], careful: bool) -> Result<Vec<Answer>, End> {
        let Self { connection, known, counters, readers, .. } = self;
        let connection = &*connection;
        run(connection, "BEGIN IMMEDIATE").map_err(|error| failed(counters, &error))?;
        let mut batch = Batch::new(connection, known);
        let mut answers: Vec<Answer> = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let answer = if careful { with_care(&mut batch, wanted) } else { batch.append(wanted) };
            match answer {
                Ok(appended) => answers.push(Ok(appended)),
                Err(Stop::Refused(error)) => answers.push(Err(error)),
                Err(Stop::Broken) => {
                    roll_back(connection, counters);
                    return Err(End::Again);
                }
                Err(Stop::Failed(error)) => {
                    let end = failed(counters, &error);
                    roll_back(connection, counters);
                    return Err(end);
                }
            }
        }
        let facts = batch.changes.tip.position - batch.known.tip.position;
        if facts == 0 {
            roll_back(connection, counters);
            add(&counters.unwritten, wanted.len());
            return Ok(answers);
        }
        if let Err(error) = batch.seal() {
            let end = failed(counters, &error);
            roll_back(connection, counters);
            return Err(end);
        }
        if let Err(error) = run(connection, "COMMIT") {
            let end = commit_failed(counters, &error);
            roll_back(connection, counters);
            return Err(end);
        }
        let changes = batch.changes;
        add(&counters.commits, 1);
        add(&counters.appends, changes.appends);
        add(&counters.unwritten, wanted.len() - changes.appends);
        counters.facts.fetch_add(facts, Ordering::Relaxed);
        readers.tails.tell(changes.ends());
        known.learn(changes);
        Ok(answers)
    }
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

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn roll_back(connection: &Connection, counters: &Counters) {
    // Some errors have rolled back already.
    if !connection.is_autocommit()
        && let Err(error) = run(connection, "ROLLBACK")
    {
        read_only(counters, &error);
    }
}

/// An error before the commit: nothing was written, and who asked hears so.
fn failed(counters: &Counters, error: &rusqlite::Error) -> End {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            tracing::error!("the disk is full: nothing is written until there is room");
            return End::Refused(LogError::Full);
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            tracing::warn!(%error, "another process holds the journal");
        }
        _ => read_only(counters, error),
    }
    End::Refused(LogError::Unavailable { outcome_unknown: false })
}

/// An error of the commit itself. Unless SQLite says that there was no room, or that it never
/// began, the transaction may be on the disk all the same: its outcome is unknown, and the next
/// sync could succeed without it. So nothing is written any more until somebody has looked.
fn commit_failed(counters: &Counters, error: &rusqlite::Error) -> End {
    let code = error.sqlite_error_code();
    if matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy)) {
        return failed(counters, error);
    }
    read_only(counters, error);
    End::Refused(LogError::Unavailable { outcome_unknown: true })
}

fn read_only(counters: &Counters, error: &rusqlite::Error) {
    counters.read_only.store(true, Ordering::Relaxed);
    tracing::error!(%error, "the journal is read-only now: writing failed, restart after checking");
}

#[cfg(test)]
mod tests {

    use std::sync::atomic::{AtomicBool, AtomicU64};

    use assay_store::fact::{ActorKind, Envelope, NewFact};
    use assay_store::journal::Journal as _;
    use assay_store::log::{Direction, Expected};
    use uuid::Uuid;

    use super::*;
    use crate::batch::Tip;
    use crate::readers::{Pool, Tails};

    fn fact(number: u128) -> NewFact {
        let id = Uuid::from_u128(number);
        let envelope = Envelope {
            recorded_at: 1,
            actor: id,
            actor_kind: ActorKind::Person,
            on_behalf_of: None,
            session: None,
            command: id,
            causation: None,
            correlation: id,
            case: None,
            request_mac: None,
        };
        NewFact { id, name: "n.v1".to_owned(), envelope, data: "{}".into() }
    }

    /// A writer without its thread, so that a test decides what makes a group.
    fn writer(directory: &tempfile::TempDir) -> Writer {
        let path = directory.path().join("journal.db");
        let mut connection = crate::connection::for_writing(&path).unwrap();
        crate::schema::migrate(&mut connection).unwrap();
        let (watch, watched) = watch::channel(0);
        let pool = Pool::open(&path).unwrap();
        let readers =
            Readers { pool, head: AtomicU64::new(0), watch: watched, tails: Tails::new() };
        Writer {
            connection,
            known: Known::new(Tip::default()),
            readers: Arc::new(readers),
            counters: Arc::default(),
            queued_bytes: Arc::default(),
            watch,
            written: None,
        }
    }

    fn serve(writer: &mut Writer, group: &[(&str, Expected, &[u128])]) -> Vec<Answer> {
        let (requests, mut answers): (Vec<_>, Vec<_>) = group
            .iter()
            .map(|(stream, expected, ids)| {
                let facts = ids.iter().map(|id| fact(*id)).collect();
                let (answer, answered) = oneshot::channel();
                let wanted = Wanted { stream: (*stream).to_owned(), expected: *expected, facts };
                (Request { wanted, bytes: 0, answer }, answered)
            })
            .unzip();
        writer.serve(requests);
        answers.iter_mut().map(|answered| answered.try_recv().unwrap()).collect()
    }

    #[test]
    fn a_refused_append_does_not_spoil_its_neighbours() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(&directory);
        let new = Expected::NoStream;
        let answers = serve(
            &mut writer,
            &[
                ("a", new, &[1, 2]),
                ("a", new, &[3]),                // a conflict with its neighbour
                ("b", new, &[4, 1]),             // an id of its neighbour, after a new one
                ("b", new, &[5]),                // so `b` is still new
                ("a", Expected::Exact(1), &[6]), // on top of the first
                ("c", new, &[7, 7]),             // the same id twice
                ("a", new, &[1, 2]),             // the first, asked again
                ("d", Expected::Exact(0), &[8]), // no such stream
                ("e", Expected::Any, &[9]),
            ],
        );
        let last = |n: usize| answers[n].clone().map(|done| (done.last, done.token.0));
        let conflict = |current| Err(LogError::Conflict { current });
        assert_eq!(last(0), Ok((1, 2)));
        assert_eq!(last(1), conflict(Some(1)));
        assert!(matches!(last(2), Err(LogError::Invalid(_))));
        assert_eq!(last(3), Ok((0, 3)));
        assert_eq!(last(4), Ok((2, 4)));
        assert!(matches!(last(5), Err(LogError::Invalid(_))));
        assert_eq!(answers[6], answers[0]);
        assert_eq!(last(7), conflict(None));
        assert_eq!(last(8), Ok((0, 5)), "positions have no gaps");

        let stats = writer.counters.snapshot();
        assert_eq!((stats.commits, stats.groups, stats.redone), (1, 1, 1));
        assert_eq!((stats.appends, stats.facts, stats.unwritten), (4, 5, 5));
        let entries = writer.readers.entries(0, 100).unwrap();
        let ids = entries.iter().map(|entry| entry.recorded.fact.id.as_u128());
        assert_eq!(ids.collect::<Vec<_>>(), [1, 2, 5, 6, 9]);
        let again = serve(&mut writer, &[("c", new, &[7])]);
        assert_eq!(again[0].as_ref().unwrap().last, 0, "what was refused left no trace");
    }

    #[test]
    fn a_failed_commit_is_unknown_and_nothing_is_written_after_it() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(&directory);
        serve(&mut writer, &[("a", Expected::NoStream, &[1])])[0].as_ref().unwrap();

        let fails = Arc::new(AtomicBool::new(true));
        let hook = {
            let fails = fails.clone();
            move || fails.load(Ordering::SeqCst)
        };
        writer.connection.commit_hook(Some(hook)).unwrap();
        let unknown = |outcome_unknown| Err(LogError::Unavailable { outcome_unknown });
        let group: &[(&str, Expected, &[u128])] =
            &[("a", Expected::Exact(0), &[2]), ("a", Expected::NoStream, &[3])];
        assert_eq!(serve(&mut writer, group), [unknown(true), unknown(true)], "also a conflict");
        assert_eq!(writer.known.tip.position, 1, "nothing of it is remembered");
        assert!(writer.counters.snapshot().read_only);

        fails.store(false, Ordering::SeqCst);
        let later = serve(&mut writer, &[("a", Expected::Exact(0), &[2])]);
        assert_eq!(later, [unknown(false)], "it stays read-only");
        let there = writer.readers.read_stream("a", 0, Direction::Forward, 10).unwrap();
        assert_eq!(there.len(), 1, "and reading goes on");
    }

    #[test]
    fn conflicts_alone_cost_no_commit() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = writer(&directory);
        let answers = serve(&mut writer, &[("a", Expected::Exact(3), &[1])]);
        assert_eq!(answers, [Err(LogError::Conflict { current: None })]);
        assert_eq!(writer.counters.snapshot().commits, 0);
    }
}
