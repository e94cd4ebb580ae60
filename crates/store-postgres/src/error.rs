//! Why the server's log or vault is not opened, and what its errors mean to whoever asked.

use std::error::Error as _;

use assay_store::log::LogError;
use assay_store::vault::VaultError;
use tokio_postgres::Error;
use tokio_postgres::error::{Severity, SqlState};

/// A log or a vault on PostgreSQL could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No host that takes writes could be reached.
    #[error("PostgreSQL cannot be reached: {0}")]
    Unreachable(String),
    /// The server does not know the role, or does not let it do what is needed.
    #[error("PostgreSQL denied access: {0}")]
    Denied(String),
    /// The database has no tables of ours, or those of an older version.
    #[error("the database is not prepared for this version of the program")]
    NotPrepared,
    /// The database was prepared by a newer version of the program.
    #[error("the database has schema version {found}, this program knows up to {known}")]
    Newer {
        /// The version it has.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// The vault was made with another master key.
    #[error("this master key does not open this vault")]
    WrongMasterKey,
    /// The URL, the certificates or what the server says of itself cannot be worked with.
    #[error("refused: {0}")]
    Refused(String),
}

/// What became of a connection or a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The connection is gone, or leads to a server that takes no writes.
    Lost,
    /// There is no room.
    Full,
    /// The role may not.
    Denied,
    /// Stored bytes are damaged, as the server itself says.
    Damaged,
    /// A value is not one that its column can hold.
    Unfit,
    /// Anything else: the statement did nothing, the connection is good.
    Failed,
}

pub(crate) fn kind(error: &Error) -> Kind {
    let Some(db) = error.as_db_error() else { return Kind::Lost };
    let code = db.code().code();
    match code {
        "53100" => Kind::Full,
        "42501" => Kind::Denied,
        // The server stops or starts, or is a standby now.
        "57P01" | "57P02" | "57P03" | "25006" => Kind::Lost,
        "XX001" | "XX002" => Kind::Damaged,
        _ if code.starts_with("28") => Kind::Denied,
        _ if code.starts_with("08") => Kind::Lost,
        _ if code.starts_with("22") => Kind::Unfit,
        _ if matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic)) => Kind::Lost,
        _ => Kind::Failed,
    }
}

/// An error in words, with its causes; never with values, which could be anything.
pub(crate) fn told(error: &Error) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", db.message(), db.code().code());
    }
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        cause = inner.source();
    }
    words
}

/// What an error of a statement that changed nothing means to the log's caller.
pub(crate) fn log_error(error: &Error) -> LogError {
    let kind = kind(error);
    tracing::warn!(error = told(error), ?kind, "PostgreSQL refused or went away");
    match kind {
        Kind::Full => LogError::Full,
        Kind::Denied => LogError::Denied,
        Kind::Damaged => LogError::Corrupt(told(error)),
        Kind::Unfit => LogError::Invalid(told(error)),
        Kind::Lost | Kind::Failed => LogError::Unavailable { outcome_unknown: false },
    }
}

/// What an error means to the vault's caller.
pub(crate) fn vault_error(error: &Error) -> VaultError {
    let kind = kind(error);
    tracing::warn!(error = told(error), ?kind, "PostgreSQL refused or went away");
    if kind == Kind::Damaged {
        VaultError::Corrupt(told(error))
    } else {
        VaultError::Unavailable(told(error))
    }
}

/// What an error of connecting or of the first statements means to whoever opens.
pub(crate) fn open_error(error: &Error) -> OpenError {
    let words = told(error);
    if is_tls(error) {
        return OpenError::Refused(words);
    }
    match kind(error) {
        Kind::Denied => OpenError::Denied(words),
        _ if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) => OpenError::Refused(words),
        Kind::Lost => OpenError::Unreachable(words),
        _ => OpenError::Refused(words),
    }
}

/// Whether a connection failed because the other side is not who it should be, or speaks no TLS.
fn is_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if inner.is::<rustls::Error>()
            || io.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_reached_a_server_is_lost() {
        let error = "postgresql://localhost:port".parse::<tokio_postgres::Config>().unwrap_err();
        assert_eq!(kind(&error), Kind::Lost);
        assert!(matches!(log_error(&error), LogError::Unavailable { outcome_unknown: false }));
    }
}
