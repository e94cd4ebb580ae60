//! Promises about appending: L1, L2, L4–L7, L14, L15.

use std::sync::Arc;

use bytes::Bytes;

use super::{LosesAnswers, Make, all, caught_up, fact, facts, must};
use crate::fact::{APPEND_BYTES_MAX, APPEND_FACTS_MAX, FACT_BYTES_MAX, NewFact};
use crate::log::{Expected, Log, LogError};

pub(super) async fn batches_are_whole(log: &impl Log) {
    let first = must("L1", log.append("a", Expected::NoStream, facts(0..3)).await);
    assert_eq!(first.last, 2, "L1: a batch is consecutive");
    let second = must("L1", log.append("a", Expected::Exact(2), facts(3..5)).await);
    assert_eq!(second.last, 4, "L1: revisions have no gaps");
    let refused = log.append("a", Expected::Exact(2), facts(10..13)).await;
    assert_eq!(refused, Err(LogError::Conflict { current: Some(4) }), "L1");
    let there = all("L1", log, "a").await;
    let revisions: Vec<u64> = there.iter().map(|recorded| recorded.revision).collect();
    assert_eq!(revisions, [0, 1, 2, 3, 4], "L1: a conflict writes nothing");
    let stored: Vec<NewFact> = there.into_iter().map(|recorded| recorded.fact).collect();
    assert_eq!(stored, facts(0..5), "L1: what was appended is what is read");
    assert_eq!(must("L1", log.head().await), Some(second.token), "L1");
}

pub(super) async fn tokens_increase(log: &impl Log) {
    assert_eq!(must("L2", log.head().await), None, "L2: an empty log has no head");
    let mut last = None;
    for n in 0..60 {
        let stream = format!("s{}", n % 7);
        let done = must("L2", log.append(&stream, Expected::Any, facts([n])).await);
        assert!(Some(done.token) > last, "L2: {:?} after {last:?}", done.token);
        last = Some(done.token);
        assert_eq!(must("L2", log.head().await), last, "L2: the head is the last token");
    }
}

pub(super) async fn expectations_are_checked(log: &impl Log) {
    let conflict = |current| Err(LogError::Conflict { current });
    let missing = log.append("a", Expected::Exact(0), facts([1])).await;
    assert_eq!(missing, conflict(None), "L4: exact, missing");
    must("L4", log.append("a", Expected::NoStream, facts([2])).await);
    let twice = log.append("a", Expected::NoStream, facts([3])).await;
    assert_eq!(twice, conflict(Some(0)), "L4: no stream, twice");
    let ahead = log.append("a", Expected::Exact(1), facts([4])).await;
    assert_eq!(ahead, conflict(Some(0)), "L4: exact, ahead");
    let far_ahead = log.append("a", Expected::Exact(u64::MAX), facts([4])).await;
    assert_eq!(far_ahead, conflict(Some(0)), "L4: exact, far ahead");
    must("L4", log.append("a", Expected::Exact(0), facts([5])).await);
    let behind = log.append("a", Expected::Exact(0), facts([6])).await;
    assert_eq!(behind, conflict(Some(1)), "L4: exact, behind");
    must("L4", log.append("a", Expected::Any, facts([7])).await);
    must("L4", log.append("b", Expected::Any, facts([8])).await);
    assert_eq!(all("L4", log, "a").await.len(), 3, "L4: refused appends write nothing");
}

pub(super) async fn asking_again_answers_the_same<M: Make>(make: &M) {
    let log = make.fresh().await;
    let new = must("L5", log.append("a", Expected::NoStream, facts(0..3)).await);
    let more = must("L5", log.append("a", Expected::Exact(2), facts(3..5)).await);
    let again = log.append("a", Expected::Exact(2), facts(3..5)).await;
    assert_eq!(again, Ok(more.clone()), "L5: at once");
    must("L5", log.append("a", Expected::Exact(4), facts(5..9)).await);
    must("L5", log.append("b", Expected::NoStream, facts(20..22)).await);
    let later = log.append("a", Expected::NoStream, facts(0..3)).await;
    assert_eq!(later, Ok(new.clone()), "L5: after later facts");

    let log = make.reopen(log).await;
    let restarted = log.append("a", Expected::NoStream, facts(0..3)).await;
    assert_eq!(restarted, Ok(new), "L5: after a restart");
    let restarted = log.append("a", Expected::Exact(2), facts(3..5)).await;
    assert_eq!(restarted, Ok(more), "L5: after a restart, in the middle");

    let conflict = Err(LogError::Conflict { current: Some(8) });
    for overlap in [vec![0, 1, 30], vec![30, 1, 2], vec![1, 0, 2], vec![30], vec![1, 2]] {
        let partly = log.append("a", Expected::NoStream, facts(overlap.clone())).await;
        assert_eq!(partly, conflict, "L5: {overlap:?} is not the same append");
    }
    let over_the_end = log.append("a", Expected::Exact(6), facts([7, 8, 30])).await;
    assert_eq!(over_the_end, conflict, "L5: partly there, partly new");
    let other_place = log.append("a", Expected::Exact(0), facts(0..3)).await;
    assert_eq!(other_place, conflict, "L5: another expectation is another append");
    assert_eq!(all("L5", &*log, "a").await.len(), 9, "L5: one copy");
    assert_eq!(caught_up("L5", &*log, None).await.len(), 11, "L5: one copy");
}

