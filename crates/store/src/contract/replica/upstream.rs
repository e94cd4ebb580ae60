//! The log elsewhere, whose copy a replica becomes.

use uuid::Uuid;

use super::super::{fact, must};
use crate::fact::Recorded;
use crate::journal::{Entry, Journal as _};
use crate::log::{Expected, Log as _, Token};
use crate::memory::MemoryLog;

/// How the log elsewhere counts its facts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places {
    /// 1, 2, 3 …
    Dense,
    /// With gaps, from the first on.
    Sparse,
    /// Without gaps for a while.
    Parting,
}

impl Places {
    pub(super) fn token(self, position: u64) -> Token {
        let parting = position.saturating_sub(40) * 1_000;
        match self {
            Self::Dense => Token(position),
            Self::Sparse => Token(position * 1_000 + position % 7),
            Self::Parting => Token(position + parting),
        }
    }
}

/// A log elsewhere, as it is followed: with the clocks as they were, which went back now and then.
pub(super) struct Upstream {
    pub(super) id: Uuid,
    pub(super) facts: Vec<Recorded>,
    /// What a journal of its own has of it.
    pub(super) journal: MemoryLog,
}

pub(super) const FACTS: u64 = 120;

pub(super) async fn upstream(places: Places) -> Upstream {
    let id = Uuid::from_u128(77);
    let journal = MemoryLog::with_id(id);
    let mut followed = Vec::new();
    for number in 0..FACTS {
        let mut new = fact(number);
        if number % 9 == 4 {
            new.envelope.recorded_at -= 1_000_000;
        }
        let stream = format!("s{}", number % 11);
        let done = journal.append(&stream, Expected::Any, vec![new.clone()]).await;
        let done = must("replica: the log elsewhere", done);
        let token = places.token(done.token.0);
        followed.push(Recorded { stream, revision: done.last, token, fact: new });
    }
    Upstream { id, facts: followed, journal }
}

impl Upstream {
    /// The entries that every copy has.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let mut entries = must("replica", self.journal.entries(0, 10_000));
        for (entry, followed) in entries.iter_mut().zip(&self.facts) {
            entry.recorded.token = followed.token;
        }
        entries
    }

    pub(super) fn first(&self, count: usize) -> Vec<Recorded> {
        self.facts.iter().take(count).cloned().collect()
    }

    pub(super) fn after(&self, count: usize) -> Vec<Recorded> {
        self.facts.iter().skip(count).cloned().collect()
    }
}
