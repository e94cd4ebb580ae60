//! What checking a vault row by row can say, whatever it is made of.

use std::fmt;

use crate::vault::KeyId;

/// What a whole vault holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VaultReport {
    /// Keys that are held.
    pub keys: u64,
    /// Keys that were destroyed on purpose.
    pub destroyed: u64,
    /// Secrets.
    pub secrets: u64,
}

/// A row of the vault, by its name; never by what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultRow {
    /// A key.
    Key(KeyId),
    /// A secret.
    Secret(String),
}

impl fmt::Display for VaultRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::Secret(name) => write!(f, "secret {name:?}"),
        }
    }
}

/// The first thing that is wrong with a vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", row.as_ref().map(|row| format!("{row}: ")).unwrap_or_default())]
pub struct VaultFault {
    /// The row it was found in, unless it concerns the vault as a whole.
    pub row: Option<VaultRow>,
    /// What is wrong, for a reader.
    pub what: String,
}

impl VaultFault {
    /// It concerns the vault as a whole.
    pub fn of_vault(what: impl Into<String>) -> Self {
        Self { row: None, what: what.into() }
    }

    /// It concerns one row.
    pub fn at(row: VaultRow, what: impl Into<String>) -> Self {
        Self { row: Some(row), what: what.into() }
    }
}

/// A vault elsewhere is not right, or nobody can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// It is wrong.
    #[error(transparent)]
    Fault(#[from] VaultFault),
    /// It went away before all was read.
    #[error("the vault cannot be read: {0}")]
    Unavailable(String),
}
