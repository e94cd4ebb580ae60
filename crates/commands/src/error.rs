//! How a command can end otherwise: unseen, forbidden, refused, overtaken, or a fault of our own.

use assay_store::log::LogError;
use assay_store::vault::VaultError;
use jiff::Timestamp;
use uuid::Uuid;

use crate::codec::CodecError;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error<R> {
    /// To this asker there is nothing there.
    #[error("there is nothing there")]
    Unseen,
    /// A member, but not with this right.
    #[error("not with these roles")]
    Forbidden,
    /// The asker has no active account.
    #[error("no active account")]
    Inactive,
    /// The case is closed.
    #[error("the case is closed")]
    CaseClosed,
    /// A rule stands in the way.
    #[error(transparent)]
    Refused(R),
    /// Somebody else changed it since the revision the asker saw.
    #[error("it changed since")]
    Moved {
        /// The revision it has now.
        current: Option<u64>,
        /// What was recorded since, oldest first.
        since: Vec<Since>,
    },
    /// This command's name was used for something else.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// Too many changed it at once.
    #[error("too many changed it at once")]
    Busy,
    /// The house could not do it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A fact that came between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// Its revision.
    pub revision: u64,
    /// Its wire name.
    pub name: String,
    /// Who recorded it.
    pub actor: Uuid,
    /// When.
    pub recorded_at: Timestamp,
}

/// A fault of the house's own, or of what it stands on.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A fact that cannot be read or written.
    #[error("{stream} at revision {revision}: {source}")]
    Codec {
        /// In which stream.
        stream: String,
        /// At which revision.
        revision: u64,
        /// Why.
        source: CodecError,
    },
}

impl Fault {
    /// A fact that cannot be read or written. Keys that are away are no fault of the fact: the vault is.
    pub fn codec(stream: &str, revision: u64, source: CodecError) -> Self {
        match source {
            CodecError::Vault(away @ VaultError::Unavailable(_)) => Self::Vault(away),
            source => Self::Codec { stream: stream.to_owned(), revision, source },
        }
    }

    /// Whether log or vault could not be reached: the same may work in a moment.
    pub const fn is_away(&self) -> bool {
        matches!(
            self,
            Self::Log(LogError::Unavailable { .. }) | Self::Vault(VaultError::Unavailable(_))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_whose_keys_are_away_may_be_read_in_a_moment() {
        let of = |error: VaultError| Fault::codec("s", 0, error.into());
        assert!(of(VaultError::Unavailable("away".to_owned())).is_away());
        assert!(!of(VaultError::UnknownKey(Uuid::nil())).is_away());
    }
}
