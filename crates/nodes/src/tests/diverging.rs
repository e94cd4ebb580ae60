//! A journal that contradicts the log is noticed, and left as it is.

use std::sync::Arc;
use std::time::Duration;

use assay_store::fact::NewFact;
use assay_store::log::{Expected, Log as _, LogError};
use assay_store::memory::MemoryLog;
use uuid::Uuid;

use super::replica::MemoryReplica;
use super::upstream::Upstream;
use super::{caught_up, diverged, entries, exact, fact, following, start};
use crate::{ClusterError, Replication};

type Change = fn(u64, &mut NewFact);

/// A log with the same id and other facts.
async fn another(facts: u64, change: impl Fn(u64, &mut NewFact)) -> MemoryLog {
    let log = MemoryLog::with_id(Uuid::from_u128(42));
    for number in 0..facts {
        let mut fact = fact(number);
        change(number, &mut fact);
        log.append(&format!("s{}", number % 11), Expected::Any, vec![fact]).await.unwrap();
    }
    log
}

async fn copied(facts: u64) -> (Arc<Upstream>, Arc<MemoryReplica>, Replication) {
    let (upstream, journal) = (Upstream::with(facts).await, MemoryReplica::new());
    let replication = start(&upstream, &journal).await;
    caught_up(&replication).await;
    (upstream, journal, replication)
}

/// It says so, it stays so, nothing is changed, and nothing is written upstream.
async fn it_stays(
    replication: &Replication,
    upstream: &Upstream,
    journal: &MemoryReplica,
    words: &str,
) {
    let why = diverged(replication).await;
    assert!(why.contains(words), "{why}");
    let (before, theirs) = (entries(journal), entries(&upstream.log()).len());
    let append = |n| replication_append(replication, n);
    let refused = append(90_000).await;
    assert_eq!(refused, Err(LogError::Unavailable { outcome_unknown: false }));
    assert_eq!(entries(&upstream.log()).len(), theirs);
    upstream.append_one("more", fact(90_001)).await;
    tokio::time::sleep(Duration::from_mins(5)).await;
    assert_eq!(entries(journal), before);
    assert_eq!(diverged(replication).await, why);
    let waited = replication.caught_up(|_| {}).await;
    assert_eq!(waited, Err(ClusterError::Diverged { why }));
    replication.stop().await;
    diverged(replication).await;
}

