//! A journal that is the copy of a log elsewhere: filled by following it, in its order, without gaps.

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::fact::Recorded;
use crate::journal::Journal;
use crate::log::{LogError, Token};

/// The journal of a node whose log is elsewhere. Nobody but the one replicator adds to it.
///
/// The same facts in the same order give the same entries on every node: positions from 1, and
/// where a clock went back the time of the entry before (I-03). So the ledger's roots are the same.
pub trait Replica: Journal {
    /// The log this is a copy of; nothing before the first [`Self::adopt`].
    fn upstream(&self) -> Result<Option<Uuid>, LogError>;

    /// Makes an empty journal the copy of this log; harmless when it is already.
    ///
    /// # Errors
    ///
    /// `Invalid` where it is the copy of another log, or holds entries of its own.
    fn adopt(&self, log: Uuid) -> BoxFuture<'_, Result<(), LogError>>;

    /// Adds the next facts of that log and notes how far it was followed: both durable, or neither.
    /// Answers the new head. No facts and a new place is allowed.
    ///
    /// # Errors
    ///
    /// `Corrupt` where a fact is not the next of its stream or its id is known already: what is
    /// here is not what that log holds.
    fn take(&self, facts: Vec<Recorded>, up_to: Token) -> BoxFuture<'_, Result<u64, LogError>>;

    /// The token, in that log, of the entry at a position.
    fn token_of(&self, position: u64) -> Result<Option<Token>, LogError>;

    /// How far that log was followed: a place to go on from.
    fn followed(&self) -> Result<Option<Token>, LogError>;
}
