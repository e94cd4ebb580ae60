//! Is a vault's file still right? Every row, column for column, and whether any is gone.

use std::sync::Arc;

use assay_store::checked::{VaultFault, VaultReport, VaultRow};
use assay_store::seals::{Seals, Total};
use rusqlite::Connection;

use super::rows::{read_key, read_secret, select_keys, select_secrets};
use super::schema;
use super::step::{Stop, total};
use crate::error::OpenError;
use crate::rows::Id;
use crate::shape::wrong_pages;

impl From<OpenError> for VaultFault {
    fn from(error: OpenError) -> Self {
        Self::of_vault(error.to_string())
    }
}

impl From<Stop> for VaultFault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(error) => Self::of_vault(error.to_string()),
            Stop::Failed(error) => OpenError::from(error).into(),
        }
    }
}

/// What SQLite refused, as what may be wrong with a vault.
fn read<T>(answer: rusqlite::Result<T>) -> Result<T, OpenError> {
    Ok(answer?)
}

/// Checks the file behind a connection, at one moment.
pub(super) fn check(
    connection: &Connection,
    seals: &Arc<Seals>,
) -> Result<VaultReport, VaultFault> {
    // Reading only; dropped, it is rolled back.
    let moment = read(connection.unchecked_transaction())?;
    let mut found = Total::default();
    check_keys(&moment, seals, &mut found)?;
    check_secrets(&moment, seals, &mut found)?;
    check_meta(&moment, seals)?;
    if let Some(differs) = schema::differs(&moment, seals)? {
        return Err(VaultFault::of_vault(differs));
    }
    if let Some(wrong) = read(wrong_pages(&moment))? {
        return Err(VaultFault::of_vault(wrong));
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
        return Err(VaultFault::of_vault(what));
    }
    Ok(VaultReport { keys: found.held, destroyed: found.destroyed, secrets: found.secrets })
}

fn check_keys(connection: &Connection, seals: &Seals, found: &mut Total) -> Result<(), VaultFault> {
    let mut statement = read(connection.prepare(select_keys!("ORDER BY id")))?;
    let mut rows = read(statement.query([]))?;
    while let Some(row) = read(rows.next())? {
        let name = VaultRow::Key(read(row.get::<_, Id>(0))?.0);
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
    let mut statement = read(connection.prepare(select_secrets!("ORDER BY name")))?;
    let mut rows = read(statement.query([]))?;
    while let Some(row) = read(rows.next())? {
        let name = VaultRow::Secret(read(row.get(0))?);
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
    let mut statement = read(connection.prepare("SELECT name, value FROM meta ORDER BY name"))?;
    let rows = read(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))))?;
    let rows: Vec<(String, Vec<u8>)> = read(rows.collect())?;
    match rows.as_slice() {
        [(check, word), (total, _)] if check == "check" && total == "total" => {
            if seals.is_check_word(word) {
                Ok(())
            } else {
                Err(VaultFault::of_vault("the check word does not unwrap"))
            }
        }
        _ => Err(VaultFault::of_vault("it does not say of itself what it must")),
    }
}
