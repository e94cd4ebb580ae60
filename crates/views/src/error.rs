//! What can go wrong with a view: a fault of the house, or a cursor or limit nobody gave out.

use assay_store::log::LogError;
use assay_store::vault::VaultError;

/// Why a view cannot answer or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The cursor is not one this house gave out for this list.
    #[error("the cursor is not one of this list")]
    BadCursor,
    /// A limit is 1 to 500.
    #[error("a limit is 1 to {}", crate::page::LIMIT_MAX)]
    BadLimit,
    /// The file of the views fails.
    #[error("the views cannot be read or written")]
    Sql(#[from] rusqlite::Error),
    /// What stands in a row is not what was put there.
    #[error("a row of the views is damaged: {0}")]
    Damaged(String),
    /// The journal fails.
    #[error("the journal cannot be read")]
    Log(#[from] LogError),
    /// Keys cannot be had.
    #[error("the keys cannot be had")]
    Vault(#[from] VaultError),
    /// A fact cannot be read; nothing after it is projected.
    #[error("the fact at position {position} cannot be read: {reason}")]
    Unreadable {
        /// Where it stands.
        position: u64,
        /// Why it cannot.
        reason: String,
    },
    /// The views know more than the journal, or another journal.
    #[error("the views are not of this journal: {0}")]
    Foreign(String),
    /// A file cannot be moved or removed.
    #[error("a file of the views cannot be moved")]
    Io(#[from] std::io::Error),
}

impl ViewError {
    /// Whether the same may work in a moment.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::Log(LogError::Unavailable { .. }) | Self::Vault(VaultError::Unavailable(_))
        )
    }
}

impl From<serde_json::Error> for ViewError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// The answer of a view.
pub(crate) type Result<T> = std::result::Result<T, ViewError>;
