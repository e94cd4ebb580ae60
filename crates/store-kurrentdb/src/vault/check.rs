//! Are the vault's rows still as they were written? Each one that counts, by its MAC.

use std::collections::HashMap;

use assay_store::checked::{CheckError, VaultFault, VaultReport, VaultRow};
use assay_store::seals::Seals;
use assay_store::vault::VaultError;

use super::rows::{self, CHECK_EVENT, Row, Streams};
use crate::connection::Connection;
use crate::error::Trouble;
use crate::reads::Found;
use crate::tail::Tail;

impl From<Trouble> for CheckError {
    fn from(trouble: Trouble) -> Self {
        match VaultError::from(trouble) {
            VaultError::Unavailable(why) => Self::Unavailable(why),
            other => VaultFault::of_vault(other.to_string()).into(),
        }
    }
}

/// What a row is, as far as it counts in a report.
#[derive(Clone, Copy)]
enum Kind {
    Check,
    Held,
    Destroyed,
    Secret,
    Dropped,
}

pub(super) async fn check(
    connection: &Connection,
    streams: &Streams,
    seals: &Seals,
) -> Result<VaultReport, CheckError> {
    let mut tail = Tail::new(connection.clone(), streams.all().to_owned(), None);
    let mut last: HashMap<Row, Result<Kind, VaultFault>> = HashMap::new();
    let mut head = tail.head().await?;
    while let Some(end) = head.as_ref().filter(|end| !tail.reached(end)) {
        let before = tail.place();
        for found in tail.towards(end).await? {
            let row = streams.row(&found.stream);
            let what = format!("the stream {:?} is no row of a vault", found.stream);
            let row = row.ok_or_else(|| VaultFault::of_vault(what))?;
            let proved = prove(seals, &row, &found);
            last.insert(row, proved);
        }
        if tail.place() == before {
            head = tail.head().await?;
        }
    }
    let mut report = VaultReport::default();
    for kind in last.into_values() {
        match kind? {
            Kind::Held => report.keys += 1,
            Kind::Destroyed => report.destroyed += 1,
            Kind::Secret => report.secrets += 1,
            Kind::Check | Kind::Dropped => {}
        }
    }
    Ok(report)
}

fn prove(seals: &Seals, row: &Row, found: &Found) -> Result<Kind, VaultFault> {
    let wrong = |named| move |error: VaultError| VaultFault { row: named, what: error.to_string() };
    match row {
        Row::Check if found.name == CHECK_EVENT && seals.is_check_word(&found.data) => {
            Ok(Kind::Check)
        }
        Row::Check => {
            Err(VaultFault::of_vault("the word that the master key is known by is another"))
        }
        Row::Key(id) => {
            let wrong = wrong(Some(VaultRow::Key(*id)));
            let key = rows::key(seals, *id, found).map_err(wrong.clone())?;
            let Some(wrapped) = key.wrapped else { return Ok(Kind::Destroyed) };
            seals.unwrap_key(*id, &wrapped).map(|_| Kind::Held).map_err(wrong)
        }
        Row::Secret(name) => {
            let wrong = wrong(Some(VaultRow::Secret(name.clone())));
            let secret = rows::secret(seals, name, found).map_err(wrong.clone())?;
            let Some(version) = secret.version() else { return Ok(Kind::Dropped) };
            let opened = seals.unwrap_secret(name, version, &secret.row.wrapped);
            opened.map(|_| Kind::Secret).map_err(wrong)
        }
    }
}
