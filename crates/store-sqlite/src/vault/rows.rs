//! The vault's rows as they stand in its file: wrapped bytes, and what is known of them in the open.

use assay_store::mac::Mac;
use assay_store::seals::{KeyRow, SecretRow};
use rusqlite::Row;

use crate::rows::{Count, Id};

/// The columns that [`read_key`] reads.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!("SELECT id, wrapped, created_at, destroyed_at, mac FROM keys ", $rest)
    };
}
pub(super) use select_keys;

/// The columns that [`read_secret`] reads.
macro_rules! select_secrets {
    ($rest:literal) => {
        concat!("SELECT name, version, wrapped, mac FROM secrets ", $rest)
    };
}
pub(super) use select_secrets;

/// Reads a row of [`select_keys`], and the MAC that stands in it.
pub(super) fn read_key(row: &Row<'_>) -> rusqlite::Result<(KeyRow, Mac)> {
    let key = KeyRow {
        id: row.get::<_, Id>(0)?.0,
        wrapped: row.get(1)?,
        created_at: row.get(2)?,
        destroyed_at: row.get(3)?,
    };
    Ok((key, row.get(4)?))
}

/// Reads a row of [`select_secrets`], and the MAC that stands in it.
pub(super) fn read_secret(row: &Row<'_>) -> rusqlite::Result<(SecretRow, Mac)> {
    let secret =
        SecretRow { name: row.get(0)?, version: row.get::<_, Count>(1)?.0, wrapped: row.get(2)? };
    Ok((secret, row.get(3)?))
}
