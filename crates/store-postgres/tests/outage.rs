//! The server goes away, hangs, or its answer is lost: what is acknowledged stays, what is unknown is called so.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assay_store::fact::Recorded;
use assay_store::log::{Direction, Expected, Followed, Log, LogError};
use assay_store::vault::{Vault, VaultError};
use assay_store_postgres::{Options, PostgresLog, prepare};
use assay_testing_postgres::Server;
use common::{PATIENCE, all, assert_dense, fact, open_log, open_vault};
use futures_util::StreamExt as _;
use proxy::{Lose, Proxy};

const UNKNOWN: LogError = LogError::Unavailable { outcome_unknown: true };
const AWAY: LogError = LogError::Unavailable { outcome_unknown: false };

/// How long a client leaves the log alone that turned it away.
const REST: Duration = Duration::from_millis(20);

/// A server of the test's own, and a database on it that is prepared.
async fn server() -> (Arc<Server>, Options) {
    let server = Server::start().unwrap();
    let options = Options::new(server.database().unwrap());
    prepare(&options).await.unwrap();
    (Arc::new(server), options)
}

/// Appends fact after fact to a stream, each until it is acknowledged; answers how many.
async fn write(log: Arc<PostgresLog>, writer: u64, is_over: Arc<AtomicBool>) -> u64 {
    let mut count = 0_u64;
    while !is_over.load(Ordering::SeqCst) {
        let expected = count.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        let number = u128::from(writer) << 64 | u128::from(count);
        match log.append(&format!("s{writer}"), expected, vec![fact(number)]).await {
            Ok(done) => {
                assert_eq!(done.last, count, "asked again it is answered like the first time");
                count += 1;
            }
            Err(LogError::Unavailable { .. }) => tokio::time::sleep(REST).await,
            Err(other) => panic!("{other:?}"),
        }
    }
    count
}

/// Follows from wherever it was, over every outage, until it has seen so many facts.
async fn follow(log: Arc<PostgresLog>, count: u64) -> Vec<Recorded> {
    let mut seen: Vec<Recorded> = Vec::new();
    while u64::try_from(seen.len()).unwrap() < count {
        let mut following = log.follow(seen.last().map(|recorded| recorded.token));
        while let Some(Ok(item)) = following.next().await {
            if let Followed::Fact(fact) = item {
                seen.push(*fact);
            }
            if u64::try_from(seen.len()).unwrap() >= count {
                break;
            }
        }
        tokio::time::sleep(REST).await;
    }
    seen
}

