//! What goes wrong, on demand: switches that can be set while the double runs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Switches for what goes wrong. Those with a number `n` happen `n` times and are over; a new number replaces what is left of the old.
pub struct Faults {
    plan: Mutex<Plan>,
    bell: watch::Sender<u64>,
}

/// How often each fault has happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Happened {
    /// Appends that were written and whose answer was lost.
    pub lost_answers: u64,
    /// Appends refused before anything was written.
    pub refused_appends: u64,
    /// Appends that were written and answered with a timeout.
    pub timed_out_appends: u64,
    /// Reads and subscriptions broken off.
    pub broken_reads: u64,
    /// Subscriptions ended cleanly.
    pub ended_subscriptions: u64,
    /// Subscriptions fallen silent.
    pub silenced_subscriptions: u64,
    /// Calls denied.
    pub denied: u64,
}

#[derive(Default)]
struct Plan {
    lose: u32,
    refuse: u32,
    time_out: u32,
    break_reads: u32,
    break_after: u32,
    endings: u64,
    silent: bool,
    delay: Duration,
    deny: bool,
    happened: Happened,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { plan: Mutex::default(), bell: watch::channel(0).0 }
    }

    /// The next `n` appends are committed, and then their answer is lost: the client hears «unavailable».
    pub fn lose_answers(&self, n: u32) {
        self.plan().lose = n;
    }

    /// The next `n` appends are answered «unavailable» before anything is written.
    pub fn refuse_appends(&self, n: u32) {
        self.plan().refuse = n;
    }

    /// The next `n` appends are committed and answered «aborted: operation timed out».
    pub fn time_out_appends(&self, n: u32) {
        self.plan().time_out = n;
    }

    /// The next `n` streams of answers (reads and subscriptions) that come past `after` messages break there with
    /// «unavailable». Messages are counted from the stream's beginning, a subscription's confirmation among them; a
    /// stream that is past `after` already breaks at its next message, one that ends before is left alone.
    pub fn break_reads(&self, n: u32, after: u32) {
        let mut plan = self.plan();
        plan.break_reads = n;
        plan.break_after = after;
    }

    /// Every open subscription ends cleanly, as if there were nothing more.
    pub fn end_subscriptions(&self) {
        self.plan().endings += 1;
        self.ring();
    }

    /// While on, subscriptions fall silent: they stay open and say nothing more, ever. Switched off, new ones speak.
    pub fn silence_subscriptions(&self, on: bool) {
        self.plan().silent = on;
        self.ring();
    }

    /// Every answer comes this much later; what is written is written before the wait. Zero switches it off.
    pub fn delay(&self, by: Duration) {
        self.plan().delay = by;
    }

    /// While on, appends, reads and new subscriptions are answered «permission denied».
    pub fn deny(&self, on: bool) {
        self.plan().deny = on;
    }

    /// How often each fault has happened since the start.
    pub fn happened(&self) -> Happened {
        self.plan().happened
    }

    /// Waits as long as answers are delayed.
    pub(crate) async fn wait(&self) {
        let delay = self.plan().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// Wakes every subscription: something has changed.
    pub(crate) fn ring(&self) {
        self.bell.send_modify(|rung| *rung += 1);
    }

    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    pub(crate) fn loses(&self) -> bool {
        let mut plan = self.plan();
        let now = take(&mut plan.lose);
        plan.happened.lost_answers += u64::from(now);
        now
    }

    pub(crate) fn refuses(&self) -> bool {
        let mut plan = self.plan();
        let now = take(&mut plan.refuse);
        plan.happened.refused_appends += u64::from(now);
        now
    }

    pub(crate) fn times_out(&self) -> bool {
        let mut plan = self.plan();
        let now = take(&mut plan.time_out);
        plan.happened.timed_out_appends += u64::from(now);
        now
    }

    /// Whether a stream of answers breaks after so many messages sent.
    pub(crate) fn breaks(&self, sent: u32) -> bool {
        let mut plan = self.plan();
        let now = sent >= plan.break_after && take(&mut plan.break_reads);
        plan.happened.broken_reads += u64::from(now);
        now
    }

    /// How often all subscriptions were ended so far: one that began before the last time has to end.
    pub(crate) fn endings(&self) -> u64 {
        self.plan().endings
    }

    pub(crate) fn ended(&self) {
        self.plan().happened.ended_subscriptions += 1;
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.plan().silent
    }

    pub(crate) fn silenced(&self) {
        self.plan().happened.silenced_subscriptions += 1;
    }

    pub(crate) fn denies(&self) -> bool {
        let mut plan = self.plan();
        plan.happened.denied += u64::from(plan.deny);
        plan.deny
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes one of what is left, if anything is.
fn take(left: &mut u32) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}
