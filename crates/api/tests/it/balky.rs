//! A log that can be told to take no readings: to refuse them, or to take them and lose the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{Appended, Direction, Expected, Followed, Log, LogError, Revision, Token};
use assay_store::memory::MemoryLog;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use uuid::Uuid;

/// What becomes of readings; shared with the test.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mood(Arc<AtomicU8>);

impl Mood {
    /// They are taken.
    pub(crate) fn well(&self) {
        self.0.store(0, Ordering::SeqCst);
    }

    /// The disk is full.
    pub(crate) fn full(&self) {
        self.0.store(1, Ordering::SeqCst);
    }

    /// They are taken, and nobody learns of it.
    pub(crate) fn silent(&self) {
        self.0.store(2, Ordering::SeqCst);
    }
}

/// A memory log with a mood.
#[derive(Debug)]
pub(crate) struct Balky {
    pub(crate) log: MemoryLog,
    pub(crate) mood: Mood,
}

impl Log for Balky {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        let mood = self.mood.0.load(Ordering::SeqCst);
        if mood == 0 || !stream.starts_with("access-") {
            return self.log.append(stream, expected, facts);
        }
        async move {
            if mood == 1 {
                return Err(LogError::Full);
            }
            self.log.append(stream, expected, facts).await?;
            Err(LogError::Unavailable { outcome_unknown: true })
        }
        .boxed()
    }

    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        self.log.read_stream(stream, from, direction, limit)
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        self.log.follow(after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        Log::head(&self.log)
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.log.log_id()
    }
}
