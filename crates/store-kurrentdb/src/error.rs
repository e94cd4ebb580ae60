//! Why a log or vault is not opened, and what an error of the client means to us.

use assay_store::log::{LogError, Revision};
use assay_store::vault::VaultError;
use kurrentdb::{CurrentRevision, Error};

/// A log or vault could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No node answers.
    #[error("no node answers")]
    Unreachable,
    /// User or password are wrong, or the user may not do what is needed.
    #[error("access is denied")]
    Denied,
    /// There is no log of ours there: [`crate::prepare`] makes one.
    #[error("there is no log there; it must be prepared first")]
    NotPrepared,
    /// The vault was made with another master key.
    #[error("this master key does not open this vault")]
    WrongMasterKey,
    /// The options, the address or the server are not taken. Says why, without user and password.
    #[error("refused: {0}")]
    Refused(String),
    /// What is stored cannot be right.
    #[error("what is stored is corrupt: {0}")]
    Corrupt(String),
}

/// What an error of the client means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The stream is not where the writer believed.
    Moved { current: Option<Revision> },
    /// There is no such stream.
    Missing,
    /// Another node leads: nothing happened, and the client goes to that one.
    Elsewhere,
    /// No answer, or a connection that ended: it may have happened, and the client may be dead.
    Lost,
    /// The server gave up: it may have happened, and the client is well.
    Late,
    /// The server refuses this caller, or has no such service.
    Denied,
    /// Over the server's limit.
    TooLarge,
    /// The server refuses the request.
    Refused(String),
    /// What is stored cannot be right.
    Corrupt(String),
}

impl Trouble {
    /// Whether it may pass when asked again.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Elsewhere | Self::Lost | Self::Late)
    }

    /// Whether what was asked for may have happened all the same.
    pub(crate) const fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Lost | Self::Late)
    }
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        match error {
            Error::WrongExpectedVersion { current, .. } => Self::Moved {
                current: match current {
                    CurrentRevision::Current(revision) => Some(*revision),
                    CurrentRevision::NoStream => None,
                },
            },
            Error::ResourceNotFound => Self::Missing,
            Error::ResourceDeleted => Self::Corrupt("a stream of ours was deleted".to_owned()),
            Error::NotLeaderException(_) => Self::Elsewhere,
            Error::ServerError(_)
            | Error::ConnectionClosed
            | Error::GrpcConnectionError(_)
            | Error::DeadlineExceeded
            | Error::InternalClientError
            | Error::IllegalStateError(_)
            | Error::InitializationError(_) => Self::Lost,
            Error::AccessDenied | Error::UnsupportedFeature => Self::Denied,
            Error::InternalParsingError(what) => Self::Corrupt(what.clone()),
            Error::ResourceAlreadyExists => Self::Refused(error.to_string()),
            Error::Grpc { code, message } => of_code(i32::from(*code), message),
        }
    }
}

/// The codes of gRPC that the client has no word for.
fn of_code(code: i32, message: &str) -> Trouble {
    const CANCELLED: i32 = 1;
    const INVALID_ARGUMENT: i32 = 3;
    const RESOURCE_EXHAUSTED: i32 = 8;
    const ABORTED: i32 = 10;
    let about_size = message.to_ascii_lowercase().contains("size");
    match code {
        CANCELLED => Trouble::Lost,
        INVALID_ARGUMENT | RESOURCE_EXHAUSTED if about_size => Trouble::TooLarge,
        ABORTED | RESOURCE_EXHAUSTED => Trouble::Late,
        _ => Trouble::Refused(message.to_owned()),
    }
}

impl From<Trouble> for LogError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Moved { current } => Self::Conflict { current },
            Trouble::Missing => Self::StreamNotFound,
            Trouble::Elsewhere | Trouble::Lost | Trouble::Late => {
                Self::Unavailable { outcome_unknown: trouble.outcome_unknown() }
            }
            Trouble::Denied => Self::Denied,
            Trouble::TooLarge => Self::TooLarge,
            Trouble::Refused(what) => Self::Invalid(what),
            Trouble::Corrupt(what) => Self::Corrupt(what),
        }
    }
}

/// What trouble while reading means: nothing can have happened.
pub(crate) fn while_reading(trouble: Trouble) -> LogError {
    match trouble {
        passing if passing.may_pass() => LogError::Unavailable { outcome_unknown: false },
        other => other.into(),
    }
}

impl From<Trouble> for VaultError {
    fn from(trouble: Trouble) -> Self {
        let unavailable = |what: &str| Self::Unavailable(what.to_owned());
        match trouble {
            Trouble::Elsewhere => unavailable("no node leads"),
            Trouble::Lost => unavailable("no node answers"),
            Trouble::Late => unavailable("the server gave up"),
            Trouble::Denied => unavailable("access is denied"),
            Trouble::TooLarge => unavailable("it is over the server's limit of size"),
            Trouble::Refused(what) => Self::Unavailable(what),
            Trouble::Corrupt(what) => Self::Corrupt(what),
            Trouble::Moved { .. } | Trouble::Missing => {
                Self::Corrupt("a stream changed that nobody changes".to_owned())
            }
        }
    }
}

impl From<Trouble> for OpenError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Elsewhere | Trouble::Lost | Trouble::Late => Self::Unreachable,
            Trouble::Denied => Self::Denied,
            Trouble::Missing => Self::NotPrepared,
            Trouble::TooLarge => Self::Refused("over the server's limit of size".to_owned()),
            Trouble::Refused(what) => Self::Refused(what),
            Trouble::Corrupt(what) => Self::Corrupt(what),
            Trouble::Moved { .. } => {
                Self::Corrupt("a stream changed that nobody changes".to_owned())
            }
        }
    }
}

impl From<VaultError> for OpenError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable(_) => Self::Unreachable,
            other => Self::Corrupt(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_without_a_word_of_their_own_are_told_apart() {
        let large = "Maximum Append Size of 1048576 Exceeded.";
        assert_eq!(of_code(3, large), Trouble::TooLarge);
        assert_eq!(of_code(8, "message size over the limit"), Trouble::TooLarge);
        assert_eq!(of_code(3, "no"), Trouble::Refused("no".to_owned()));
        assert_eq!(of_code(10, "Operation timed out"), Trouble::Late);
        assert_eq!(of_code(1, "cancelled"), Trouble::Lost);
    }

    #[test]
    fn trap_13_what_only_deletions_answer_is_no_conflict_since_nothing_is_deleted() {
        let what = "WrongExpectedVersion".to_owned();
        assert_eq!(of_code(9, &what), Trouble::Refused(what));
    }

    #[test]
    fn only_what_may_have_happened_is_of_unknown_outcome() {
        let unknown = |trouble: Trouble| LogError::from(trouble);
        assert_eq!(unknown(Trouble::Lost), LogError::Unavailable { outcome_unknown: true });
        assert_eq!(unknown(Trouble::Late), LogError::Unavailable { outcome_unknown: true });
        assert_eq!(unknown(Trouble::Elsewhere), LogError::Unavailable { outcome_unknown: false });
        assert_eq!(while_reading(Trouble::Lost), LogError::Unavailable { outcome_unknown: false });
        assert_eq!(while_reading(Trouble::Missing), LogError::StreamNotFound);
    }
}
