//! Failing over under load: nothing acknowledged is lost or doubled, nothing refused appears, all is in one order.
//!
//! Two nodes write through handles of their own while the primary is killed (or hangs) and its
//! synchronous standby is promoted. The writers note outside what each append was answered; in the
//! end the new primary is read and compared with the notes. `ASSAY_FAULTS=long` does it for longer.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::leaf::leaf_of;
use assay_store::log::{Appended, Direction, Expected, Followed, Log as _, LogError, Token};
use assay_store_postgres::{Options, PostgresLog, prepare};
use assay_testing_postgres::Pair;
use futures_util::stream::StreamExt as _;
use tokio::task::{JoinHandle, block_in_place};
use uuid::Uuid;

/// Writers, half of them at each of two nodes.
const WRITERS: usize = 12;
/// How long anything may take before the test fails.
const LIMIT: Duration = Duration::from_mins(2);
/// How long a writer or follower that was turned away leaves the log alone.
const REST: Duration = Duration::from_millis(20);
/// A page of a stream.
const PAGE: usize = 500;

/// How the primary is lost.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `SIGKILL` to all its processes.
    Killed,
    /// The same, and nobody promotes the standby until writers have been turned away.
    GoneForLong,
    /// It answers nothing any more, and its connections stay open. Later it wakes up and believes
    /// that it is the primary still.
    Hangs,
    /// Not the primary but the standby answers nothing, and nobody takes over.
    StandbyHangs,
}

/// One append of one writer, as it looks from outside.
struct Asked {
    stream: String,
    expected: Expected,
    facts: Vec<NewFact>,
    outcome: Outcome,
}

enum Outcome {
    /// Acknowledged, at this time.
    Ok(Appended, Instant),
    /// It may have happened, and was not asked again because the test was over.
    Unknown,
    /// Turned away, never asked again: it must not be there.
    Failed,
}

/// What all writers share.
#[derive(Default)]
struct Run {
    over: AtomicBool,
    /// A writer or a follower found something wrong, and said what.
    is_broken: AtomicBool,
    acknowledged: Vec<AtomicU64>,
    answers_unknown: AtomicU64,
    answers_away: AtomicU64,
}

/// Held by every writer and follower: one that panics ends the whole story at once.
struct Alarm(Arc<Run>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.is_broken.fetch_or(std::thread::panicking(), Ordering::SeqCst);
    }
}

impl Run {
    fn total(&self) -> u64 {
        self.acknowledged.iter().map(|writer| writer.load(Ordering::SeqCst)).sum()
    }
}

fn fact(writer: usize, n: u64) -> NewFact {
    let id = Uuid::from_u128((u128::try_from(writer).unwrap() + 1) << 64 | u128::from(n));
    let envelope = Envelope {
        recorded_at: 1_700_000_000_000_000 + i64::try_from(n).unwrap(),
        actor: id,
        actor_kind: ActorKind::Service,
        on_behalf_of: None,
        session: None,
        command: id,
        causation: None,
        correlation: id,
        case: None,
        request_mac: None,
    };
    let size = usize::try_from(n * 37 % 1_500).unwrap();
    let data = format!("{writer} {n} {}", "x".repeat(size)).into_bytes().into();
    NewFact { id, name: "load.written.v1".to_owned(), envelope, data }
}

/// Appends one to three facts at a time to a stream of its own until the run is over.
///
/// An unknown outcome is asked again with the same ids until there is an answer. One that was
/// turned away for certain is asked again by every second writer; the others give those ids up.
async fn write(log: Arc<PostgresLog>, run: Arc<Run>, writer: usize) -> Vec<Asked> {
    let _alarm = Alarm(Arc::clone(&run));
    let stream = format!("writer-{writer}");
    let (mut notes, mut last, mut next) = (Vec::new(), None, 0);
    while !run.over.load(Ordering::SeqCst) {
        let count = next % 3 + 1;
        let facts: Vec<NewFact> = (next..next + count).map(|n| fact(writer, n)).collect();
        next += count;
        let expected = last.map_or(Expected::NoStream, Expected::Exact);
        let outcome = ask(&log, &run, &stream, expected, &facts, writer % 2 == 1).await;
        if let Outcome::Ok(appended, _) = &outcome {
            let first = last.map_or(0, |last| last + 1);
            assert_eq!(appended.last, first + count - 1, "where the writer believed");
            last = Some(appended.last);
            run.acknowledged[writer].fetch_add(1, Ordering::SeqCst);
        }
        notes.push(Asked { stream: stream.clone(), expected, facts, outcome });
    }
    notes
}

