//! What is written through a node is answered with where it stands in that node's journal.

use std::time::Duration;

use assay_store::journal::Journal as _;
use assay_store::log::{Append, Committed, Direction, Expected, LogError};
use tokio::time::Instant;

use super::replica::MemoryReplica;
use super::upstream::Upstream;
use super::{caught_up, exact, fact, following, start};
use crate::replicated::COMMITTED_WAIT;

#[tokio::test(start_paused = true)]
async fn an_append_is_answered_with_its_places_here() {
    let (upstream, journal) = (Upstream::with(30).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    following(&replication).await;
    let log = replication.log();
    let facts = vec![fact(100), fact(101), fact(102)];
    let answer = log.append("mine", Expected::NoStream, facts.clone()).await.unwrap();
    assert_eq!(answer.last, 2);
    let places: Vec<u64> = answer.committed.iter().map(|place| place.position).collect();
    assert_eq!(places, [31, 32, 33]);
    for (place, fact) in answer.committed.iter().zip(&facts) {
        let entry = journal.locate(fact.id).unwrap().unwrap();
        let Committed { position, leaf_hash } = *place;
        assert_eq!((entry.position, entry.leaf_hash), (position, leaf_hash));
    }
    // The same again, also after later facts.
    upstream.write(200..220).await;
    let again = log.append("mine", Expected::NoStream, facts.clone()).await.unwrap();
    assert_eq!(again, answer);
    // What was refused is passed on.
    let other = log.append("mine", Expected::NoStream, vec![fact(103)]).await;
    assert_eq!(other, Err(LogError::Conflict { current: Some(2) }));
    let read = log.read_stream("mine", 0, Direction::Forward, 10).await.unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!(log.log_id().await, upstream.handle().log_id().await);
    assert_eq!(log.head().await, upstream.handle().head().await);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_runs_out_is_no_error() {
    let (upstream, journal) = (Upstream::with(5).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    following(&replication).await;
    upstream.faults().stalls_after = Some(0);
    let began = Instant::now();
    let answer = replication.log().append("mine", Expected::NoStream, vec![fact(9)]).await.unwrap();
    assert_eq!(answer.committed, []);
    assert!(began.elapsed() >= COMMITTED_WAIT && began.elapsed() < COMMITTED_WAIT * 2);
    upstream.faults().stalls_after = None;
    caught_up(&replication).await;
    let again = replication.log().append("mine", Expected::NoStream, vec![fact(9)]).await.unwrap();
    assert_eq!(again.committed.iter().map(|place| place.position).collect::<Vec<_>>(), [6]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_says_so_and_asking_again_leaves_one_copy() {
    let (upstream, journal) = (Upstream::with(5).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    let log = replication.log();
    upstream.faults().loses_answers = true;
    let lost = log.append("mine", Expected::NoStream, vec![fact(9)]).await;
    assert_eq!(lost, Err(LogError::Unavailable { outcome_unknown: true }));
    upstream.faults().loses_answers = false;
    let again = log.append("mine", Expected::NoStream, vec![fact(9)]).await.unwrap();
    assert_eq!(again.committed.iter().map(|place| place.position).collect::<Vec<_>>(), [6]);
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn appends_in_order_go_through() {
    let (upstream, journal) = (Upstream::new(), MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    let append = |stream: &str, number| Append {
        stream: stream.to_owned(),
        expected: Expected::NoStream,
        facts: vec![fact(number)],
    };
    let appends = vec![append("a", 1), append("b", 2), append("a", 3), append("c", 4)];
    let failed = replication.log().append_in_order(appends).await;
    assert_eq!(failed, Err(LogError::Conflict { current: Some(0) }));
    caught_up(&replication).await;
    assert_eq!(journal.head(), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_nothing_is_waited_for() {
    let (upstream, journal) = (Upstream::new(), MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    let log = replication.log();
    replication.stop().await;
    let began = Instant::now();
    let answer = log.append("mine", Expected::NoStream, vec![fact(9)]).await.unwrap();
    assert_eq!(answer.committed, []);
    assert_eq!(began.elapsed(), Duration::ZERO);
}
