//! Is a vault's file still right? Every row, column for column, and whether any is gone.

use std::fmt;
use std::sync::Arc;

use assay_store::vault::KeyId;
use rusqlite::Connection;

use super::rows::{read_key, read_secret, select_keys, select_secrets};
use super::schema;
use super::step::{Stop, total};
use crate::error::OpenError;
use crate::rows::Id;
use crate::shape::wrong_pages;
use assay_store::seals::{Seals, Total};

/// What a whole vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// The row it was found in, unless it concerns the file as a whole.
    pub row: Option<VaultRow>,
    /// What is wrong, for a reader.
    pub what: String,
}

impl VaultFault {
    fn of_file(what: impl Into<String>) -> Self {
        Self { row: None, what: what.into() }
    }

    fn at(row: VaultRow, what: impl Into<String>) -> Self {
        Self { row: Some(row), what: what.into() }
    }
}

impl From<rusqlite::Error> for VaultFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::of_file(error.to_string())
    }
}

impl From<OpenError> for VaultFault {
    fn from(error: OpenError) -> Self {
        Self::of_file(error.to_string())
    }
}

impl From<Stop> for VaultFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(error) => Self::of_file(error.to_string()),
            Stop::Failed(error) => error.into(),
        }
    }
}

/// Checks the file behind a connection, at one moment.
pub(super) fn check(
    connection: &Connection,
    seals: &Arc<Seals>,
) -> Result<VaultReport, VaultFault> {
    // Reading only; dropped, it is rolled back.
    let moment = connection.unchecked_transaction()?;
    let mut found = Total::default();
    check_keys(&moment, seals, &mut found)?;
    check_secrets(&moment, seals, &mut found)?;
    check_meta(&moment, seals)?;
    if let Some(differs) = schema::differs(&moment, seals)? {
        return Err(VaultFault::of_file(differs));
    }
    if let Some(wrong) = wrong_pages(&moment)? {
        return Err(VaultFault::of_file(wrong));
    }
    let stored = total(&moment, seals)?;
    if stored != found {
        let told = |total: &Total| {
            format!(
                "{} keys, {} destroyed ones, {} secrets",
                total.held, total.destroyed, total.secrets
            )
        };
        let (stored, found) = (told(&stored), told(&found));
        let what = if stored == found {
            format!("its {found} are not those that were written: older ones were put back")
        } else {
            format!("it has {found}; written were {stored}")
        };
        return Err(VaultFault::of_file(what));
    }
    Ok(VaultReport { keys: found.held, destroyed: found.destroyed, secrets: found.secrets })
}

fn check_keys(connection: &Connection, seals: &Seals, found: &mut Total) -> Result<(), VaultFault> {
    let mut statement = connection.prepare(select_keys!("ORDER BY id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = VaultRow::Key(row.get::<_, Id>(0)?.0);
        let (key, mac) =
            read_key(row).map_err(|error| VaultFault::at(name.clone(), error.to_string()))?;
        if mac != seals.mac_of_key(&key) {
            return Err(VaultFault::at(name, "is not as it was written"));
        }
        if let Some(wrapped) = &key.wrapped {
            let opened = seals.unwrap_key(key.id, wrapped);
            opened.map_err(|error| VaultFault::at(name, error.to_string()))?;
        }
        found.add_key(seals, &key);
    }
    Ok(())
}

fn check_secrets(
    connection: &Connection,
    seals: &Seals,
    found: &mut Total,
) -> Result<(), VaultFault> {
    let mut statement = connection.prepare(select_secrets!("ORDER BY name"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = VaultRow::Secret(row.get(0)?);
        let (secret, mac) =
            read_secret(row).map_err(|error| VaultFault::at(name.clone(), error.to_string()))?;
        if mac != seals.mac_of_secret(&secret) {
            return Err(VaultFault::at(name, "is not as it was written"));
        }
        let opened = seals.unwrap_secret(&secret.name, secret.version, &secret.wrapped);
        drop(zeroize::Zeroizing::new(
            opened.map_err(|error| VaultFault::at(name, error.to_string()))?,
        ));
        found.add_secret(seals, &secret);
    }
    Ok(())
}

/// The check word and the total, and nothing else.
fn check_meta(connection: &Connection, seals: &Seals) -> Result<(), VaultFault> {
    let mut statement = connection.prepare("SELECT name, value FROM meta ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let rows: Vec<(String, Vec<u8>)> = rows.collect::<rusqlite::Result<_>>()?;
    match rows.as_slice() {
        [(check, word), (total, _)] if check == "check" && total == "total" => {
            if seals.is_check_word(word) {
                Ok(())
            } else {
                Err(VaultFault::of_file("the check word does not unwrap"))
            }
        }
        _ => Err(VaultFault::of_file("it does not say of itself what it must")),
    }
}
