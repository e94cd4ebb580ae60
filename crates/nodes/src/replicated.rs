//! The log as everything above sees it: written upstream, and answered with where the facts stand in this node's journal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use assay_store::fact::{NewFact, Recorded};
use assay_store::log::{
    Append, Appended, Committed, Direction, Expected, Followed, Log, LogError, Revision, Token,
};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use tokio::time::timeout;
use uuid::Uuid;

use crate::shared::Shared;
use crate::state::State;

/// How long an append waits until its facts are in this node's journal.
pub const COMMITTED_WAIT: Duration = Duration::from_secs(1);

/// A log upstream and the journal filled from it, as one log.
///
/// While the journal contradicts the log, appends are refused: whoever decides here would decide by
/// a history that is not the log's.
pub(crate) struct Replicated {
    shared: Arc<Shared>,
}

impl fmt::Debug for Replicated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replicated from {:?}", self.shared.upstream)
    }
}

impl Replicated {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn must_agree(&self) -> Result<(), LogError> {
        match self.shared.state() {
            State::Diverged { .. } => Err(LogError::Unavailable { outcome_unknown: false }),
            _ => Ok(()),
        }
    }

    /// Refuses to acknowledge what was written at a place that the journal has passed, unless it stands
    /// in the journal: then it was asked again. Otherwise the log is an older copy, or another one.
    async fn must_be_ours(&self, token: Token, last: Option<Uuid>) -> Result<(), LogError> {
        let Some(last) = last.filter(|_| self.shared.place().seen >= Some(token)) else {
            return Ok(());
        };
        let journal = self.shared.journal.clone();
        let there = tokio::task::spawn_blocking(move || journal.locate(last)).await;
        let there = there.map_err(|_| LogError::Unavailable { outcome_unknown: true })??;
        if there.is_some() {
            return Ok(());
        }
        tracing::error!(?token, "the log took an append at a place that this node has passed");
        self.shared.look_again("the log took an append at a place that this node has passed");
        Err(LogError::Unavailable { outcome_unknown: true })
    }

    /// Where these facts stand in the journal, once it has reached a token; empty if that takes too long.
    async fn committed(&self, token: Token, ids: Vec<Uuid>) -> Vec<Committed> {
        if self.shared.state() == State::Stopped {
            return Vec::new();
        }
        let mut places = self.shared.place.subscribe();
        let here = places.wait_for(|place| place.seen >= Some(token));
        if !matches!(timeout(COMMITTED_WAIT, here).await, Ok(Ok(_))) {
            return Vec::new();
        }
        let journal = self.shared.journal.clone();
        let find = move || -> Result<Vec<Committed>, LogError> {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                // One that is missing makes the answer useless: better none.
                let Some(entry) = journal.locate(id)? else { return Ok(Vec::new()) };
                let (position, leaf_hash) = (entry.position, entry.leaf_hash);
                found.push(Committed { position, leaf_hash });
            }
            Ok(found)
        };
        match tokio::task::spawn_blocking(find).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what was written upstream cannot be looked up here");
                Vec::new()
            }
            Err(error) => {
                tracing::error!(%error, "looking up what was written upstream broke down");
                Vec::new()
            }
        }
    }
}

impl Log for Replicated {
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>> {
        async move {
            self.must_agree()?;
            let ids: Vec<Uuid> = facts.iter().map(|fact| fact.id).collect();
            let mut answer = self.shared.upstream.append(stream, expected, facts).await?;
            self.must_be_ours(answer.token, ids.last().copied()).await?;
            if answer.committed.is_empty() {
                answer.committed = self.committed(answer.token, ids).await;
            }
            Ok(answer)
        }
        .boxed()
    }

    fn append_in_order(
        &self,
        appends: Vec<Append>,
    ) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        async move {
            self.must_agree()?;
            self.shared.upstream.append_in_order(appends).await
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
        self.shared.upstream.read_stream(stream, from, direction, limit)
    }

    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>> {
        self.shared.upstream.follow(after)
    }

    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>> {
        self.shared.upstream.head()
    }

    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>> {
        self.shared.upstream.log_id()
    }
}
