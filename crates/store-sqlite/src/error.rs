//! Why a file is refused, and what an error of SQLite means to the caller of a log or a vault.

use std::path::PathBuf;

use assay_store::log::LogError;
use assay_store::vault::VaultError;
use rusqlite::ErrorCode;

/// A journal or a vault could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Versions before 3.51.3 can corrupt a WAL (see `docs/decisions`).
    #[error("SQLite {found} has a known bug that corrupts files; at least 3.51.3 is needed")]
    TooOld {
        /// The version in use.
        found: &'static str,
    },
    /// Another process, or another handle of this one, has it open for writing.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What was to be made is there already, and is not written over.
    #[error("{} is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A connection does not run with the settings that durability rests on.
    #[error("the connection has {pragma} = {found} where {wanted} is needed")]
    Pragma {
        /// The setting.
        pragma: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The file was made by a newer version of the program, or a step of its schema failed.
    #[error("the schema cannot be brought up to date: {0}")]
    Schema(#[from] rusqlite_migration::Error),
    /// What the file says of itself does not fit together.
    #[error("the file is inconsistent: {0}")]
    Inconsistent(String),
    /// The vault was made with another master key.
    #[error("this master key does not open this vault")]
    WrongMasterKey,
    /// SQLite itself refused.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file system refused.
    #[error("the file system: {0}")]
    Io(#[from] std::io::Error),
}

/// What an error while reading means to the reader.
pub(crate) fn read_error(error: &rusqlite::Error) -> LogError {
    let corrupt = match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase),
        // Not from SQLite: a stored value did not fit the type it must have.
        None => true,
    };
    tracing::error!(%error, "reading the journal failed");
    if corrupt {
        LogError::Corrupt(error.to_string())
    } else {
        LogError::Unavailable { outcome_unknown: false }
    }
}

/// What an error of the vault's file means to its caller.
pub(crate) fn vault_error(error: &rusqlite::Error) -> VaultError {
    tracing::error!(%error, "the vault's file refused");
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) | None => {
            VaultError::Corrupt(error.to_string())
        }
        Some(_) => VaultError::Unavailable(error.to_string()),
    }
}
