//! What the writer counts, for metrics and for the bench.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions committed durably, on the standby too where the server waits for one.
    pub commits: u64,
    /// Groups of waiting appends taken together; one that wrote nothing was not committed.
    pub groups: u64,
    /// Appends that wrote.
    pub appends: u64,
    /// Facts written.
    pub facts: u64,
    /// Appends answered with an error or with an earlier answer.
    pub unwritten: u64,
    /// Groups whose commit was asked for and never answered.
    pub unknown: u64,
    /// Connections of the writer made after the first one.
    pub reconnects: u64,
    /// Appends turned away because too many were waiting.
    pub turned_away: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) commits: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) appends: AtomicU64,
    pub(crate) facts: AtomicU64,
    pub(crate) unwritten: AtomicU64,
    pub(crate) unknown: AtomicU64,
    pub(crate) reconnects: AtomicU64,
    pub(crate) turned_away: AtomicU64,
}

/// Adds to a counter that nobody orders anything by.
pub(crate) fn add(counter: &AtomicU64, count: usize) {
    counter.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: read(&self.commits),
            groups: read(&self.groups),
            appends: read(&self.appends),
            facts: read(&self.facts),
            unwritten: read(&self.unwritten),
            unknown: read(&self.unknown),
            reconnects: read(&self.reconnects),
            turned_away: read(&self.turned_away),
        }
    }
}