/// Waits until somebody wrote more.
async fn progress(log: &PostgresLog) {
    let before = log.stats().facts;
    let more = async {
        while log.stats().facts < before + 50 {
            tokio::time::sleep(REST).await;
        }
    };
    tokio::time::timeout(PATIENCE, more).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_when_the_server_is_killed() {
    const WRITERS: u64 = 6;
    let (server, options) = server().await;
    let log = open_log(&options).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(log.clone(), writer, is_over.clone())))
        .collect();
    for _ in 0..3 {
        progress(&log).await;
        let server = Arc::clone(&server);
        let again = tokio::task::spawn_blocking(move || {
            server.kill().unwrap();
            server.restart().unwrap();
        });
        again.await.unwrap();
    }
    progress(&log).await;
    is_over.store(true, Ordering::SeqCst);
    let mut total = 0;
    for (writer, number) in writers.into_iter().zip(0..) {
        let acknowledged = writer.await.unwrap();
        let stream = format!("s{number}");
        let there = log.read_stream(&stream, 0, Direction::Forward, 1_000_000).await.unwrap();
        assert_eq!(u64::try_from(there.len()).unwrap(), acknowledged, "{stream}");
        total += acknowledged;
    }
    let seen = tokio::time::timeout(PATIENCE, follow(log.clone(), total)).await.unwrap();
    assert_dense(&seen);
    assert_eq!(all(&*log).await, seen);
    assert!(log.stats().reconnects >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_given_up_in_time_and_found_again() {
    let (server, mut options) = server().await;
    options.answer_max = Duration::from_secs(2);
    let log = open_log(&options).await;
    let vault = open_vault(&options).await.unwrap();
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let mut following = log.follow(None);
    while following.next().await.unwrap().unwrap() != Followed::CaughtUp {}

    let pausing = Arc::clone(&server);
    tokio::task::spawn_blocking(move || pausing.pause().unwrap()).await.unwrap();
    for _ in 0..3 {
        // Within the limit on answers and on connecting, each of which is a few seconds.
        let answer = log.append("a", Expected::Exact(0), vec![fact(2)]);
        let answer = tokio::time::timeout(PATIENCE, answer).await.unwrap();
        assert_eq!(answer, Err(AWAY), "it never got the turn");
    }
    let read = tokio::time::timeout(PATIENCE, log.head()).await.unwrap();
    assert_eq!(read, Err(AWAY));
    let told = tokio::time::timeout(PATIENCE, following.next()).await.unwrap();
    assert_eq!(told, Some(Err(AWAY)));
    let put = tokio::time::timeout(PATIENCE, vault.put_secret("a", None, vec![1])).await.unwrap();
    assert!(matches!(put, Err(VaultError::Unavailable(_))), "{put:?}");
    let checked = tokio::time::timeout(PATIENCE, vault.check()).await.unwrap();
    assert!(
        matches!(checked, Err(assay_store_postgres::CheckError::Unavailable(_))),
        "{checked:?}"
    );

    let resuming = Arc::clone(&server);
    tokio::task::spawn_blocking(move || resuming.resume().unwrap()).await.unwrap();
    let again = async {
        loop {
            match log.append("a", Expected::Exact(0), vec![fact(2)]).await {
                Ok(done) => break done,
                Err(LogError::Unavailable { .. }) => tokio::time::sleep(REST).await,
                Err(other) => panic!("{other:?}"),
            }
        }
    };
    let done = tokio::time::timeout(PATIENCE, again).await.unwrap();
    assert_eq!((done.last, done.token.0), (1, 2));
    assert_eq!(all(&*log).await.len(), 2);
    vault.check().await.unwrap();
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_is_unknown_and_the_retry_leaves_one_copy() {
    let (server, direct) = server().await;
    let proxy = Proxy::to(server.port()).await;
    let options = Options::new(proxy.url(&direct.url, server.port()));
    let log = open_log(&options).await;
    let outside = open_log(&direct).await;
    log.append("a", Expected::NoStream, vec![fact(0)]).await.unwrap();
    for (round, lose) in [Lose::Answer, Lose::Question, Lose::Answer].into_iter().enumerate() {
        let round = u64::try_from(round).unwrap();
        let number = u128::from(round);
        let facts = || vec![fact(10 + 2 * number), fact(11 + 2 * number)];
        let expected = Expected::Exact(2 * round);
        proxy.lose_next(lose);
        let lost = log.append("a", expected, facts()).await;
        assert_eq!(lost, Err(UNKNOWN), "{lose:?}");
        assert!(proxy.has_lost());
        let stored = if lose == Lose::Answer { 3 } else { 1 };
        let there = outside.read_stream("a", 0, Direction::Forward, 100).await.unwrap();
        assert_eq!(u64::try_from(there.len()).unwrap(), 2 * round + stored, "{lose:?}");
        let again = log.append("a", expected, facts()).await.unwrap();
        assert_eq!(again.last, 2 * round + 2);
        let there = outside.read_stream("a", 0, Direction::Forward, 100).await.unwrap();
        assert_eq!(u64::try_from(there.len()).unwrap(), 2 * round + 3, "{lose:?}: one copy");
    }
    assert_eq!(log.stats().unknown, 3);
    let vault = open_vault(&options).await.unwrap();
    for lose in [Lose::Answer, Lose::Question] {
        proxy.lose_next(lose);
        let lost = vault.new_keys(1).await;
        assert!(matches!(lost, Err(VaultError::Unavailable(_))), "{lose:?}: {lost:?}");
    }
    assert_eq!(vault.check().await.unwrap().keys, 1, "one was made, and nobody knows it");
}

#[tokio::test]
async fn a_stale_connection_is_replaced_without_anybody_noticing() {
    let (server, options) = server().await;
    let log = open_log(&options).await;
    let vault = open_vault(&options).await.unwrap();
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let end_all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name = 'assay'";
    let name = options.url.rsplit('/').next().unwrap().to_owned();
    for round in 0..5 {
        server.psql(&name, end_all).unwrap();
        log.append("a", Expected::Exact(round), vec![fact(u128::from(round) + 2)]).await.unwrap();
        server.psql(&name, end_all).unwrap();
        assert_eq!(log.head().await.unwrap().unwrap().0, round + 2);
        server.psql(&name, end_all).unwrap();
        vault.put_secret(&format!("s{round}"), None, vec![1]).await.unwrap();
    }
    assert_eq!(log.stats().unwritten, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_wait_for_the_standby_was_cancelled_is_unknown_and_so_is_its_retry() {
    let (server, options) = server().await;
    let log = open_log(&options).await;
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let standby = |names: &str| {
        let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{names}'");
        server.psql("postgres", &set).unwrap();
        server.psql("postgres", "SELECT pg_reload_conf()").unwrap();
        server.psql("postgres", "CHECKPOINT").unwrap();
    };
    standby("nobody");
    let cancel = || {
        let waiting = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                       WHERE wait_event = 'SyncRep' AND application_name = 'assay'";
        server.psql("postgres", waiting).unwrap() != "0"
    };
    for _ in 0..2 {
        let appending = log.append("a", Expected::Exact(0), vec![fact(2)]);
        let cancelling = async {
            while !cancel() {
                tokio::time::sleep(REST).await;
            }
        };
        let (answer, ()) = futures_util::future::join(appending, cancelling).await;
        // The first time it is written here; the second time that is found, and waited for as well.
        assert_eq!(answer, Err(UNKNOWN));
        assert_eq!(log.head().await.unwrap().unwrap().0, 2);
    }
    standby("");
    let again = log.append("a", Expected::Exact(0), vec![fact(2)]).await.unwrap();
    assert_eq!((again.last, again.token.0), (1, 2));
    assert_eq!(all(&*log).await.len(), 2, "one copy");
}

#[tokio::test]
async fn what_the_server_refuses_is_named_and_writes_nothing() {
    let (server, options) = server().await;
    let log = open_log(&options).await;
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let name = options.url.rsplit('/').next().unwrap();
    for (code, meant) in [
        ("53100", LogError::Full),
        ("42501", LogError::Denied),
        ("57P01", AWAY),
        ("25006", AWAY),
        ("55P03", AWAY),
    ] {
        let refuse = format!(
            "CREATE OR REPLACE FUNCTION refuse_all() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$;
             CREATE OR REPLACE TRIGGER refuse_all BEFORE INSERT ON assay.entries
             FOR EACH ROW EXECUTE FUNCTION refuse_all()"
        );
        server.psql(name, &refuse).unwrap();
        let answers = futures_util::future::join(
            log.append("b", Expected::NoStream, vec![fact(2)]),
            log.append("c", Expected::NoStream, vec![fact(3)]),
        )
        .await;
        assert_eq!(answers, (Err(meant.clone()), Err(meant)), "{code}");
    }
    server.psql(name, "DROP TRIGGER refuse_all ON assay.entries").unwrap();
    assert_eq!(log.head().await.unwrap().unwrap().0, 1);
    let done = log.append("b", Expected::NoStream, vec![fact(2)]).await.unwrap();
    assert_eq!(done.token.0, 2, "no place was lost");
}

#[tokio::test]
async fn a_node_waits_while_another_has_the_turn() {
    let (server, options) = server().await;
    let log = open_log(&options).await;
    let name = options.url.rsplit('/').next().unwrap();
    let holds = "BEGIN; SELECT * FROM assay.head FOR UPDATE; SELECT pg_sleep(2); COMMIT";
    // Somebody else has the turn for two seconds, less than others wait for it.
    let other = tokio::task::spawn_blocking({
        let (server, name) = (Arc::clone(&server), name.to_owned());
        move || server.psql(&name, holds).unwrap()
    });
    let locked = "SELECT count(*) FROM pg_locks WHERE relation = 'assay.head'::regclass
                  AND mode = 'RowShareLock' AND granted";
    while server.psql(name, locked).unwrap() == "0" {
        tokio::time::sleep(REST).await;
    }
    let done = log.append("a", Expected::NoStream, vec![fact(1)]).await;
    assert_eq!(done.map(|done| done.token.0), Ok(1), "it waited for its turn");
    other.await.unwrap();
}
