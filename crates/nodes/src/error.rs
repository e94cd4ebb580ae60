//! What can go wrong between nodes, in words for whoever runs them.

use assay_store::log::LogError;
use assay_store::vault::VaultError;
use uuid::Uuid;

/// What can go wrong with a node of several.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The journal copies another log than the one upstream.
    #[error(
        "the journal in this directory is a copy of log {copied}, but the log the settings name is {named}. \
         If the settings are wrong, correct `store.url`. If {named} is meant to be this node's log from now on, \
         give the node an empty directory: it is filled from the log. Nothing was changed"
    )]
    OtherLog {
        /// The log this directory copies.
        copied: Uuid,
        /// The log the settings name.
        named: Uuid,
    },
    /// The journal is a log itself and no copy.
    #[error(
        "the journal in this directory is a log of its own with {entries} entries, and no copy of log {named}, \
         which the settings name. To go on with it there, copy it upstream with `assay log copy` and give the \
         node an empty directory. To go on without the log upstream, leave `store.url` empty. Nothing was changed"
    )]
    OwnEntries {
        /// How many entries it has.
        entries: u64,
        /// The log the settings name.
        named: Uuid,
    },
    /// The log upstream does not answer as it should.
    #[error("the log upstream: {0}")]
    Upstream(#[source] LogError),
    /// This node's journal does not answer as it should.
    #[error("this node's journal: {0}")]
    Journal(#[source] LogError),
    /// The vault does not answer as it should.
    #[error("the vault: {0}")]
    Vault(#[from] VaultError),
    /// The journal and the log upstream contradict each other.
    #[error("{why}")]
    Diverged {
        /// In what, and what to do.
        why: String,
    },
    /// Replication was stopped.
    #[error("replication was stopped")]
    Stopped,
    /// There is no place for one more node.
    #[error(
        "there are {nodes} nodes already, and no more than {nodes} may be; retire one that is gone"
    )]
    TooManyNodes {
        /// The most there may be.
        nodes: usize,
    },
    /// What a node wrote of itself is nothing this version can read.
    #[error(
        "what is stored at `{name}` cannot be read by this version; retire that node if it is gone"
    )]
    Unreadable {
        /// The secret's name.
        name: String,
    },
}
