//! Promises about following: L3, L10–L13, L16.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::StreamExt as _;
use uuid::Uuid;

use super::{caught_up, fact, facts, must};
use crate::fact::Recorded;
use crate::log::{Expected, Followed, Log, LogError, Token};

/// The next so many facts after a token.
async fn take<L: Log>(
    promise: &str,
    log: &L,
    after: Option<Token>,
    count: usize,
    mut each: impl AsyncFnMut(usize),
) -> Vec<Recorded> {
    let mut seen = Vec::with_capacity(count);
    let mut following = log.follow(after);
    while seen.len() < count {
        match following.next().await {
            Some(Ok(Followed::Fact(fact))) => {
                each(seen.len()).await;
                seen.push(*fact);
            }
            Some(Ok(Followed::Progress(_) | Followed::CaughtUp)) => {}
            other => panic!("{promise}: a follower got {other:?}"),
        }
    }
    seen
}

fn strictly_increasing(seen: &[Recorded]) -> bool {
    seen.iter().zip(seen.iter().skip(1)).all(|(a, b)| a.token < b.token)
}

fn ids(seen: &[Recorded]) -> Vec<Uuid> {
    seen.iter().map(|recorded| recorded.fact.id).collect()
}

/// Many writers, and followers that start before, during and after: each sees every fact once and
/// tokens that only increase, so nothing came later at or below a token already seen.
pub(super) async fn nothing_appears_behind_a_follower<L: Log + 'static>(log: Arc<L>) {
    const WRITERS: u64 = 16;
    const APPENDS: u64 = 125;
    const FACTS: u64 = 5;
    let count = usize::try_from(WRITERS * APPENDS * FACTS).unwrap_or_default();
    let follower = |log: &Arc<L>| {
        let log = Arc::clone(log);
        tokio::spawn(async move { take("L3", &*log, None, count, async |_| ()).await })
    };
    let early = follower(&log);
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut last = None;
                for n in 0..APPENDS {
                    let first = (writer * APPENDS + n) * FACTS;
                    let stream = format!("s{}", (writer * 31 + n) % 40);
                    let group = facts(first..first + FACTS);
                    let done = must("L3", log.append(&stream, Expected::Any, group).await);
                    assert!(Some(done.token) > last, "L3: a writer's own tokens increase");
                    last = Some(done.token);
                }
            })
        })
        .collect();
    let during = follower(&log);
    for writer in writers {
        must("L3", writer.await);
    }
    let late = follower(&log);
    let seen = must("L3", early.await);
    assert!(strictly_increasing(&seen), "L3: tokens only increase");
    let distinct: HashSet<Uuid> = seen.iter().map(|recorded| recorded.fact.id).collect();
    assert_eq!(distinct.len(), count, "L3: every fact once");
    assert_eq!(must("L3", during.await), seen, "L3: every follower sees the same");
    assert_eq!(must("L3", late.await), seen, "L3: also afterwards");
}

pub(super) async fn only_our_facts_appear(log: &impl Log) {
    assert!(caught_up("L10", log, None).await.is_empty(), "L10: a fresh log is empty");
    must("L10", log.append("a", Expected::NoStream, facts([1, 2])).await);
    must("L10", log.append("b", Expected::NoStream, facts([3])).await);
    let seen = caught_up("L10", log, None).await;
    assert_eq!(seen.into_iter().map(|r| r.fact).collect::<Vec<_>>(), facts(1..4), "L10");
}

async fn write_some(promise: &str, log: &impl Log, count: u64) -> Vec<Uuid> {
    for n in 0..count {
        must(promise, log.append(&format!("s{}", n % 5), Expected::Any, facts([n])).await);
    }
    (0..count).map(|n| fact(n).id).collect()
}

