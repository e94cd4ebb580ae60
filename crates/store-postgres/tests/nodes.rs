//! Several nodes on one database: they take turns, and what each is told holds for all.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::collections::HashSet;

use assay_store::log::{Append, Direction, Expected, Followed, Log, LogError, Token};
use assay_store_postgres::Options;
use common::{all, assert_dense, fact, open_log, prepared, sql};
use futures_util::StreamExt as _;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_write_one_dense_order_that_nothing_appears_behind() {
    const WRITERS: u128 = 4;
    const APPENDS: u128 = 60;
    let options = prepared().await;
    let nodes = [open_log(&options).await, open_log(&options).await];
    let count = usize::try_from(2 * WRITERS * APPENDS * 2).unwrap();

    let followers: Vec<_> = nodes
        .iter()
        .map(|node| {
            let mut following = node.follow(None);
            tokio::spawn(async move {
                let mut seen = Vec::new();
                while seen.len() < count {
                    if let Followed::Fact(fact) = following.next().await.unwrap().unwrap() {
                        seen.push(*fact);
                    }
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = (0..2 * WRITERS)
        .map(|writer| {
            let node = nodes[usize::try_from(writer % 2).unwrap()].clone();
            tokio::spawn(async move {
                let mut tokens = Vec::new();
                for n in 0..APPENDS {
                    let first = (writer * APPENDS + n) * 2;
                    let stream = format!("s{}", (writer + n) % 3);
                    let facts = vec![fact(first), fact(first + 1)];
                    let done = node.append(&stream, Expected::Any, facts).await.unwrap();
                    assert_eq!(done.committed.len(), 2);
                    assert_eq!(done.committed[1].position, done.token.0);
                    tokens.push(done.token);
                }
                assert!(tokens.is_sorted());
                tokens
            })
        })
        .collect();
    let mut tokens = HashSet::new();
    for writer in writers {
        tokens.extend(writer.await.unwrap());
    }
    assert_eq!(tokens.len() * 2, count, "no place was given twice");
    for follower in followers {
        assert_dense(&follower.await.unwrap());
    }
    let stats = nodes[0].stats();
    assert_eq!(u128::from(stats.appends), WRITERS * APPENDS);
    assert_eq!((stats.facts, stats.unwritten), (stats.appends * 2, 0));
    assert!(stats.commits <= stats.appends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_want_the_same_revision_one_wins() {
    let options = prepared().await;
    let nodes = [open_log(&options).await, open_log(&options).await];
    nodes[0].append("a", Expected::NoStream, vec![fact(1_000)]).await.unwrap();
    for round in 0..30_u64 {
        let number = u128::from(round) * 2;
        let answers = futures_util::future::join(
            nodes[0].append("a", Expected::Exact(round), vec![fact(number)]),
            nodes[1].append("a", Expected::Exact(round), vec![fact(number + 1)]),
        )
        .await;
        let won = [&answers.0, &answers.1].into_iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(won, 1, "{answers:?}");
        let conflict = Err(LogError::Conflict { current: Some(round + 1) });
        assert!(answers.0 == conflict || answers.1 == conflict, "{answers:?}");
    }
}

#[tokio::test]
async fn an_append_asked_again_of_another_node_gets_the_same_answer() {
    let options = prepared().await;
    let (one, other) = (open_log(&options).await, open_log(&options).await);
    let mut late = fact(2);
    late.envelope.recorded_at += 500;
    one.append("b", Expected::NoStream, vec![late.clone()]).await.unwrap();
    // The clock of this one is behind: what is stored is not what was sent, and the leaf is over that.
    let done = other.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    let mut again = fact(1);
    again.envelope.recorded_at += 9_000;
    assert_eq!(one.append("a", Expected::NoStream, vec![again]).await.unwrap(), done);
    let stored = one.read_stream("a", 0, Direction::Forward, 10).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].fact.envelope.recorded_at, late.envelope.recorded_at);
    let leaf = assay_store::leaf::leaf_of(2, "a", 0, &stored[0].fact);
    assert_eq!(done.committed[0].leaf_hash, leaf);
    assert_eq!(all(&*other).await.len(), 2, "one copy");
}

fn copy(streams: u128, count: u128) -> Vec<Append> {
    let append = |n: u128| {
        let revision = u64::try_from(n / streams).unwrap();
        let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
        Append { stream: format!("s{}", n % streams), expected, facts: vec![fact(n)] }
    };
    (0..count).map(append).collect()
}

#[tokio::test]
async fn appends_in_order_stand_in_order_and_share_commits() {
    const COUNT: u128 = 3_000;
    let log = open_log(&prepared().await).await;
    let answers = log.append_in_order(copy(7, COUNT)).await.unwrap();
    let tokens: Vec<u64> = answers.iter().map(|answer| answer.token.0).collect();
    assert!(tokens.into_iter().eq(1..=u64::try_from(COUNT).unwrap()));
    assert_dense(&all(&*log).await);
    let commits = log.stats().commits;
    assert!(u128::from(commits) < COUNT / 10, "{commits} commits");
    let again = log.append_in_order(copy(7, COUNT)).await.unwrap();
    assert_eq!(again, answers, "the same copy again adds nothing");
    assert_eq!(log.head().await, Ok(Some(Token(u64::try_from(COUNT).unwrap()))));
}

#[tokio::test]
async fn appends_in_order_end_with_the_first_that_fails() {
    let log = open_log(&prepared().await).await;
    let mut appends = copy(7, 1_000);
    appends[700].expected = Expected::Exact(5_000);
    let failed = log.append_in_order(appends).await;
    assert_eq!(failed, Err(LogError::Conflict { current: Some(99) }));
    assert_eq!(log.head().await, Ok(Some(Token(700))), "what stood before it is there, no more");
    let mut appends = copy(7, 1_000);
    appends[900].facts.clear();
    let failed = log.append_in_order(appends).await;
    assert!(matches!(failed, Err(LogError::Invalid(_))), "{failed:?}");
    assert_eq!(log.head().await, Ok(Some(Token(900))), "copied again from the start");
}

#[tokio::test]
async fn too_many_appends_are_turned_away_and_do_no_harm() {
    let mut options = prepared().await;
    options.queue_appends_max = 3;
    let log = open_log(&options).await;
    let appends = (0..200).map(|n| log.append("a", Expected::Any, vec![fact(n)]));
    let answers = futures_util::future::join_all(appends).await;
    let turned_away = Err(LogError::Unavailable { outcome_unknown: false });
    let away = answers.iter().filter(|answer| **answer == turned_away).count();
    let stored = all(&*log).await;
    assert_eq!(stored.len() + away, 200);
    assert!(away > 0);
    assert_eq!(log.stats().turned_away, u64::try_from(away).unwrap());
    assert_dense(&stored);
}

#[tokio::test]
async fn a_name_with_a_zero_byte_is_refused_alone() {
    let log = open_log(&prepared().await).await;
    let mut named = fact(1);
    named.name = "n\0".to_owned();
    let (stream, name, good) = futures_util::future::join3(
        log.append("a\0", Expected::Any, vec![fact(2)]),
        log.append("a", Expected::Any, vec![named]),
        log.append("a", Expected::Any, vec![fact(3)]),
    )
    .await;
    assert!(matches!(stream, Err(LogError::Invalid(_))), "{stream:?}");
    assert!(matches!(name, Err(LogError::Invalid(_))), "{name:?}");
    assert!(good.is_ok(), "{good:?}");
    let read = log.read_stream("a\0", 0, Direction::Forward, 1).await;
    assert_eq!(read, Err(LogError::StreamNotFound));
}

/// A log whose facts were lost and replaced, as after a failover without a synchronous standby.
fn rewound(options: &Options, to: u64) {
    let statements = format!(
        "ALTER TABLE assay.entries DISABLE TRIGGER entries_stay;
         ALTER TABLE assay.head DISABLE TRIGGER head_grows;
         DELETE FROM assay.entries WHERE position > {to};
         UPDATE assay.head SET position = {to};
         ALTER TABLE assay.entries ENABLE ALWAYS TRIGGER entries_stay;
         ALTER TABLE assay.head ENABLE ALWAYS TRIGGER head_grows;"
    );
    sql(options, &statements);
}

#[tokio::test]
async fn a_follower_of_a_log_that_was_rewound_is_told() {
    let options = prepared().await;
    let log = open_log(&options).await;
    for grown in [false, true] {
        for n in 0..10_u128 {
            let number = n + if grown { 100 } else { 0 };
            log.append("a", Expected::Any, vec![fact(number)]).await.unwrap();
        }
        let mut following = log.follow(None);
        while following.next().await.unwrap().unwrap() != Followed::CaughtUp {}
        rewound(&options, 4);
        if grown {
            // Others took the places: only the facts themselves tell.
            let others = (0..20).map(|n| Append {
                stream: "b".to_owned(),
                expected: Expected::Any,
                facts: vec![fact(200 + n)],
            });
            log.append_in_order(others.collect()).await.unwrap();
        }
        let told = loop {
            match following.next().await {
                Some(Ok(Followed::Progress(_) | Followed::CaughtUp)) => {}
                other => break other,
            }
        };
        assert_eq!(told, Some(Err(LogError::TokenAhead)), "grown: {grown}");
        assert_eq!(following.next().await, None, "an error is the last thing it says");
        rewound(&options, 0);
    }
}

#[tokio::test]
async fn big_facts_are_followed_and_read_whole() {
    let log = open_log(&prepared().await).await;
    let mut sent = Vec::new();
    for n in 0..30_u128 {
        let mut big = fact(n);
        big.data = vec![u8::try_from(n).unwrap(); assay_store::fact::FACT_BYTES_MAX].into();
        sent.push(big.clone());
        log.append("a", Expected::Any, vec![big]).await.unwrap();
    }
    let followed = all(&*log).await;
    assert!(followed.iter().map(|recorded| &recorded.fact).eq(&sent));
    let read = log.read_stream("a", 0, Direction::Forward, 100).await.unwrap();
    assert_eq!(read, followed);
    let mut back = log.read_stream("a", 99, Direction::Backward, 29).await.unwrap();
    back.reverse();
    assert_eq!(back, read[1..]);
}
