//! What becomes of a group of appends.

use std::sync::atomic::{AtomicBool, AtomicU64};

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::journal::Journal as _;
use assay_store::log::{Direction, Expected, Token};
use uuid::Uuid;

use super::*;
use crate::batch::Tip;
use crate::origin;
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
    let readers = Readers {
        pool,
        head: AtomicU64::new(0),
        watch: watched,
        tails: Tails::new(),
        origin: origin::Known::new(origin::read(&connection, 0).unwrap()),
    };
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
            (Waiting { wanted, answer }, answered)
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

fn recorded(number: u128, token: u64) -> Recorded {
    let stream = format!("s{number}");
    Recorded { stream, revision: 0, token: Token(token), fact: fact(number) }
}

fn take(writer: &mut Writer, facts: Vec<Recorded>, up_to: u64) -> Answer<u64> {
    let (answer, mut answered) = oneshot::channel();
    writer.serve_take(&Taken { facts, up_to: Token(up_to) }, answer);
    answered.try_recv().unwrap()
}

#[test]
fn a_failed_commit_of_what_was_taken_is_unknown_and_nothing_of_it_is_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = writer(&directory);
    let (answer, mut answered) = oneshot::channel();
    writer.serve_adopt(Uuid::from_u128(7), answer);
    assert_eq!(answered.try_recv().unwrap(), Ok(()));
    assert_eq!(take(&mut writer, vec![recorded(1, 1)], 1), Ok(1));

    writer.connection.commit_hook(Some(|| true)).unwrap();
    let unknown = |outcome_unknown| Err(LogError::Unavailable { outcome_unknown });
    assert_eq!(take(&mut writer, vec![recorded(2, 900)], 900), unknown(true));
    assert_eq!(writer.known.tip.position, 1);
    assert_eq!(writer.readers.origin.now().followed, Some(Token(1)));
    assert_eq!(writer.readers.reached(Token(1)), Ok(Some(1)), "and reading goes on");
    writer.connection.commit_hook(None::<fn() -> bool>).unwrap();
    assert_eq!(take(&mut writer, vec![recorded(2, 900)], 900), unknown(false), "read-only");
}

#[test]
fn a_refused_step_leaves_the_places_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = writer(&directory);
    let (answer, _) = oneshot::channel();
    writer.serve_adopt(Uuid::from_u128(7), answer);
    let refused = take(&mut writer, vec![recorded(1, 50), recorded(1, 60)], 60);
    assert!(matches!(refused, Err(LogError::Corrupt(_))), "{refused:?}");
    assert_eq!(writer.readers.origin.now().apart_from, u64::MAX);
    let facts = vec![recorded(1, 1), recorded(2, 2)];
    assert_eq!(take(&mut writer, facts, 70), Ok(2));
    for (token, wanted) in [(1, Some(1)), (2, Some(2)), (3, Some(2)), (70, Some(2)), (71, None)] {
        assert_eq!(writer.readers.reached(Token(token)), Ok(wanted), "{token}");
    }
}
