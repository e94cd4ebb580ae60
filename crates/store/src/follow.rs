//! Following a journal for ever, for logs whose token is the journal's position.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio::sync::watch;

use crate::journal::Journal;
use crate::log::{Followed, LogError, Token};

/// How many entries are read at once. A slow follower costs this much memory and no more (L16).
const BATCH_ENTRIES: usize = 256;

struct Follower {
    journal: Arc<dyn Journal>,
    watch: watch::Receiver<u64>,
    after: u64,
    /// The head at subscription time, until it was reached and said so.
    target: Option<u64>,
    ready: VecDeque<Followed>,
    ended: bool,
}

/// Every entry after a token, in order, then those to come. An error is the last thing it says.
///
/// Reads are short and happen where the stream is polled: a local file answers faster than a
/// thread pool. The stream ends with [`LogError::Unavailable`] when the log is closed.
pub fn follow(
    journal: Arc<dyn Journal>,
    after: Option<Token>,
) -> BoxStream<'static, Result<Followed, LogError>> {
    let watch = journal.watch();
    let after = after.map_or(0, |token| token.0);
    let follower =
        Follower { journal, watch, after, target: None, ready: VecDeque::new(), ended: false };
    let started = stream::once(async move { follower.start() });
    started
        .flat_map(|start| match start {
            Err(error) => stream::iter([Err(error)]).boxed(),
            Ok(follower) => stream::unfold(follower, |mut follower| async move {
                if follower.ended {
                    return None;
                }
                let item = follower.next().await;
                follower.ended = item.is_err();
                Some((item, follower))
            })
            .boxed(),
        })
        .boxed()
}

impl Follower {
    /// Notes where "caught up" is; a follower that knows more than the log must stop (L13).
    fn start(mut self) -> Result<Self, LogError> {
        let head = self.journal.head()?;
        if self.after > head {
            return Err(LogError::TokenAhead);
        }
        self.target = Some(head);
        Ok(self)
    }

    async fn next(&mut self) -> Result<Followed, LogError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            self.read()?;
            if self.ready.is_empty() {
                let after = self.after;
                let waited = self.watch.wait_for(|position| *position > after).await;
                waited.map_err(|_| LogError::Unavailable { outcome_unknown: false })?;
            }
        }
    }

    fn read(&mut self) -> Result<(), LogError> {
        let entries = self.journal.entries(self.after, BATCH_ENTRIES)?;
        if let Some(last) = entries.last() {
            self.after = last.position;
            let facts = entries.into_iter().map(|entry| Followed::Fact(Box::new(entry.recorded)));
            self.ready.extend(facts);
            self.ready.push_back(Followed::Progress(Token(self.after)));
        }
        if self.target.is_some_and(|target| self.after >= target) {
            self.target = None;
            self.ready.push_back(Followed::CaughtUp);
        }
        Ok(())
    }
}
