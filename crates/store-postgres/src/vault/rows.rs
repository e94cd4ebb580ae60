//! The vault's rows as they stand in its tables: wrapped bytes, and what is known of them in the open.

use assay_store::mac::Mac;
use assay_store::seals::{KeyRow, SecretRow};
use assay_store::vault::VaultError;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::error::told;

/// The columns that [`read_key`] reads.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!("SELECT id, wrapped, created_at, destroyed_at, mac FROM assay.keys ", $rest)
    };
}
pub(super) use select_keys;

/// The columns that [`read_secret`] reads.
macro_rules! select_secrets {
    ($rest:literal) => {
        concat!("SELECT name, version, wrapped, mac FROM assay.secrets ", $rest)
    };
}
pub(super) use select_secrets;

/// Reads a row of [`select_keys`], and the MAC that stands in it.
pub(super) fn read_key(row: &Row) -> Result<(KeyRow, Mac), VaultError> {
    let key = KeyRow {
        id: value(row, 0)?,
        wrapped: value(row, 1)?,
        created_at: value(row, 2)?,
        destroyed_at: value(row, 3)?,
    };
    Ok((key, mac(row, 4)?))
}

/// Reads a row of [`select_secrets`], and the MAC that stands in it.
pub(super) fn read_secret(row: &Row) -> Result<(SecretRow, Mac), VaultError> {
    let version: i64 = value(row, 1)?;
    let version = u64::try_from(version)
        .map_err(|_| VaultError::Corrupt(format!("{version} is no version")))?;
    let secret = SecretRow { name: value(row, 0)?, version, wrapped: value(row, 2)? };
    Ok((secret, mac(row, 3)?))
}

pub(super) fn value<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, VaultError> {
    row.try_get(column).map_err(|error| VaultError::Corrupt(told(&error)))
}

fn mac(row: &Row, column: usize) -> Result<Mac, VaultError> {
    let bytes: &[u8] = value(row, column)?;
    let wrong = |_| VaultError::Corrupt(format!("a MAC of {} bytes", bytes.len()));
    Mac::try_from(bytes).map_err(wrong)
}
