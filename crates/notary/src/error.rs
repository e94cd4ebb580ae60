//! What can go wrong with a notary.

use std::io;
use std::path::{Path, PathBuf};

use assay_ledger::{CheckpointError, TileTreeError};
use assay_store::log::LogError;

/// Why the notary did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum NotaryError {
    /// The journal is empty: there is nothing to sign.
    #[error("the journal is empty: there is nothing to sign")]
    Nothing,
    /// It refuses to open; why, for the operator.
    #[error("{0}")]
    Refused(String),
    /// It has found the journal contradicting itself or what was signed, and signs no more until opened anew.
    #[error("no checkpoint is signed: {0}")]
    Refusing(String),
    /// What was asked for lies beyond what is there.
    #[error("{asked} lies beyond {has}")]
    Beyond {
        /// Which size, index or position was asked for.
        asked: u64,
        /// The size there is.
        has: u64,
    },
    /// The journal stated an edge that it does not show yet; ask again.
    #[error("the journal shows {head} entries, its edge {edge}: ask again")]
    Unsettled {
        /// The journal's last position.
        head: u64,
        /// How many entries its edge is over.
        edge: u64,
    },
    /// What it was told cannot be right; why.
    #[error("{0}")]
    Config(String),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] LogError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the notary's own, or an entry under it, is not what it must be; which and how.
    #[error("{0}")]
    Damaged(String),
    /// A text is no checkpoint, or not signed as it must be.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl NotaryError {
    /// For `map_err`: a file and what happened to it.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl From<TileTreeError<Self>> for NotaryError {
    fn from(error: TileTreeError<Self>) -> Self {
        match error {
            TileTreeError::Tiles(error) => error,
            other => Self::Damaged(other.to_string()),
        }
    }
}
