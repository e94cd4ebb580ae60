//! How it stands with the copy: what is being done, and how far it is.

use assay_store::log::Token;

/// What replication is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The log is there, and not all it held when it was last reached is here.
    CatchingUp {
        /// Since when, in microseconds since 1970 (UTC).
        since_us: i64,
    },
    /// All the log held when it was last reached is here; what is new comes at once.
    Following,
    /// The log, or this node's disk, is not to be had now; it is tried again for ever.
    Away {
        /// Since when, in microseconds since 1970 (UTC).
        since_us: i64,
        /// What happened last.
        why: String,
    },
    /// The journal contradicts the log. It is followed no further, and nothing is repaired.
    Diverged {
        /// In what, and what to do.
        why: String,
    },
    /// Replication was stopped.
    Stopped,
}

impl State {
    /// What `assay_replication_state` shows; nothing for what has stopped.
    pub(crate) const fn gauge(&self) -> Option<f64> {
        match self {
            Self::Following => Some(0.0),
            Self::CatchingUp { .. } => Some(1.0),
            Self::Away { .. } => Some(2.0),
            Self::Diverged { .. } => Some(3.0),
            Self::Stopped => None,
        }
    }
}

/// How far the copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many entries were taken since replication was started.
    pub entries: u64,
    /// The last position of the journal.
    pub position: u64,
    /// The place in the log up to which everything is in the journal.
    pub token: Option<Token>,
    /// The log's last fact, when it was last asked for; nothing while that is not known.
    pub head: Option<Token>,
    /// What is being done.
    pub state: State,
}

/// How far this node's journal is, in its own terms and in the log's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The last position.
    pub(crate) position: u64,
    /// The token of the entry there.
    pub(crate) fact: Option<Token>,
    /// Up to where the log was followed; never before `fact`.
    pub(crate) seen: Option<Token>,
    /// Whether it was seen, since the start, that the journal does not contradict the log.
    pub(crate) checked: bool,
}