async fn ask(
    log: &PostgresLog,
    run: &Run,
    stream: &str,
    expected: Expected,
    facts: &[NewFact],
    gives_up: bool,
) -> Outcome {
    let mut unknown = false;
    loop {
        match log.append(stream, expected, facts.to_vec()).await {
            Ok(appended) => return Outcome::Ok(appended, Instant::now()),
            Err(LogError::Unavailable { outcome_unknown: true }) => {
                unknown = true;
                run.answers_unknown.fetch_add(1, Ordering::Relaxed);
            }
            Err(LogError::Unavailable { outcome_unknown: false }) => {
                run.answers_away.fetch_add(1, Ordering::Relaxed);
                if gives_up && !unknown {
                    tokio::time::sleep(REST).await;
                    return Outcome::Failed;
                }
            }
            // Nobody else writes to this stream, and the same ids are the same append.
            Err(other) => panic!("{stream} {expected:?}: {other:?}"),
        }
        if run.over.load(Ordering::SeqCst) {
            return if unknown { Outcome::Unknown } else { Outcome::Failed };
        }
        tokio::time::sleep(REST).await;
    }
}

/// Follows everything through all failovers, until it has seen what was the head in the end.
async fn follow(
    log: Arc<PostgresLog>,
    run: Arc<Run>,
    mut end: tokio::sync::watch::Receiver<Option<Token>>,
) -> Vec<Recorded> {
    let _alarm = Alarm(run);
    let (mut seen, mut after): (Vec<Recorded>, Option<Token>) = (Vec::new(), None);
    loop {
        let mut following = log.follow(after);
        loop {
            let next = tokio::select! {
                next = following.next() => next,
                _ = end.changed() => None,
            };
            match next {
                Some(Ok(Followed::Fact(fact))) => {
                    assert!(after < Some(fact.token), "{after:?} then {:?}", fact.token);
                    after = Some(fact.token);
                    seen.push(*fact);
                }
                Some(Ok(Followed::Progress(token))) => {
                    assert!(after <= Some(token), "progress goes back from {after:?} to {token:?}");
                    after = Some(token);
                }
                Some(Ok(Followed::CaughtUp)) => {}
                Some(Err(LogError::Unavailable { .. })) | None => break,
                Some(Err(other)) => panic!("a follower after {after:?} got {other:?}"),
            }
            if after.is_some() && after == *end.borrow() {
                return seen;
            }
        }
        if after.is_some() && after == *end.borrow() {
            return seen;
        }
        tokio::time::sleep(REST).await;
    }
}

/// Waits until every writer had so many more appends acknowledged.
async fn load(run: &Run, appends: u64) {
    let count = |writer: &AtomicU64| writer.load(Ordering::SeqCst);
    let goals: Vec<u64> = run.acknowledged.iter().map(|w| count(w) + appends).collect();
    let began = Instant::now();
    while run.acknowledged.iter().zip(&goals).any(|(writer, goal)| count(writer) < *goal) {
        assert!(!run.is_broken.load(Ordering::SeqCst), "a writer or follower found it wrong");
        assert!(began.elapsed() < LIMIT, "the writers stand still: {:?}", run.acknowledged);
        tokio::time::sleep(REST).await;
    }
}

/// Everything there is, from nothing to the head, through a fresh handle.
async fn read_all(log: &PostgresLog, head: Token) -> Vec<Recorded> {
    let mut all = Vec::new();
    let mut following = log.follow(None);
    while all.last().is_none_or(|last: &Recorded| last.token < head) {
        match following.next().await.unwrap().unwrap() {
            Followed::Fact(fact) => all.push(*fact),
            Followed::Progress(_) | Followed::CaughtUp => {}
        }
    }
    all
}

