//! How it stands with an anchor: what it took last, what went wrong, when it is due and whether it is late.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::anchor::Anchor;
use crate::error::NotaryError;
use crate::files;
use crate::notary::{Notary, lock, read};
use crate::words::micros;

/// The first wait after a failure, in microseconds: 5 s. It doubles with every further one.
const BACKOFF_MIN: i64 = 5_000_000;

/// The longest wait after a failure, in microseconds: 15 min.
const BACKOFF_MAX: i64 = 900_000_000;

/// How it stands with an anchor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorStatus {
    /// Its name.
    pub name: String,
    /// What it is: `file`, `webhook`, `witness` or `timestamp`.
    pub kind: &'static str,
    /// What it took last.
    pub last: Option<Success>,
    /// What went wrong since.
    pub error: Option<Failure>,
    /// Whether a checkpoint should have been there long ago.
    pub late: bool,
    /// When the oldest checkpoint it has not taken should be there, in microseconds since 1970; nothing where it has
    /// all. It is late [`crate::Config::late_after`] after this.
    pub due: Option<i64>,
}

/// A checkpoint that an anchor took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Success {
    /// Over how many entries.
    pub size: u64,
    /// When, in microseconds since 1970.
    pub at: i64,
}

/// A checkpoint that an anchor did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Why, for the operator.
    pub words: String,
}

/// How it stands, as the anchor itself keeps it.
#[derive(Default)]
pub(super) struct Standing {
    /// Since when it is an anchor: what was signed before is not missed.
    since: i64,
    last: Option<Success>,
    error: Option<Failure>,
    failures: u32,
    retry_at: i64,
    /// Whether its lateness was told.
    told_late: bool,
}

/// What is remembered of an anchor across starts.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    since: i64,
    last: Option<Success>,
}

/// Where it is remembered how it stood with the anchors. **Shape**: JSON, an object of names.
pub(crate) fn memory_file(dir: &Path) -> PathBuf {
    dir.join("anchors.json")
}

/// Reads what is remembered of the anchors.
pub(crate) fn read_memory(dir: &Path) -> Result<BTreeMap<String, Memory>, NotaryError> {
    let path = memory_file(dir);
    let Some(text) = files::read_text(&path)? else { return Ok(BTreeMap::new()) };
    let damaged = |error| NotaryError::Damaged(format!("{}: {error}", path.display()));
    serde_json::from_str(&text).map_err(damaged)
}

impl Standing {
    /// Where it left off, or a beginning.
    pub(super) fn new(memory: Option<Memory>, now: i64) -> Self {
        let Memory { since, last } = memory.unwrap_or(Memory { since: now, last: None });
        Self { since, last, ..Self::default() }
    }

    /// The size of the last checkpoint it took, 0 for none.
    pub(super) fn taken(&self) -> u64 {
        self.last.map_or(0, |last| last.size)
    }
}

impl Anchor {
    fn memory(&self) -> (String, Memory) {
        let standing = lock(&self.standing);
        (self.name.clone(), Memory { since: standing.since, last: standing.last })
    }

    pub(crate) fn succeeded(&self, size: u64, at: i64) {
        let mut standing = lock(&self.standing);
        standing.last = Some(Success { size, at });
        standing.error = None;
        standing.failures = 0;
        standing.retry_at = 0;
    }

    pub(crate) fn failed(&self, words: String, at: i64) {
        let mut standing = lock(&self.standing);
        let wait = BACKOFF_MIN.saturating_mul(1 << standing.failures.min(20)).min(BACKOFF_MAX);
        standing.retry_at = at.saturating_add(wait);
        standing.failures = standing.failures.saturating_add(1);
        standing.error = Some(Failure { at, words });
    }

    /// Tells in the log when the anchor becomes late, and when it no longer is: once each.
    pub(crate) fn tell_lateness(&self, status: &AnchorStatus) {
        let mut standing = lock(&self.standing);
        if status.late == standing.told_late {
            return;
        }
        standing.told_late = status.late;
        let words = status.error.as_ref().map_or("it was not tried", |error| error.words.as_str());
        let name = &self.name;
        if status.late {
            tracing::error!(anchor = %name, why = %words, "no checkpoint reached this anchor in time");
        } else {
            tracing::info!(anchor = %name, "checkpoints reach this anchor again");
        }
    }
}

impl Notary {
    /// How it stands with an anchor at this moment.
    pub(crate) fn status(&self, anchor: &Anchor, now: i64) -> AnchorStatus {
        let standing = lock(&anchor.standing);
        let due = self.due(anchor.every, &standing);
        let late_after = micros(self.config.late_after);
        AnchorStatus {
            name: anchor.name.clone(),
            kind: anchor.kind,
            last: standing.last,
            error: standing.error.clone(),
            late: due.is_some_and(|due| now > due.saturating_add(late_after)),
            due,
        }
    }

    /// When the anchor is to be sent something, in microseconds since 1970; nothing where it has all.
    pub(crate) fn send_at(&self, index: usize) -> Option<i64> {
        let anchor = self.anchors.get(index)?;
        let standing = lock(&anchor.standing);
        Some(self.due(anchor.every, &standing)?.max(standing.retry_at))
    }

    fn due(&self, every: i64, standing: &Standing) -> Option<i64> {
        let taken = standing.taken();
        let published = self.published_size();
        let next = {
            let sizes = read(&self.sizes);
            sizes.get(sizes.partition_point(|size| *size <= taken)).copied()
        };
        let oldest = next.filter(|size| *size <= published)?;
        // One that does not say when it was signed is not made to wait.
        let signed_at = self.checkpoints.signed_at(oldest).unwrap_or(standing.since);
        let again = standing.last.map_or(i64::MIN, |last| last.at.saturating_add(every));
        Some(signed_at.max(standing.since).max(again))
    }

    /// Remembers across starts what the anchors took.
    pub(crate) fn remember_anchors(&self) -> Result<(), NotaryError> {
        let _writing = lock(&self.writing);
        let memory: BTreeMap<_, _> = self.anchors.iter().map(Anchor::memory).collect();
        let json = serde_json::to_vec_pretty(&memory).unwrap_or_default();
        files::replace(&memory_file(&self.config.dir), &json)
    }
}
