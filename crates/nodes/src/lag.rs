//! How far behind this node is: the log is asked for its head every second, and the oldest head not reached yet counts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use assay_store::log::{LogError, Token};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::shared::Shared;
use crate::stopped;

/// How often the log is asked for its head.
pub(crate) const HEAD_EVERY: Duration = Duration::from_secs(1);
/// How long an answer is waited for. Only one question is asked at a time.
const HEAD_WAIT: Duration = Duration::from_secs(5);
/// How long nothing may come although the log has more, until it is followed anew.
pub(crate) const STALL_MAX: Duration = Duration::from_secs(30);
/// How many heads not reached yet are remembered.
const HEADS_MAX: usize = 64;

/// The heads that were seen and are not reached yet.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    /// Each with when it was first seen, in microseconds since 1970; oldest first.
    beyond: VecDeque<(Token, i64)>,
    head: Option<Token>,
}

impl Lag {
    /// Notes the head that was seen at an instant.
    pub(crate) fn saw(&mut self, head: Option<Token>, now: i64) {
        self.head = head;
        let Some(head) = head else { return };
        let full = self.beyond.len() >= HEADS_MAX;
        match self.beyond.back_mut() {
            Some((newest, _)) if head <= *newest => {}
            // Rather a lag too long than one too short.
            Some((newest, _)) if full => *newest = head,
            _ => self.beyond.push_back((head, now)),
        }
    }

    /// The log's last fact, when it was last asked.
    pub(crate) const fn head(&self) -> Option<Token> {
        self.head
    }

    /// The age of the oldest head that lies beyond a place; 0 if none does.
    pub(crate) fn age(&mut self, seen: Option<Token>, now: i64) -> Duration {
        while self.beyond.front().is_some_and(|(head, _)| Some(*head) <= seen) {
            self.beyond.pop_front();
        }
        let age = self.beyond.front().map_or(0, |(_, since)| now.saturating_sub(*since));
        Duration::from_micros(u64::try_from(age).unwrap_or(0))
    }
}

/// Asks the log for its head until it is stopped, and has it followed anew where that contradicts what came.
pub(crate) async fn watch_head(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut every = interval(HEAD_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut moved = (shared.place().seen, Instant::now());
    let mut told: Option<Instant> = None;
    loop {
        let asked = async {
            every.tick().await;
            let before = shared.place();
            let answer = timeout(HEAD_WAIT, shared.upstream.head()).await;
            (before, answer.unwrap_or(Err(LogError::Unavailable { outcome_unknown: false })))
        };
        let (before, answer) = tokio::select! {
            () = stopped(&mut stop) => return,
            asked = asked => asked,
        };
        let place = shared.place();
        if place.seen != moved.0 {
            moved = (place.seen, Instant::now());
        }
        if let Ok(head) = answer {
            shared.saw(head);
            let stalls = head > place.seen && moved.1.elapsed() >= STALL_MAX;
            // What was here before the question is in every honest answer.
            let went_back = head < before.fact;
            let rested = told.is_none_or(|told| told.elapsed() >= STALL_MAX);
            if (stalls || went_back) && rested {
                told = Some(Instant::now());
                shared.look_again(if stalls {
                    "nothing came although the log has more"
                } else {
                    "the log's head went back"
                });
            }
        }
        metrics::gauge!("assay_replication_lag_seconds").set(shared.lag().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_head_not_reached_yet_counts() {
        let mut lag = Lag::default();
        assert_eq!(lag.age(None, 7), Duration::ZERO);
        lag.saw(Some(Token(10)), 100);
        lag.saw(Some(Token(10)), 150);
        lag.saw(Some(Token(30)), 200);
        assert_eq!(lag.age(None, 1_099), Duration::from_micros(999));
        assert_eq!(lag.age(Some(Token(9)), 1_099), Duration::from_micros(999));
        assert_eq!(lag.age(Some(Token(10)), 1_100), Duration::from_micros(900));
        assert_eq!(lag.age(Some(Token(31)), 1_100), Duration::ZERO);
        assert_eq!(lag.head(), Some(Token(30)));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_negative_lag() {
        let mut lag = Lag::default();
        lag.saw(Some(Token(10)), 100);
        assert_eq!(lag.age(None, 50), Duration::ZERO);
    }

    #[test]
    fn no_more_heads_are_remembered_than_the_limit() {
        let mut lag = Lag::default();
        for token in 1..1_000 {
            lag.saw(Some(Token(token)), 5);
        }
        assert_eq!(lag.beyond.len(), HEADS_MAX);
        assert_eq!(lag.age(Some(Token(998)), 9), Duration::from_micros(4));
        assert_eq!(lag.age(Some(Token(999)), 9), Duration::ZERO);
    }
}
