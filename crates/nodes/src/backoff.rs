//! When something is tried again: soon at first, then seldom, and never by all nodes at once.

use std::time::Duration;

/// The shortest wait.
const WAIT_MIN: Duration = Duration::from_millis(50);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// How long to wait before the next try.
#[derive(Debug)]
pub(crate) struct Backoff {
    wait: Duration,
}

impl Backoff {
    /// The first wait is the shortest.
    pub(crate) const fn new() -> Self {
        Self { wait: WAIT_MIN }
    }

    /// Something succeeded: the next wait is the shortest again.
    pub(crate) const fn succeeded(&mut self) {
        self.wait = WAIT_MIN;
    }

    /// The wait before the next try: between half and all of what it may be by now.
    pub(crate) fn next(&mut self) -> Duration {
        let most = self.wait;
        self.wait = most.saturating_mul(2).min(WAIT_MAX);
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(rand::random_range(micros / 2..=micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_start_anew_after_a_success() {
        let mut backoff = Backoff::new();
        for doublings in 0..40 {
            let most = WAIT_MIN.saturating_mul(1 << doublings.min(20)).min(WAIT_MAX);
            let wait = backoff.next();
            assert!(wait >= most / 2 && wait <= most, "{doublings}: {wait:?}");
        }
        backoff.succeeded();
        assert!(backoff.next() <= WAIT_MIN);
    }
}