async fn read_stream(log: &PostgresLog, stream: &str) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = Vec::new();
    loop {
        let from = u64::try_from(all.len()).unwrap();
        let page = log.read_stream(stream, from, Direction::Forward, PAGE).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Holds the log against the writers' notes.
fn compare(all: &[Recorded], notes: &[Asked]) {
    let mut by_id = HashMap::new();
    for (recorded, position) in all.iter().zip(1..) {
        assert_eq!(recorded.token, Token(position), "positions are dense");
        assert!(by_id.insert(recorded.fact.id, recorded).is_none(), "doubled: {recorded:?}");
    }
    let in_order =
        |pair: &[Recorded]| pair[0].fact.envelope.recorded_at <= pair[1].fact.envelope.recorded_at;
    assert!(all.windows(2).all(in_order), "recorded_at never goes back");
    for asked in notes {
        let found: Vec<_> = asked.facts.iter().filter_map(|f| by_id.remove(&f.id)).collect();
        match &asked.outcome {
            Outcome::Failed => assert!(found.is_empty(), "turned away, yet there: {found:?}"),
            Outcome::Unknown if found.is_empty() => {}
            Outcome::Unknown => is_there(asked, &found, None),
            Outcome::Ok(appended, _) => is_there(asked, &found, Some(appended)),
        }
    }
    assert!(by_id.is_empty(), "nobody asked for these: {by_id:?}");
}

/// The append stands whole where it was asked for, and where its answer said.
fn is_there(asked: &Asked, found: &[&Recorded], answer: Option<&Appended>) {
    assert_eq!(found.len(), asked.facts.len(), "lost of {}: {:?}", asked.stream, asked.expected);
    for ((found, wanted), revision) in
        found.iter().zip(&asked.facts).zip(asked.expected.first_revision(None)..)
    {
        assert_eq!((&found.stream, found.revision), (&asked.stream, revision));
        // The log may have raised the time, and nothing else.
        let mut wanted = wanted.clone();
        assert!(found.fact.envelope.recorded_at >= wanted.envelope.recorded_at);
        wanted.envelope.recorded_at = found.fact.envelope.recorded_at;
        assert_eq!(found.fact, wanted);
    }
    let Some(answer) = answer else { return };
    let last = found.last().unwrap();
    assert_eq!((answer.last, answer.token), (last.revision, last.token));
    assert_eq!(answer.committed.len(), found.len(), "the answer says where each landed");
    for (committed, found) in answer.committed.iter().zip(found) {
        assert_eq!(Token(committed.position), found.token);
        let leaf = leaf_of(committed.position, &found.stream, found.revision, &found.fact);
        assert_eq!(committed.leaf_hash, leaf);
    }
}

/// One failover: how, when a server was lost, and when the other had taken over.
struct Loss {
    fault: Fault,
    lost: Instant,
    promoted: Instant,
}

/// Loses a server, lets the other take over, and makes the pair whole again, all under load.
async fn fail_over(pair: &Pair, run: &Run, fault: Fault, appends: u64) -> Loss {
    load(run, appends).await;
    let lost = Instant::now();
    block_in_place(|| match fault {
        Fault::Killed | Fault::GoneForLong => pair.kill_primary().unwrap(),
        Fault::Hangs => pair.pause_primary().unwrap(),
        Fault::StandbyHangs => pair.standby().pause().unwrap(),
    });
    match fault {
        Fault::Killed | Fault::Hangs => {}
        Fault::GoneForLong => one_more(&run.answers_away).await,
        Fault::StandbyHangs => {
            // What was on its way to the standby may still be answered; after that, nothing is.
            one_more(&run.answers_unknown).await;
            let before = run.total();
            one_more(&run.answers_away).await;
            assert_eq!(run.total(), before, "acknowledged without the standby");
        }
    }
    block_in_place(|| match fault {
        Fault::StandbyHangs => pair.standby().resume().unwrap(),
        _ => pair.promote().unwrap(),
    });
    let promoted = Instant::now();
    load(run, appends).await;
    if matches!(fault, Fault::Hangs) {
        block_in_place(|| pair.standby().resume().unwrap());
        load(run, appends).await;
    }
    if !matches!(fault, Fault::StandbyHangs) {
        let rejoined = block_in_place(|| pair.rejoin().unwrap());
        println!("{fault:?}: the old primary is back as a standby: {rejoined:?}");
        load(run, appends).await;
    }
    Loss { fault, lost, promoted }
}

/// Waits until one more answer of a kind was given. Not for several: the commit that hangs may be
/// that of one append, and while it does the others only wait for their turn.
async fn one_more(answers: &AtomicU64) {
    let (before, began) = (answers.load(Ordering::Relaxed), Instant::now());
    while answers.load(Ordering::Relaxed) == before {
        assert!(began.elapsed() < LIMIT, "nobody is answered so");
        tokio::time::sleep(REST).await;
    }
}

/// For each failover: the longest time without an acknowledged append.
fn print_gaps(losses: &[Loss], notes: &[Asked]) {
    let mut answered: Vec<Instant> = notes
        .iter()
        .filter_map(|asked| if let Outcome::Ok(_, at) = &asked.outcome { Some(*at) } else { None })
        .collect();
    answered.sort_unstable();
    for Loss { fault, lost, promoted } in losses {
        let around = answered.windows(2).filter(|at| at[1] > *lost && at[0] < *promoted);
        let gap = around.map(|at| at[1].duration_since(at[0])).max().unwrap_or_default();
        println!(
            "{fault:?}: over after {:?}; {gap:?} from the last acknowledged append to the next",
            promoted.duration_since(*lost)
        );
    }
}

async fn story(faults: &[Fault], appends: u64) {
    let pair = block_in_place(|| Pair::start().unwrap());
    let options = Options {
        answer_max: Duration::from_secs(4),
        ..Options::new(block_in_place(|| pair.database().unwrap()))
    };
    prepare(&options).await.unwrap();
    let handles = [open(&options).await, open(&options).await];
    let acknowledged = (0..WRITERS).map(|_| AtomicU64::new(0)).collect();
    let run = Arc::new(Run { acknowledged, ..Run::default() });
    let (end, ended) = tokio::sync::watch::channel(None);
    let followers: Vec<JoinHandle<_>> = handles
        .iter()
        .map(|log| tokio::spawn(follow(Arc::clone(log), Arc::clone(&run), ended.clone())))
        .collect();
    let writers: Vec<JoinHandle<_>> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(write(Arc::clone(&handles[writer % 2]), Arc::clone(&run), writer))
        })
        .collect();

    let mut losses = Vec::new();
    for fault in faults {
        losses.push(fail_over(&pair, &run, *fault, appends).await);
    }
    run.over.store(true, Ordering::SeqCst);
    let mut notes = Vec::new();
    for writer in writers {
        notes.extend(tokio::time::timeout(LIMIT, writer).await.unwrap().unwrap());
    }

    let fresh = open(&options).await;
    let head = fresh.head().await.unwrap().unwrap();
    end.send_replace(Some(head));
    let all = tokio::time::timeout(LIMIT, read_all(&fresh, head)).await.unwrap();
    compare(&all, &notes);
    for follower in followers {
        let seen = tokio::time::timeout(LIMIT, follower).await.unwrap().unwrap();
        assert!(seen == all, "a follower saw the same, in the same order");
    }
    for writer in 0..WRITERS {
        let stream = format!("writer-{writer}");
        let read = read_stream(&fresh, &stream).await;
        assert!(read.iter().eq(all.iter().filter(|recorded| recorded.stream == stream)));
    }
    print_gaps(&losses, &notes);
    println!(
        "{} facts of {} appends; answers on the way: {} unknown, {} turned away",
        all.len(),
        notes.len(),
        run.answers_unknown.load(Ordering::Relaxed),
        run.answers_away.load(Ordering::Relaxed)
    );
}

async fn open(options: &Options) -> Arc<PostgresLog> {
    Arc::new(Box::pin(PostgresLog::open(options.clone())).await.unwrap())
}

/// How many rounds, and how many appends of each writer on each side of a fault.
fn size() -> (usize, u64) {
    let long = std::env::var_os("ASSAY_FAULTS").is_some_and(|word| word == "long");
    if long { (5, 200) } else { (1, 40) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_primary_and_failing_back_lose_and_double_nothing() {
    let (rounds, appends) = size();
    Box::pin(story(&[Fault::Killed, Fault::GoneForLong].repeat(rounds), appends)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_that_hangs_is_left_behind_and_nothing_is_lost_or_doubled() {
    let (rounds, appends) = size();
    Box::pin(story(&[Fault::Hangs].repeat(rounds), appends)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_the_standby_hangs_nothing_is_acknowledged_and_then_all_goes_on() {
    let (rounds, appends) = size();
    Box::pin(story(&[Fault::StandbyHangs].repeat(rounds), appends)).await;
}
