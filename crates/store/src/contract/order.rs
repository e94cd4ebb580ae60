//! Promises about appends asked for together: L19.

use uuid::Uuid;

use super::{all, caught_up, fact, facts, must};
use crate::fact::{APPEND_FACTS_MAX, NewFact};
use crate::log::{Append, Expected, Log, LogError};

fn append(stream: &str, expected: Expected, facts: Vec<NewFact>) -> Append {
    Append { stream: stream.to_owned(), expected, facts }
}

/// 700 appends of one and two facts to seven streams, each right only if those before it were done.
fn many() -> Vec<Append> {
    let mut next = [0_u64; 7];
    let mut numbers = 1_000..;
    (0..700_u64)
        .zip((0..7_usize).cycle())
        .map(|(n, which)| {
            let count = 1 + n % 2;
            let first = next.get(which).copied().unwrap_or_default();
            if let Some(next) = next.get_mut(which) {
                *next += count;
            }
            let expected = first.checked_sub(1).map_or(Expected::NoStream, Expected::Exact);
            let numbers = (0..count).filter_map(|_| numbers.next());
            append(&format!("many-{which}"), expected, facts(numbers))
        })
        .collect()
}

pub(super) async fn appends_stay_in_order(log: &impl Log) {
    assert_eq!(log.append_in_order(Vec::new()).await, Ok(Vec::new()), "L19: nothing asked");
    let asked = many();
    let answers = must("L19", log.append_in_order(asked.clone()).await);
    assert_eq!(answers.len(), asked.len(), "L19: an answer for each");
    let tokens = answers.iter().map(|done| done.token);
    assert!(tokens.is_sorted_by(|a, b| a < b), "L19: the answers have the order of the question");
    for (asked, done) in asked.iter().zip(&answers) {
        let count = u64::try_from(asked.facts.len()).unwrap_or(u64::MAX);
        let first = asked.expected.first_revision(None);
        assert_eq!(done.last + 1, first + count, "L19: each answer is to its own append");
    }
    let wanted = asked.iter().flat_map(|append| append.facts.iter().map(|fact| fact.id));
    let wanted: Vec<Uuid> = wanted.collect();
    let seen: Vec<Uuid> = caught_up("L19", log, None).await.iter().map(|r| r.fact.id).collect();
    assert_eq!(seen, wanted, "L19: the log has the order of the question");

    let again = must("L19", log.append_in_order(asked.clone()).await);
    assert_eq!(again, answers, "L19: asked again, it answers the same");
    // An order that was interrupted is asked again as a whole.
    let mut more = asked;
    more.push(append("more", Expected::NoStream, facts([1])));
    let more = must("L19", log.append_in_order(more).await);
    assert!(more.len() == 701 && more.starts_with(&answers), "L19: partly there, it goes on");
    let seen = caught_up("L19", log, None).await;
    assert_eq!(seen.len(), wanted.len() + 1, "L19: one copy");
}

pub(super) async fn the_first_failure_ends_an_order(log: &impl Log) {
    must("L19", log.append("there", Expected::NoStream, facts([1, 2])).await);
    let conflict = append("there", Expected::Exact(0), facts([3]));
    let too_many = u64::try_from(APPEND_FACTS_MAX).unwrap_or(u64::MAX);
    for (n, (failing, wanted)) in [
        (conflict.clone(), LogError::Conflict { current: Some(1) }),
        (append("far", Expected::Exact(4), facts([4])), LogError::Conflict { current: None }),
        (append("big", Expected::NoStream, facts(500..=500 + too_many)), LogError::TooLarge),
    ]
    .into_iter()
    .enumerate()
    {
        let first = 10_000 * (u64::try_from(n).unwrap_or_default() + 1);
        let (before, after) = (format!("before-{n}"), format!("after-{n}"));
        let asked = vec![
            append(&before, Expected::NoStream, facts([first])),
            append(&before, Expected::Exact(0), facts([first + 1, first + 2])),
            failing,
            append(&after, Expected::NoStream, facts([first + 3])),
            append("there", Expected::Exact(1), facts([first + 4])),
        ];
        let done = log.append_in_order(asked).await;
        assert_eq!(done, Err(wanted), "L19: the failure is the answer");
        assert_eq!(all("L19", log, &before).await.len(), 3, "L19: what stood before is written");
        let not_there = log.read_stream(&after, 0, crate::log::Direction::Forward, 1).await;
        assert_eq!(not_there, Err(LogError::StreamNotFound), "L19: what came after is not");
        assert_eq!(all("L19", log, "there").await.len(), 2, "L19: in no stream");
    }
    let first = log.append_in_order(vec![conflict]).await;
    assert_eq!(first, Err(LogError::Conflict { current: Some(1) }), "L19: the first of them");
    let seen = caught_up("L19", log, None).await;
    assert_eq!(seen.len(), 2 + 3 * 3, "L19: nothing else was written");
    must("L19", log.append("there", Expected::Exact(1), vec![fact(9)]).await);
}