pub(super) async fn an_id_used_elsewhere_does_no_harm(log: &impl Log) {
    must("L6", log.append("a", Expected::NoStream, facts([1, 2])).await);
    // What is answered is nobody's promise; that the log goes on is.
    let _unspecified = log.append("b", Expected::NoStream, facts([2])).await;
    let done = must("L6", log.append("c", Expected::NoStream, facts([3, 4])).await);
    assert_eq!(done.last, 1, "L6: neighbours are not spoilt");
    must("L6", log.append("a", Expected::Exact(1), facts([5])).await);
    let ours = all("L6", log, "a").await;
    assert_eq!(ours.len(), 3, "L6: the streams before are as they were");
}

pub(super) async fn one_writer_wins<L: Log + 'static>(log: Arc<L>) {
    const WRITERS: u64 = 8;
    const ROUNDS: u64 = 25;
    must("L7", log.append("a", Expected::NoStream, facts([0])).await);
    for round in 0..ROUNDS {
        let tasks: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let log = Arc::clone(&log);
                let fact = fact(1 + round * WRITERS + writer);
                tokio::spawn(
                    async move { log.append("a", Expected::Exact(round), vec![fact]).await },
                )
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match must("L7", task.await) {
                Ok(done) => {
                    assert_eq!(done.last, round + 1, "L7");
                    won += 1;
                }
                Err(LogError::Conflict { current }) => {
                    assert!(current > Some(round), "L7: a loser learns where the stream is");
                }
                Err(other) => panic!("L7: {other:?}"),
            }
        }
        assert_eq!(won, 1, "L7: one wins revision {}", round + 1);
    }
}

fn with_bytes(number: u64, bytes: usize) -> NewFact {
    NewFact { data: Bytes::from(vec![b'x'; bytes]), ..fact(number) }
}

pub(super) async fn limits_are_exact(log: &impl Log) {
    must("L14", log.append("a", Expected::Any, vec![with_bytes(0, FACT_BYTES_MAX)]).await);
    let over = log.append("a", Expected::Any, vec![with_bytes(1, FACT_BYTES_MAX + 1)]).await;
    assert_eq!(over, Err(LogError::TooLarge), "L14: a fact");

    let half = APPEND_BYTES_MAX / 2;
    let exact = vec![with_bytes(2, half), with_bytes(3, APPEND_BYTES_MAX - half)];
    must("L14", log.append("a", Expected::Any, exact).await);
    let over = vec![with_bytes(4, half), with_bytes(5, APPEND_BYTES_MAX - half + 1)];
    assert_eq!(
        log.append("a", Expected::Any, over).await,
        Err(LogError::TooLarge),
        "L14: an append's bytes"
    );

    let count = u64::try_from(APPEND_FACTS_MAX).unwrap_or(u64::MAX);
    must("L14", log.append("a", Expected::Any, facts(10..10 + count)).await);
    let over = log.append("a", Expected::Any, facts(1_000..=1_000 + count)).await;
    assert_eq!(over, Err(LogError::TooLarge), "L14: an append's facts");

    let there = all("L14", log, "a").await;
    assert_eq!(there.len(), 3 + APPEND_FACTS_MAX, "L14: what is too large writes nothing");
    let first = there.first().map(|recorded| recorded.fact.data.len());
    assert_eq!(first, Some(FACT_BYTES_MAX), "L14: a big fact is read whole");
}

pub(super) async fn a_lost_answer_leaves_one_copy<L: Log>(log: Arc<L>) {
    let unreliable = LosesAnswers::new(log);
    must("L15", unreliable.append("a", Expected::NoStream, facts([0])).await);
    unreliable.lose_next();
    let lost = unreliable.append("a", Expected::Exact(0), facts([1, 2])).await;
    assert_eq!(lost, Err(LogError::Unavailable { outcome_unknown: true }), "L15");
    let again = must("L15", unreliable.append("a", Expected::Exact(0), facts([1, 2])).await);
    assert_eq!(again.last, 2, "L15: the retry is answered like the first time");
    assert_eq!(all("L15", &unreliable, "a").await.len(), 3, "L15: one copy");
}
