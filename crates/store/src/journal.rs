//! The journal: this node's dense, ordered, local copy of the log; positions 1, 2, 3 … without gaps.

use std::fmt;

use assay_ledger::Frontier;
use tokio::sync::watch;
use uuid::Uuid;

use crate::fact::Recorded;
use crate::leaf::LeafHash;
use crate::log::{LogError, Token};

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1, the same on every node.
    pub position: u64,
    /// The ledger's leaf over it, as stored.
    pub leaf_hash: LeafHash,
    /// The fact itself.
    pub recorded: Recorded,
}

/// Reading the journal. Blocking on purpose: it is a local file, read by threads that may wait.
pub trait Journal: Send + Sync + fmt::Debug {
    /// At most `limit` entries after a position (exclusive), in order.
    ///
    /// Fewer may come although there are more, so that big facts do not fill the memory: only an
    /// empty answer means the end.
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError>;

    /// The leaves of at most `limit` entries after a position (exclusive), in order.
    ///
    /// As with [`Self::entries`], only an empty answer means the end.
    fn leaves(&self, after: u64, limit: usize) -> Result<Vec<LeafHash>, LogError> {
        Ok(self.entries(after, limit)?.into_iter().map(|entry| entry.leaf_hash).collect())
    }

    /// The last position, 0 when empty.
    fn head(&self) -> Result<u64, LogError>;

    /// A watch on the last position, for waking readers; polling `head` stays the truth.
    fn watch(&self) -> watch::Receiver<u64>;

    /// Where the fact with this id stands.
    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError>;

    /// The greatest position recorded at or before an instant (microseconds since 1970), 0 if none.
    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError>;

    /// The position by which the fact at a token of the log is in this journal; nothing as long as it is not.
    ///
    /// Where the journal is the log itself, a token is a position.
    fn reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        Ok((token.0 <= self.head()?).then_some(token.0))
    }

    /// The edge of the ledger over all entries: as many leaves as there are positions.
    fn frontier(&self) -> Result<Frontier, LogError>;
}