async fn replication_append(replication: &Replication, number: u64) -> Result<(), LogError> {
    let log = replication.log();
    log.append("new", Expected::Any, vec![fact(number)]).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn a_replaced_log_of_the_same_length_is_noticed_at_the_start() {
    let (upstream, journal, replication) = copied(100).await;
    replication.stop().await;
    let changes: [(&str, Change); 4] = [
        ("another id", |_, fact| fact.id = Uuid::from_u128(fact.id.as_u128() + (9 << 64))),
        ("another content", |_, fact| fact.data = "{}".into()),
        ("another name", |_, fact| fact.name.push('x')),
        ("another envelope", |_, fact| fact.envelope.actor = Uuid::nil()),
    ];
    for (words, change) in changes {
        upstream.replace(another(100, change).await);
        let replication = start(&upstream, &journal).await;
        // Not even when it looks as if everything were here.
        let waited = replication.caught_up(|_| {}).await;
        assert!(matches!(waited, Err(ClusterError::Diverged { .. })), "{waited:?}");
        it_stays(&replication, &upstream, &journal, words).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_replaced_log_is_noticed_while_running() {
    let (upstream, journal, replication) = copied(100).await;
    upstream.replace(another(200, |_, fact| fact.data = "{}".into()).await);
    it_stays(&replication, &upstream, &journal, "entry 100 of this node's journal").await;
}

#[tokio::test(start_paused = true)]
async fn a_log_restored_from_an_older_copy_is_noticed_at_the_start() {
    for left in [0, 1, 50, 98, 99] {
        let (upstream, journal, replication) = copied(100).await;
        replication.stop().await;
        upstream.replace(another(left, |_, _| {}).await);
        let replication = start(&upstream, &journal).await;
        it_stays(&replication, &upstream, &journal, "ends before entry 100").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_restored_from_an_older_copy_is_noticed_while_running() {
    for left in [0, 50, 99] {
        let (upstream, journal, replication) = copied(100).await;
        upstream.replace(another(left, |_, _| {}).await);
        it_stays(&replication, &upstream, &journal, "ends before entry 100").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restored_log_is_noticed_although_its_followers_are_told_nothing() {
    let (upstream, journal, replication) = copied(100).await;
    upstream.faults().followers_stay = true;
    upstream.replace(another(50, |_, _| {}).await);
    it_stays(&replication, &upstream, &journal, "ends before entry 100").await;
}

#[tokio::test(start_paused = true)]
async fn the_first_append_into_an_older_copy_is_not_acknowledged() {
    let (upstream, _journal, replication) = copied(30).await;
    following(&replication).await;
    upstream.faults().followers_stay = true;
    upstream.replace(another(20, |_, _| ()).await);
    let log = replication.log();
    let answer = log.append("mine", Expected::NoStream, vec![fact(900)]).await;
    assert_eq!(answer, Err(LogError::Unavailable { outcome_unknown: true }));
    diverged(&replication).await;
}

#[tokio::test(start_paused = true)]
async fn a_log_with_another_id_is_noticed_while_running() {
    let (upstream, journal, replication) = copied(10).await;
    upstream.replace(MemoryLog::with_id(Uuid::from_u128(43)));
    it_stays(&replication, &upstream, &journal, &Uuid::from_u128(43).to_string()).await;
}

#[tokio::test(start_paused = true)]
async fn a_journal_with_one_entry_is_checked_too() {
    let (upstream, journal, replication) = copied(1).await;
    replication.stop().await;
    let again = start(&upstream, &journal).await;
    caught_up(&again).await;
    again.stop().await;
    upstream.replace(another(1, |_, fact| fact.data = "{}".into()).await);
    let replication = start(&upstream, &journal).await;
    it_stays(&replication, &upstream, &journal, "entry 1 of this node's journal").await;
}

#[tokio::test(start_paused = true)]
async fn a_fact_the_log_leaves_out_is_noticed_at_the_next_one_of_its_stream() {
    let (upstream, journal, replication) = copied(50).await;
    upstream.faults().skips = Some(55);
    let before = entries(&*journal);
    upstream.write(50..80).await;
    it_stays(&replication, &upstream, &journal, "do not continue this node's journal").await;
    let after = entries(&*journal);
    assert!(after.starts_with(&before) && after.len() < 65, "nothing beyond the gap is taken");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_says_its_facts_in_another_order_is_noticed() {
    let (upstream, journal, replication) = copied(50).await;
    upstream.faults().swaps = Some(56);
    upstream.write(50..60).await;
    it_stays(&replication, &upstream, &journal, "after what lies beyond it").await;
}

#[tokio::test(start_paused = true)]
async fn a_time_that_was_raised_here_contradicts_nothing() {
    // The last fact's clock went back: here it has the time of the one before.
    let (upstream, journal, replication) = copied(13 * 4 + 6).await;
    let last = entries(&*journal).pop().unwrap().recorded.fact.envelope.recorded_at;
    assert!(last > fact(13 * 4 + 5).envelope.recorded_at);
    replication.stop().await;
    let replication = start(&upstream, &journal).await;
    upstream.write(58..70).await;
    caught_up(&replication).await;
    exact(&journal, &upstream);
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_later_in_the_log_than_here_contradicts_it() {
    let (upstream, journal, replication) = copied(20).await;
    replication.stop().await;
    let other = Upstream::new();
    for number in 0..20 {
        let mut fact = fact(number);
        fact.envelope.recorded_at += 1;
        other.append_one(&format!("s{}", number % 11), fact).await;
    }
    let replication = start(&other, &journal).await;
    it_stays(&replication, &other, &journal, "another envelope").await;
    assert_eq!(entries(&upstream.log()).len(), 20);
}
