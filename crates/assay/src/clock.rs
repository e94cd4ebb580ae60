//! What time it is: the one real clock of the program, and a scripted one for the demo.

use std::sync::atomic::{AtomicI64, Ordering};

use assay_commands::Clock;
use jiff::Timestamp;

/// The machine's clock in microseconds, which never goes back while the program runs.
#[derive(Debug, Default)]
pub(crate) struct SystemClock {
    last: AtomicI64,
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one real clock")]
    fn now(&self) -> Timestamp {
        let read = Timestamp::now().as_microsecond();
        let last = self.last.fetch_max(read, Ordering::Relaxed);
        instant(last.max(read))
    }
}

/// A clock that tells what the script says, and moves on a little with every look.
#[derive(Debug)]
pub(crate) struct ScriptedClock {
    next: AtomicI64,
}

/// How far the scripted clock moves with every look, in microseconds.
const STEP_MICROSECONDS: i64 = 17_000_000;

impl ScriptedClock {
    /// A clock that begins at an instant.
    pub(crate) fn starting(at: Timestamp) -> Self {
        Self { next: AtomicI64::new(at.as_microsecond()) }
    }

    /// Moves on to an instant; never back.
    pub(crate) fn forward_to(&self, at: Timestamp) {
        self.next.fetch_max(at.as_microsecond(), Ordering::Relaxed);
    }
}

impl Clock for ScriptedClock {
    fn now(&self) -> Timestamp {
        instant(self.next.fetch_add(STEP_MICROSECONDS, Ordering::Relaxed))
    }
}

fn instant(microseconds: i64) -> Timestamp {
    Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_real_clock_does_not_go_back() {
        let ahead = SystemClock::default().now().as_microsecond() + 60_000_000;
        let clock = SystemClock { last: AtomicI64::new(ahead) };
        assert_eq!(clock.now().as_microsecond(), ahead);
        assert_eq!(clock.now().subsec_nanosecond() % 1_000, 0);
    }

    #[test]
    fn the_scripted_clock_only_moves_on() {
        let clock = ScriptedClock::starting(Timestamp::UNIX_EPOCH);
        let first = clock.now();
        clock.forward_to(Timestamp::UNIX_EPOCH);
        assert!(clock.now() > first);
    }
}
