//! Whether the log upstream is still the one this journal copied: its last entry must stand where it stood.

use assay_store::fact::Recorded;
use assay_store::journal::Entry;
use assay_store::log::{Followed, Log, LogError, Token};
use assay_store::replica::Replica;
use futures_util::StreamExt as _;
use uuid::Uuid;

/// What an operator does about it.
const WHAT_TO_DO: &str = "Nothing was changed here, this node takes no more facts and refuses to write. Keep this \
     node's journal: it may be the only copy of what the log lacks. If the log was restored or replaced by mistake, \
     stop all nodes and bring the right one back. If it is meant to be the log from now on, give this node an empty \
     directory: it is filled from the log";

/// Where a journal ends.
#[derive(Debug)]
pub(crate) struct End {
    /// The log it copies.
    pub(crate) copied: Option<Uuid>,
    /// Its last position.
    pub(crate) position: u64,
    /// The last entry and its token in the log.
    pub(crate) last: Option<(Entry, Token)>,
    /// The token of the entry before the last one.
    before: Option<Token>,
    /// Where following goes on.
    pub(crate) followed: Option<Token>,
}

impl End {
    /// Reads it. Blocks.
    pub(crate) fn of(journal: &dyn Replica) -> Result<Self, LogError> {
        let position = journal.head()?;
        let token = |position: u64| {
            let missing = || LogError::Corrupt(format!("entry {position} has no token"));
            journal.token_of(position)?.ok_or_else(missing)
        };
        let last = match position.checked_sub(1) {
            None => None,
            Some(before) => {
                let missing = || LogError::Corrupt(format!("there is no entry {position}"));
                let entry = journal.entries(before, 1)?.pop().ok_or_else(missing)?;
                Some((entry, token(position)?))
            }
        };
        let before = match position {
            0 | 1 => None,
            _ => Some(token(position - 1)?),
        };
        let followed = journal.followed()?.max(last.as_ref().map(|(_, token)| *token));
        Ok(Self { copied: journal.upstream()?, position, last, before, followed })
    }
}

/// Why following must not go on.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The log could not be asked.
    Upstream(LogError),
    /// It is not what this journal copied; with words for the operator.
    Other(String),
}

/// Follows from before the journal's last entry and looks whether that comes first.
pub(crate) async fn check(upstream: &dyn Log, end: &End) -> Result<(), Refused> {
    let named = upstream.log_id().await.map_err(Refused::Upstream)?;
    if let Some(copied) = end.copied.filter(|copied| *copied != named) {
        let what =
            format!("the log upstream is {named} now, and this node's journal copies {copied}");
        return Err(Refused::Other(diverged(&what)));
    }
    let Some((entry, token)) = &end.last else { return Ok(()) };
    let mut facts = upstream.follow(end.before);
    let first = loop {
        match facts.next().await {
            Some(Ok(Followed::Fact(fact))) => break Some(fact),
            Some(Ok(Followed::Progress(_))) => {}
            Some(Ok(Followed::CaughtUp) | Err(LogError::TokenAhead)) => break None,
            Some(Err(error)) => return Err(Refused::Upstream(error)),
            None => {
                return Err(Refused::Upstream(LogError::Unavailable { outcome_unknown: false }));
            }
        }
    };
    let Some(there) = first else { return Err(Refused::Other(behind(end.position))) };
    match difference(entry, *token, &there) {
        None => Ok(()),
        Some(what) => {
            let position = end.position;
            let what =
                format!("entry {position} of this node's journal has another {what} upstream");
            Err(Refused::Other(diverged(&what)))
        }
    }
}

/// In what a fact differs from the entry made of it; nothing if it is the same.
///
/// Where a clock went back, the entry has the time of the one before it: later, never earlier.
fn difference(entry: &Entry, token: Token, there: &Recorded) -> Option<&'static str> {
    let here = &entry.recorded;
    let mut envelope = there.fact.envelope.clone();
    envelope.recorded_at = here.fact.envelope.recorded_at.max(envelope.recorded_at);
    let same = [
        ("id", here.fact.id == there.fact.id),
        ("stream", here.stream == there.stream),
        ("revision", here.revision == there.revision),
        ("name", here.fact.name == there.fact.name),
        ("content", here.fact.data == there.fact.data),
        ("envelope", here.fact.envelope == envelope),
        ("place", token == there.token),
    ];
    same.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
}

/// Says that the log ends before the journal.
pub(crate) fn behind(position: u64) -> String {
    let what =
        format!("the log upstream ends before entry {position}, the last of this node's journal");
    diverged(&what)
}

/// Says what contradicts, what probably happened and what to do.
pub(crate) fn diverged(what: &str) -> String {
    format!("{what}: the log was restored from an older copy, or replaced. {WHAT_TO_DO}")
}
