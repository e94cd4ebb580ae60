//! What goes wrong on the way: lost answers, dead nodes, new leaders, restored backups.

use std::time::Duration;

use assay_store::log::{Direction, Expected, Followed, Log, LogError, Token};
use assay_store_kurrentdb::{KurrentLog, KurrentVault, OpenError, Options, prepare};
use assay_testing_kurrentdb::Double;
use futures_util::stream::StreamExt as _;

use crate::server::{PATIENCE, double_and_log, facts, new_log, next_facts};

const UNKNOWN: LogError = LogError::Unavailable { outcome_unknown: true };

async fn all(log: &KurrentLog, stream: &str) -> Vec<assay_store::fact::Recorded> {
    log.read_stream(stream, 0, Direction::Forward, 10_000).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_is_asked_for_again_and_there_is_one_copy() {
    let (double, log) = double_and_log().await;
    let faults = double.faults();
    let trials: [(&dyn Fn(), Expected); 4] = [
        (&|| faults.lose_answers(1), Expected::NoStream),
        (&|| faults.lose_answers(3), Expected::Exact(2)),
        (&|| faults.time_out_appends(2), Expected::Exact(5)),
        (&|| faults.refuse_appends(2), Expected::Exact(8)),
    ];
    for ((fault, expected), n) in trials.into_iter().zip(0_u64..) {
        fault();
        let done = log.append("a", expected, facts(3 * n..3 * n + 3)).await.unwrap();
        let there = all(&log, "a").await;
        assert_eq!(done.last, 3 * n + 2);
        assert_eq!(there.last().map(|recorded| recorded.token), Some(done.token));
        assert_eq!(log.head().await.unwrap(), Some(done.token));
    }
    let there = all(&log, "a").await;
    assert!(there.into_iter().map(|recorded| recorded.fact).eq(facts(0..12)), "one copy of each");
    let happened = faults.happened();
    let told = (happened.lost_answers, happened.timed_out_appends, happened.refused_appends);
    assert_eq!(told, (4, 2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_says_that_the_outcome_is_unknown_and_may_ask_again() {
    let (double, log) = double_and_log().await;
    double.faults().lose_answers(1_000);
    let lost = log.append("a", Expected::NoStream, facts(0..3)).await;
    assert_eq!(lost, Err(UNKNOWN));
    double.faults().lose_answers(0);
    let again = log.append("a", Expected::NoStream, facts(0..3)).await.unwrap();
    assert_eq!(again.last, 2);
    assert_eq!(all(&log, "a").await.len(), 3, "one copy");
    let other = log.append("a", Expected::NoStream, facts(7..9)).await;
    assert_eq!(other, Err(LogError::Conflict { current: Some(2) }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_has_a_deadline_and_what_waits_has_a_limit() {
    let double = Double::start().await.unwrap();
    let options = Options {
        call_deadline: Duration::from_secs(1),
        queue_appends_max: 1,
        ..Options::new(double.url())
    };
    let log = new_log(options).await;
    double.faults().delay(Duration::from_secs(30));
    let (slow, turned_away) = tokio::join!(
        log.append("a", Expected::NoStream, facts([0])),
        log.append("b", Expected::NoStream, facts([1])),
    );
    assert_eq!(slow, Err(UNKNOWN));
    assert_eq!(turned_away, Err(LogError::Unavailable { outcome_unknown: false }));
    let head = log.head().await;
    assert_eq!(head, Err(LogError::Unavailable { outcome_unknown: false }));
    double.faults().delay(Duration::ZERO);
    assert_eq!(log.append("a", Expected::NoStream, facts([0])).await.unwrap().last, 0);
    assert_eq!(all(&log, "a").await.len(), 1, "one copy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_that_break_off_go_on_where_they_were() {
    let (double, log) = double_and_log().await;
    for n in 0_u64..20 {
        let expected =
            n.checked_sub(1).map_or(Expected::NoStream, |n| Expected::Exact(30 * n + 29));
        log.append("a", expected, facts(30 * n..30 * n + 30)).await.unwrap();
    }
    for after in [0, 1, 100, 255] {
        double.faults().break_reads(2, after);
        assert_eq!(all(&log, "a").await.len(), 600);
        double.faults().break_reads(2, after);
        let mut following = log.follow(None);
        assert_eq!(next_facts(&mut following, 600).await, facts(0..600));
    }
    double.faults().break_reads(0, 0);
    assert_eq!(double.faults().happened().broken_reads, 16);
    double.faults().break_reads(1_000_000, 0);
    let mut following = log.follow(None);
    let gave_up = tokio::time::timeout(PATIENCE, following.next()).await.unwrap();
    assert_eq!(gave_up, Some(Err(LogError::Unavailable { outcome_unknown: false })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_and_restarted_node_is_found_again_by_writers_and_followers() {
    let (double, log) = double_and_log().await;
    log.append("a", Expected::NoStream, facts([0])).await.unwrap();
    let mut following = log.follow(None);
    assert_eq!(next_facts(&mut following, 1).await, facts([0]));

    double.stop_node(0).await;
    let down = log.append("a", Expected::Exact(0), facts([1])).await;
    assert_eq!(down, Err(UNKNOWN));
    double.start_node(0).await.unwrap();
    log.append("a", Expected::Exact(0), facts([1])).await.unwrap();
    assert_eq!(next_facts(&mut following, 1).await, facts([1]));
    assert_eq!(all(&log, "a").await.len(), 2);
    assert!(log.connections() > 1, "the client that died was replaced");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_leader_is_followed_and_written_to() {
    let double = Double::cluster(3).await.unwrap();
    let log = new_log(Options::new(double.url())).await;
    let mut following = log.follow(None);
    let mut expected = Expected::NoStream;
    for (n, leader) in [0, 1, 2, 0, 2].into_iter().enumerate() {
        double.lead(leader).await;
        let n = n.try_into().unwrap();
        let done = log.append("a", expected, facts([n])).await.unwrap();
        expected = Expected::Exact(done.last);
        assert_eq!(all(&log, "a").await.len(), usize::try_from(n).unwrap() + 1, "read at once");
        assert_eq!(next_facts(&mut following, 1).await, facts([n]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_was_restored_is_noticed_by_running_and_by_new_followers() {
    let (double, log) = double_and_log().await;
    log.append("a", Expected::NoStream, facts(0..3)).await.unwrap();
    let kept = double.events();
    let head = log.append("a", Expected::Exact(2), facts(3..9)).await.unwrap().token;
    let mut following = log.follow(None);
    next_facts(&mut following, 9).await;
    double.rewind(kept);
    let running = async {
        loop {
            match following.next().await {
                Some(Ok(Followed::Progress(_) | Followed::CaughtUp)) => {}
                other => break other,
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, running).await.unwrap();
    assert_eq!(told, Some(Err(LogError::TokenAhead)), "a running follower");
    assert_eq!(following.next().await, None, "an error is the last thing it says");
    let new = log.follow(Some(head)).next().await;
    assert_eq!(new, Some(Err(LogError::TokenAhead)), "a new follower");
    // Grown past the old place again, with other facts: no event begins there.
    let other = facts(100..140).into_iter().map(|fact| assay_store::fact::NewFact {
        data: "{\"of\":\"another length\"}".into(),
        ..fact
    });
    log.append("a", Expected::Exact(2), other.collect()).await.unwrap();
    assert!(log.head().await.unwrap() > Some(head));
    let new = log.follow(Some(head)).next().await;
    assert_eq!(new, Some(Err(LogError::TokenAhead)), "grown again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_denied_is_told_so_at_once() {
    let (double, log) = double_and_log().await;
    log.append("a", Expected::NoStream, facts([0])).await.unwrap();
    double.faults().deny(true);
    assert_eq!(log.append("a", Expected::Exact(0), facts([1])).await, Err(LogError::Denied));
    let read = log.read_stream("a", 0, Direction::Forward, 1).await;
    assert_eq!(read, Err(LogError::Denied));
    assert_eq!(log.follow(Some(Token(1))).next().await, Some(Err(LogError::Denied)));
    let opened = KurrentLog::open(log.options().clone()).await;
    assert_eq!(opened.map(|_| ()), Err(OpenError::Denied));
    assert_eq!(log.connections(), 1, "asking again would not help");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_prepared_once_however_many_do_it() {
    let double = Double::start().await.unwrap();
    let options = Options::new(double.url());
    let missing = KurrentLog::open(options.clone()).await;
    assert_eq!(missing.map(|_| ()), Err(OpenError::NotPrepared));
    let master = assay_store::master::MasterKey::new([3; 32]);
    let clock = std::sync::Arc::new(|| 0);
    let vault = KurrentVault::open(options.clone(), master, clock).await;
    assert_eq!(vault.map(|_| ()), Err(OpenError::NotPrepared));
    let (one, two) = tokio::join!(prepare(&options), prepare(&options));
    assert_eq!((one, two), (Ok(()), Ok(())));
    double.faults().lose_answers(1);
    prepare(&options).await.unwrap();
    let log = KurrentLog::open(options.clone()).await.unwrap();
    let again = KurrentLog::open(options).await.unwrap();
    assert_eq!(log.log_id().await, again.log_id().await);
    let elsewhere = Double::start().await.unwrap();
    let other = new_log(Options::new(elsewhere.url())).await;
    assert_ne!(log.log_id().await, other.log_id().await, "another log has another id");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_listens_is_told() {
    let double = Double::start().await.unwrap();
    double.stop_node(0).await;
    let refused = KurrentLog::open(Options::new(double.url())).await;
    assert_eq!(refused.map(|_| ()), Err(OpenError::Unreachable));
}
