//! What the replicator's tasks, its handle and the log above share: the state, and how far it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use assay_store::log::{Log, Token};
use assay_store::replica::Replica;
use tokio::sync::watch;

use crate::Clock;
use crate::lag::Lag;
use crate::overlap::End;
use crate::state::{Place, Progress, State};

/// One for each replication.
pub(crate) struct Shared {
    pub(crate) upstream: Arc<dyn Log>,
    pub(crate) journal: Arc<dyn Replica>,
    clock: Clock,
    pub(crate) state: watch::Sender<State>,
    pub(crate) place: watch::Sender<Place>,
    /// Why the log is to be followed anew.
    pub(crate) look_again: watch::Sender<&'static str>,
    /// Up to where the journal says it was followed.
    noted: Mutex<Option<Token>>,
    lag: Mutex<Lag>,
    entries: AtomicU64,
}

impl Shared {
    /// Where nothing was followed yet.
    pub(crate) fn new(
        upstream: Arc<dyn Log>,
        journal: Arc<dyn Replica>,
        clock: Clock,
        end: &End,
    ) -> Self {
        let shared = Self {
            upstream,
            journal,
            state: watch::Sender::new(State::CatchingUp { since_us: clock() }),
            place: watch::Sender::new(place_at(end, false)),
            look_again: watch::Sender::new(""),
            noted: Mutex::new(end.followed),
            lag: Mutex::default(),
            entries: AtomicU64::new(0),
            clock,
        };
        shared.show();
        shared
    }

    pub(crate) fn place(&self) -> Place {
        *self.place.borrow()
    }

    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    pub(crate) fn progress(&self) -> Progress {
        let place = self.place();
        Progress {
            entries: self.entries.load(Ordering::Relaxed),
            position: place.position,
            token: place.seen,
            head: locked(&self.lag).head(),
            state: self.state(),
        }
    }

    pub(crate) fn saw(&self, head: Option<Token>) {
        locked(&self.lag).saw(head, (self.clock)());
    }

    pub(crate) fn lag(&self) -> Duration {
        locked(&self.lag).age(self.place().seen, (self.clock)())
    }

    pub(crate) fn look_again(&self, why: &'static str) {
        self.look_again.send_replace(why);
    }

    /// Up to where the journal says it was followed.
    pub(crate) fn noted(&self) -> Option<Token> {
        *locked(&self.noted)
    }

    /// The journal does not contradict the log.
    pub(crate) fn checked(&self, end: &End) {
        *locked(&self.noted) = end.followed;
        self.place.send_replace(place_at(end, true));
    }

    /// The log said something.
    pub(crate) fn heard(&self) {
        if !matches!(*self.state.borrow(), State::CatchingUp { .. }) {
            self.enter(State::CatchingUp { since_us: (self.clock)() });
        }
    }

    /// All up to a place is in the journal, though the journal need not say so.
    pub(crate) fn followed(&self, seen: Option<Token>) {
        self.place.send_if_modified(|place| {
            let further = seen > place.seen;
            place.seen = place.seen.max(seen);
            further
        });
    }

    /// A batch is in the journal.
    pub(crate) fn taken(&self, head: u64, facts: u64, last: Option<Token>, up_to: Token) {
        self.entries.fetch_add(facts, Ordering::Relaxed);
        metrics::counter!("assay_replication_entries_total").increment(facts);
        *locked(&self.noted) = Some(up_to);
        self.place.send_modify(|place| {
            place.position = head;
            place.fact = last.or(place.fact);
            place.seen = place.seen.max(Some(up_to));
        });
    }

    /// The log had no more than what is in the journal now.
    pub(crate) fn caught_up(&self) {
        if *self.state.borrow() != State::Following {
            self.enter(State::Following);
        }
    }

    /// The log is away, since now or since before.
    pub(crate) fn away(&self, why: String) {
        let before = self.state.borrow().clone();
        let since_us = match &before {
            State::Away { since_us, .. } => *since_us,
            _ => (self.clock)(),
        };
        // Said once, and again when the reason is another: an outage is no reason to fill a disk.
        if matches!(&before, State::Away { why: known, .. } if *known == why) {
            tracing::debug!(%why, "the log upstream is still away");
        } else {
            tracing::warn!(%why, "the log upstream is away");
        }
        self.enter(State::Away { since_us, why });
    }

    pub(crate) fn enter(&self, state: State) {
        let before = self.state.borrow().clone();
        if let (State::Away { since_us, .. }, State::CatchingUp { .. } | State::Following) =
            (before, &state)
        {
            let away_us = (self.clock)().saturating_sub(since_us);
            tracing::info!(away_us, "the log upstream is there again");
        }
        self.state.send_replace(state);
        self.show();
    }

    fn show(&self) {
        if let Some(number) = self.state.borrow().gauge() {
            metrics::gauge!("assay_replication_state").set(number);
        }
    }
}

fn place_at(end: &End, checked: bool) -> Place {
    let fact = end.last.as_ref().map(|(_, token)| *token);
    Place { position: end.position, fact, seen: end.followed, checked }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
