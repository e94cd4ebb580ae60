//! Promises about names and about reading a stream: L8, L9, L17.

use super::{Make, all, caught_up, fact, facts, must};
use crate::fact::{NAME_BYTES_MAX, NewFact};
use crate::log::{Direction, Expected, Log, LogError};

pub(super) async fn names_are_kept_or_refused(log: &impl Log) {
    let invalid = |answer: &Result<_, LogError>| matches!(answer, Err(LogError::Invalid(_)));
    let too_long = "n".repeat(NAME_BYTES_MAX + 1);
    let called = |name: &str| NewFact { name: name.to_owned(), ..fact(0) };
    for name in ["", "$system", too_long.as_str()] {
        let answer = log.append(name, Expected::Any, facts([0])).await;
        assert!(invalid(&answer), "L8: stream {name:?} gives {answer:?}");
        let answer = log.append("s", Expected::Any, vec![called(name)]).await;
        assert!(invalid(&answer), "L8: fact {name:?} gives {answer:?}");
    }
    let empty = log.append("s", Expected::Any, Vec::new()).await;
    assert!(invalid(&empty), "L8: an empty append gives {empty:?}");
    let nothing = log.read_stream("s", 0, Direction::Forward, 1).await;
    assert_eq!(nothing, Err(LogError::StreamNotFound), "L8: what is refused makes no stream");

    // The two spellings of é are two names, as are upper and lower case.
    let longest = "ü".repeat(NAME_BYTES_MAX / 2);
    let names = [
        "case-1",
        "Case-1",
        "a/b c",
        "🦀 läuft",
        "caf\u{e9}",
        "cafe\u{301}",
        "%_'\"\\",
        "a$b",
        "東京",
        longest.as_str(),
    ];
    for (name, n) in names.iter().zip(1..) {
        let fact = NewFact { id: fact(n).id, ..called(name) };
        must("L8", log.append(name, Expected::NoStream, vec![fact]).await);
    }
    for name in names {
        let there = all("L8", log, name).await;
        assert_eq!(there.len(), 1, "L8: {name:?} is a stream of its own");
        let round_trip = there.iter().all(|r| r.stream == name && r.fact.name == name);
        assert!(round_trip, "L8: {name:?} comes back as it went in");
    }
    let followed = caught_up("L8", log, None).await;
    assert!(followed.iter().map(|r| r.stream.as_str()).eq(names), "L8: followers see the same");
}

pub(super) async fn streams_are_read_in_pages(log: &impl Log) {
    const COUNT: u64 = 23;
    let missing = log.read_stream("a", 0, Direction::Forward, 10).await;
    assert_eq!(missing, Err(LogError::StreamNotFound), "L9");
    let missing = log.read_stream("a", 0, Direction::Backward, 0).await;
    assert_eq!(missing, Err(LogError::StreamNotFound), "L9: even when nothing is asked for");
    must("L9", log.append("a", Expected::NoStream, facts(0..COUNT)).await);
    // Neighbours, so that a page that runs over is seen.
    must("L9", log.append("b", Expected::NoStream, facts(100..110)).await);

    for limit in [0_usize, 1, 5, 22, 23, 24, 1_000] {
        for from in [0, 1, 11, 22, 23, 24, u64::MAX] {
            let page = must("L9", log.read_stream("a", from, Direction::Forward, limit).await);
            let wanted: Vec<u64> = (from..COUNT).take(limit).collect();
            let got: Vec<u64> = page.iter().map(|recorded| recorded.revision).collect();
            assert_eq!(got, wanted, "L9: forward from {from}, limit {limit}");

            let page = must("L9", log.read_stream("a", from, Direction::Backward, limit).await);
            let wanted: Vec<u64> = (0..=from.min(COUNT - 1)).rev().take(limit).collect();
            let got: Vec<u64> = page.iter().map(|recorded| recorded.revision).collect();
            assert_eq!(got, wanted, "L9: backward from {from}, limit {limit}");
        }
    }
    let mut paged = Vec::new();
    loop {
        let from = paged.len().try_into().unwrap_or(u64::MAX);
        let page = must("L9", log.read_stream("a", from, Direction::Forward, 7).await);
        if page.is_empty() {
            break;
        }
        paged.extend(page.into_iter().map(|recorded| recorded.fact));
    }
    assert_eq!(paged, facts(0..COUNT), "L9: the pages together are the stream");
}

pub(super) async fn microseconds_survive<M: Make>(make: &M) {
    const RECORDED_AT: i64 = 1_732_345_678_901_234;
    let log = make.fresh().await;
    let mut sent = fact(1);
    sent.envelope.recorded_at = RECORDED_AT;
    must("L17", log.append("a", Expected::NoStream, vec![sent.clone()]).await);
    let log = make.reopen(log).await;
    let read = all("L17", &*log, "a").await;
    let followed = caught_up("L17", &*log, None).await;
    for recorded in read.iter().chain(&followed) {
        assert_eq!(recorded.fact.envelope.recorded_at, RECORDED_AT, "L17");
        assert_eq!(recorded.fact, sent, "L17: and so does all else");
    }
    assert_eq!((read.len(), followed.len()), (1, 1), "L17");
}
