//! Is a vault still right? Every row, column for column, and whether any is gone.

use std::pin::pin;
use std::time::Duration;

use assay_store::checked::{CheckError, VaultFault, VaultReport, VaultRow};
use assay_store::seals::{Seals, Total};
use assay_store::vault::VaultError;
use futures_util::stream::TryStreamExt as _;
use tokio_postgres::{IsolationLevel, Row, RowStream, Transaction};
use zeroize::Zeroizing;

use super::rows::{read_key, read_secret, select_keys, select_secrets, value};
use crate::readers::Readers;
use crate::session::{Session, Trouble, within};

fn of_vault(what: impl Into<String>) -> CheckError {
    VaultFault::of_vault(what).into()
}

fn at(row: VaultRow, what: impl Into<String>) -> CheckError {
    VaultFault::at(row, what).into()
}

impl From<Trouble> for CheckError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(trouble.told())
    }
}

/// Checks all tables at one moment; once more where the connection was lost, for it may have been stale.
pub(super) async fn check(readers: &Readers, seals: &Seals) -> Result<VaultReport, CheckError> {
    match check_once(readers, seals).await {
        Err(CheckError::Unavailable(why)) => {
            tracing::warn!(why, "checking the vault begins anew");
            check_once(readers, seals).await
        }
        answer => answer,
    }
}

async fn check_once(readers: &Readers, seals: &Seals) -> Result<VaultReport, CheckError> {
    let mut session = readers.session().await?;
    let checked = at_one_moment(&mut session, readers.answer_max(), seals).await;
    if matches!(checked, Err(CheckError::Unavailable(_))) {
        readers.give_up(session);
    }
    checked
}

async fn at_one_moment(
    session: &mut Session,
    limit: Duration,
    seals: &Seals,
) -> Result<VaultReport, CheckError> {
    let moment = session.client.build_transaction().read_only(true);
    let moment = moment.isolation_level(IsolationLevel::RepeatableRead).start();
    at_moment(&within(limit, moment).await?, limit, seals).await
}

async fn at_moment(
    moment: &Transaction<'_>,
    limit: Duration,
    seals: &Seals,
) -> Result<VaultReport, CheckError> {
    let mut found = Total::default();
    each(moment, limit, select_keys!("ORDER BY id"), |row| check_key(row, seals, &mut found))
        .await?;
    let secrets = select_secrets!("ORDER BY name");
    each(moment, limit, secrets, |row| check_secret(row, seals, &mut found)).await?;
    let meta = "SELECT name, value FROM assay.vault ORDER BY name";
    let rows = within(limit, moment.query(meta, &[])).await?;
    let stored = check_meta(&rows, seals)?;
    let missing = within(limit, moment.query(MISSING_TRIGGERS, &[])).await?;
    if let Some(row) = missing.first() {
        let name: String = value(row, 0).map_err(|error| of_vault(error.to_string()))?;
        return Err(of_vault(format!("the trigger {name} is missing or does not fire")));
    }
    if stored != found {
        let told = |total: &Total| {
            format!(
                "{} keys, {} destroyed ones, {} secrets",
                total.held, total.destroyed, total.secrets
            )
        };
        let (stored, found) = (told(&stored), told(&found));
        return Err(of_vault(if stored == found {
            format!("its {found} are not those that were written: older ones were put back")
        } else {
            format!("it has {found}; written were {stored}")
        }));
    }
    Ok(VaultReport { keys: found.held, destroyed: found.destroyed, secrets: found.secrets })
}

/// The triggers that keep destroyed keys destroyed, as far as they are not there and always on.
const MISSING_TRIGGERS: &str =
    "SELECT wanted FROM unnest(ARRAY['keys_remain', 'keys_stay_destroyed'])
    AS wanted WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger
        WHERE tgrelid = 'assay.keys'::regclass AND tgname = wanted AND tgenabled = 'A')
    ORDER BY wanted";

/// Row by row, so that a big vault does not fill the memory.
async fn each(
    moment: &Transaction<'_>,
    limit: Duration,
    sql: &str,
    mut look: impl FnMut(&Row) -> Result<(), CheckError>,
) -> Result<(), CheckError> {
    let nothing: [i32; 0] = [];
    let rows: RowStream = within(limit, moment.query_raw(sql, nothing)).await?;
    let mut rows = pin!(rows);
    while let Some(row) = within(limit, rows.try_next()).await? {
        look(&row)?;
    }
    Ok(())
}

fn check_key(row: &Row, seals: &Seals, found: &mut Total) -> Result<(), CheckError> {
    let id = value(row, 0).map_err(|error| of_vault(error.to_string()))?;
    let wrong = |what: String| at(VaultRow::Key(id), what);
    let (key, mac) = read_key(row).map_err(|error| wrong(error.to_string()))?;
    if mac != seals.mac_of_key(&key) {
        return Err(wrong("is not as it was written".to_owned()));
    }
    if let Some(wrapped) = &key.wrapped {
        seals.unwrap_key(key.id, wrapped).map_err(|error| wrong(error.to_string()))?;
    }
    found.add_key(seals, &key);
    Ok(())
}

fn check_secret(row: &Row, seals: &Seals, found: &mut Total) -> Result<(), CheckError> {
    let name: String = value(row, 0).map_err(|error| of_vault(error.to_string()))?;
    let wrong = |what: String| at(VaultRow::Secret(name.clone()), what);
    let (secret, mac) = read_secret(row).map_err(|error| wrong(error.to_string()))?;
    if mac != seals.mac_of_secret(&secret) {
        return Err(wrong("is not as it was written".to_owned()));
    }
    let opened = seals.unwrap_secret(&secret.name, secret.version, &secret.wrapped);
    drop(Zeroizing::new(opened.map_err(|error| wrong(error.to_string()))?));
    found.add_secret(seals, &secret);
    Ok(())
}

/// The check word and the total, and nothing else. Answers the total.
fn check_meta(rows: &[Row], seals: &Seals) -> Result<Total, CheckError> {
    let odd = || of_vault("it does not say of itself what it must");
    let read = |row| Ok::<(&str, &[u8]), VaultError>((value(row, 0)?, value(row, 1)?));
    let rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>().map_err(|_| odd())?;
    let [("check", word), ("total", total)] = rows.as_slice() else { return Err(odd()) };
    if !seals.is_check_word(word) {
        return Err(of_vault("the check word does not unwrap"));
    }
    Total::unwrap(seals, total).map_err(|error| of_vault(error.to_string()))
}