pub(super) async fn every_fact_once_in_order(log: &impl Log) {
    const COUNT: u64 = 300;
    let wanted = write_some("L11", log, COUNT).await;
    let whole = caught_up("L11", log, None).await;
    assert_eq!(ids(&whole), wanted, "L11: from nothing");
    assert!(strictly_increasing(&whole), "L11");
    for (n, recorded) in whole.iter().enumerate().step_by(37) {
        let rest = caught_up("L11", log, Some(recorded.token)).await;
        assert!(ids(&rest).iter().eq(wanted.iter().skip(n + 1)), "L11: from the middle, {n}");
    }
    let head = must("L11", log.head().await);
    assert!(caught_up("L11", log, head).await.is_empty(), "L11: from the head");

    for k in [1, 2, 7, 64, 299] {
        let (mut union, mut after) = (Vec::new(), None);
        while union.len() < wanted.len() {
            let count = k.min(wanted.len() - union.len());
            let part = take("L11", log, after, count, async |_| ()).await;
            after = part.last().map(|recorded| recorded.token);
            union.extend(ids(&part));
        }
        assert_eq!(union, wanted, "L11: killed at every {k}th fact");
    }

    // A follower at the head waits, and then sees what comes.
    let mut following = log.follow(head);
    let waiting = tokio::time::timeout(Duration::from_millis(20), async {
        while !matches!(following.next().await, None | Some(Ok(Followed::Fact(_)) | Err(_))) {}
    });
    assert!(waiting.await.is_err(), "L11: a follower at the head waits");
    must("L11", log.append("new", Expected::NoStream, facts([COUNT])).await);
    loop {
        match following.next().await {
            Some(Ok(Followed::Fact(seen))) => break assert_eq!(seen.fact, fact(COUNT), "L11"),
            Some(Ok(_)) => {}
            other => panic!("L11: a waiting follower got {other:?}"),
        }
    }
}

pub(super) async fn progress_is_a_place_to_resume(log: &impl Log) {
    const COUNT: u64 = 600;
    let wanted = write_some("L12", log, COUNT).await;
    let mut following = log.follow(None);
    let (mut seen, mut places) = (Vec::new(), 0);
    while seen.len() < wanted.len() {
        match following.next().await {
            Some(Ok(Followed::Fact(fact))) => seen.push(fact.fact.id),
            Some(Ok(Followed::Progress(token))) => {
                places += 1;
                let rest = ids(&caught_up("L12", log, Some(token)).await);
                let union: Vec<Uuid> = seen.iter().copied().chain(rest).collect();
                assert_eq!(union, wanted, "L12: resumed after {} facts", seen.len());
            }
            Some(Ok(Followed::CaughtUp)) => {}
            other => panic!("L12: a follower got {other:?}"),
        }
    }
    // Whoever never says where it is safe to resume keeps L12, but not its purpose.
    let next = following.next().await;
    assert!(places > 0 || matches!(next, Some(Ok(Followed::Progress(_)))), "L12: got {next:?}");
}

pub(super) async fn a_follower_ahead_is_told(log: &impl Log) {
    let ahead = |token| async move {
        let first = log.follow(Some(token)).next().await;
        assert_eq!(first, Some(Err(LogError::TokenAhead)), "L13: after {token:?}");
    };
    ahead(Token(1)).await;
    let done = must("L13", log.append("a", Expected::NoStream, facts([1, 2])).await);
    // Calculating with a token is for this promise alone.
    ahead(Token(done.token.0 + 1)).await;
    ahead(Token(u64::MAX / 2)).await;
}

pub(super) async fn a_slow_follower_misses_nothing<L: Log + 'static>(log: Arc<L>) {
    const COUNT: u64 = 2_000;
    let slow = {
        let log = Arc::clone(&log);
        let count = usize::try_from(COUNT).unwrap_or_default();
        tokio::spawn(async move {
            let pause = async |n: usize| {
                if n.is_multiple_of(100) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            };
            take("L16", &*log, None, count, pause).await
        })
    };
    for n in (0..COUNT).step_by(100) {
        must("L16", log.append("a", Expected::Any, facts(n..n + 100)).await);
    }
    let seen = must("L16", slow.await);
    let wanted: Vec<Uuid> = (0..COUNT).map(|n| fact(n).id).collect();
    assert_eq!(ids(&seen), wanted, "L16: everything, in order");
}
