//! The vault's first rows: a check word by which the master key is known again, and the total.

use std::time::Duration;

use assay_store::seals::{Seals, Total};
use assay_store::vault::VaultError;
use tokio_postgres::types::Type;
use tokio_postgres::{Error, Row, Transaction};

use crate::error::OpenError;
use crate::rows::Hidden;
use crate::schema::BIRTH_LOCK;
use crate::session::{Session, within};

/// Knows the master key again, or makes a new vault's first rows.
pub(super) async fn know_again(
    session: &mut Session,
    limit: Duration,
    seals: &Seals,
) -> Result<(), OpenError> {
    let known = within(limit, async {
        let transaction = session.client.transaction().await?;
        let known = settle(&transaction, seals).await?;
        if known.is_ok() {
            transaction.commit().await?;
        }
        Ok(known)
    });
    known.await.map_err(|trouble| trouble.for_opener())?
}

async fn settle(
    transaction: &Transaction<'_>,
    seals: &Seals,
) -> Result<Result<(), OpenError>, Error> {
    // Two nodes that start at once: the second one finds what the first one made.
    transaction.query("SELECT pg_advisory_xact_lock($1)", &[&BIRTH_LOCK]).await?;
    let rows = transaction.query("SELECT name, value FROM assay.vault ORDER BY name", &[]).await?;
    if let Some(check) = named(&rows, "check")? {
        if !seals.is_check_word(check) {
            return Ok(Err(OpenError::WrongMasterKey));
        }
        let total = named(&rows, "total")?;
        let total = total.map(|wrapped| Total::unwrap(seals, wrapped));
        return Ok(match total {
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(OpenError::Refused(error.to_string())),
            None => Err(OpenError::Refused("the vault's total is gone".to_owned())),
        });
    }
    let full = "SELECT EXISTS (SELECT FROM assay.keys) OR EXISTS (SELECT FROM assay.secrets)
                OR EXISTS (SELECT FROM assay.vault)";
    if transaction.query_one(full, &[]).await?.try_get(0)? {
        // Only a vault at its birth has none; with a new one any master key would seem right.
        return Ok(Err(OpenError::Refused("the vault's check word is gone".to_owned())));
    }
    let (check, total) = match first_rows(seals) {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(OpenError::Refused(error.to_string()))),
    };
    let insert = "INSERT INTO assay.vault VALUES ('check', $1), ('total', $2)";
    let (check, total) = (Hidden(&check), Hidden(&total));
    transaction.execute_typed(insert, &[(&check, Type::BYTEA), (&total, Type::BYTEA)]).await?;
    Ok(Ok(()))
}

fn first_rows(seals: &Seals) -> Result<(Vec<u8>, Vec<u8>), VaultError> {
    Ok((seals.check_word()?, Total::default().wrap(seals)?))
}

fn named<'r>(rows: &'r [Row], name: &str) -> Result<Option<&'r [u8]>, Error> {
    for row in rows {
        if row.try_get::<_, &str>(0)? == name {
            return row.try_get(1).map(Some);
        }
    }
    Ok(None)
}
