//! The log: append to one stream atomically, read a stream, follow everything in one order.

use std::fmt;

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::fact::{NewFact, Recorded};
use crate::leaf::LeafHash;

/// The place of a fact in its stream, counted from 0.
pub type Revision = u64;

/// What the writer believes of the stream it appends to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The stream does not exist yet.
    NoStream,
    /// Its last fact has this revision.
    Exact(Revision),
    /// Anything goes. Promises no idempotency, so `commands` never uses it.
    Any,
}

impl Expected {
    /// The revision the first fact of an append gets, if the stream ends where the writer believes.
    ///
    /// The append fits exactly when this is [`next_revision`] of the stream; otherwise it is a
    /// conflict, or the same append asked again.
    pub const fn first_revision(self, current: Option<Revision>) -> Revision {
        match self {
            Self::NoStream => 0,
            Self::Exact(last) => last.saturating_add(1),
            Self::Any => next_revision(current),
        }
    }
}

/// The revision the next fact of a stream gets, given its last one.
pub const fn next_revision(current: Option<Revision>) -> Revision {
    match current {
        None => 0,
        Some(last) => last.saturating_add(1),
    }
}

/// A place in one log: ordered, opaque, never compared across logs and never calculated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub u64);

/// Which way to read a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// Where one appended fact landed in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its dense position, from 1.
    pub position: u64,
    /// The ledger's leaf over it.
    pub leaf_hash: LeafHash,
}

/// The answer to an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The revision of the last fact written.
    pub last: Revision,
    /// The token of the last fact written.
    pub token: Token,
    /// Where the facts landed, in order; empty where the log is not the journal itself.
    pub committed: Vec<Committed>,
}

/// One of several appends that are asked for together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The stream.
    pub stream: String,
    /// What the writer believes of it.
    pub expected: Expected,
    /// What to add.
    pub facts: Vec<NewFact>,
}

/// What a follower sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The next fact.
    Fact(Box<Recorded>),
    /// A place that is safe to resume from.
    Progress(Token),
    /// Everything up to the head at subscription time has been seen; may repeat.
    CaughtUp,
}

/// What can go wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The stream is not where the writer believed.
    #[error("the stream moved on; its last revision is {current:?}")]
    Conflict {
        /// The stream's last revision, or nothing where it does not exist.
        current: Option<Revision>,
    },
    /// There is no such stream.
    #[error("there is no such stream")]
    StreamNotFound,
    /// The request itself is wrong.
    #[error("refused before it was sent: {0}")]
    Invalid(String),
    /// A fact or an append is over its limit.
    #[error("a fact or an append is over its limit")]
    TooLarge,
    /// The follower knows a place this log has not reached: the log was rewound or replaced.
    #[error("the follower is ahead of the log")]
    TokenAhead,
    /// The log cannot be reached or cannot take more now.
    #[error("the log is unavailable")]
    Unavailable {
        /// Whether an append may have happened all the same.
        outcome_unknown: bool,
    },
    /// The disk is full: nothing was written.
    #[error("there is no room left on the disk")]
    Full,
    /// The log refuses this caller.
    #[error("the log denied access")]
    Denied,
    /// What is stored cannot be right.
    #[error("the log is corrupt: {0}")]
    Corrupt(String),
}

/// Streams of facts in one total order. Deletion is not in it.
pub trait Log: Send + Sync + fmt::Debug {
    /// Appends all facts to one stream, or none. The same ids again at the same place answer the same.
    fn append<'a>(
        &'a self,
        stream: &'a str,
        expected: Expected,
        facts: Vec<NewFact>,
    ) -> BoxFuture<'a, Result<Appended, LogError>>;

    /// Carries out appends one after the other, in the order given; the first that fails ends it.
    ///
    /// What stood before that one is written and what came after it is not. Faster than asking for
    /// each where the log commits what waits together. For copying a log into another.
    fn append_in_order(
        &self,
        appends: Vec<Append>,
    ) -> BoxFuture<'_, Result<Vec<Appended>, LogError>> {
        async move {
            let mut answers = Vec::with_capacity(appends.len());
            for Append { stream, expected, facts } in appends {
                answers.push(self.append(&stream, expected, facts).await?);
            }
            Ok(answers)
        }
        .boxed()
    }

    /// Reads at most `limit` facts of a stream from a revision on, that one included.
    fn read_stream<'a>(
        &'a self,
        stream: &'a str,
        from: Revision,
        direction: Direction,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>>;

    /// Follows the whole log from after a token (or from its beginning), for ever.
    fn follow(&self, after: Option<Token>) -> BoxStream<'static, Result<Followed, LogError>>;

    /// The token of the last fact.
    fn head(&self) -> BoxFuture<'_, Result<Option<Token>, LogError>>;

    /// Names this log; changes when it is restored or replaced, and the journal must then be rebuilt.
    fn log_id(&self) -> BoxFuture<'_, Result<Uuid, LogError>>;
}

/// Refuses names the contract refuses (L8): empty, too long, or with a leading `$`.
pub fn check_name(name: &str) -> Result<(), LogError> {
    if name.is_empty() || name.len() > crate::fact::NAME_BYTES_MAX || name.starts_with('$') {
        return Err(LogError::Invalid(format!(
            "a name has 1 to {} bytes and no leading `$`",
            crate::fact::NAME_BYTES_MAX
        )));
    }
    Ok(())
}

/// Refuses appends the contract refuses before the wire (L8, L14).
pub fn check_append(stream: &str, facts: &[NewFact]) -> Result<(), LogError> {
    check_name(stream)?;
    if facts.is_empty() {
        return Err(LogError::Invalid("an append carries at least one fact".to_owned()));
    }
    facts.iter().try_for_each(|fact| check_name(&fact.name))?;
    let bytes: usize = facts.iter().map(|fact| fact.data.len()).sum();
    if facts.len() > crate::fact::APPEND_FACTS_MAX
        || bytes > crate::fact::APPEND_BYTES_MAX
        || facts.iter().any(|fact| fact.data.len() > crate::fact::FACT_BYTES_MAX)
    {
        return Err(LogError::TooLarge);
    }
    Ok(())
}
