//! Writing to the vault: one transaction, in which the total goes along with every row.

use std::collections::HashMap;
use std::time::Duration;

use assay_store::seals::{KeyRow, Seals, SecretRow, Total};
use assay_store::vault::{Key, KeyId, VaultError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row, Transaction};

use super::rows::{read_key, read_secret, select_keys, select_secrets, value};
use crate::rows::{Hidden, signed};
use crate::session::{Session, Trouble, within};

/// What is to be written.
pub(super) enum Change {
    /// Keys that nobody has seen before.
    Insert(Vec<KeyRow>),
    /// Keys that came from elsewhere, unless they are there already.
    Adopt { keys: Vec<(KeyId, Key)>, now: i64 },
    /// A key is destroyed.
    Destroy { id: KeyId, now: i64 },
    /// A secret in the place of the one at `version`.
    Put { version: Option<u64>, secret: SecretRow },
    /// A secret goes.
    Remove(String),
}

/// Why a change was not made.
pub(super) enum Stop {
    /// The vault's own rules.
    Refused(VaultError),
    /// The connection was of no use from the start.
    NotBegun(Trouble),
    /// The database itself failed, or went away.
    Failed(Trouble),
    /// It was committed, perhaps not on the standby.
    Unknown,
}

impl From<VaultError> for Stop {
    fn from(error: VaultError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

/// A transaction that is being written. Dropped before [`Step::finish`], it leaves no trace.
struct Step<'a> {
    transaction: Transaction<'a>,
    seals: &'a Seals,
    total: Total,
}

/// Makes a change, or none of it.
pub(super) async fn change(
    session: &mut Session,
    limit: Duration,
    seals: &Seals,
    wanted: &Change,
) -> Result<(), Stop> {
    let warnings = session.warnings();
    let begun = within(limit, session.client.transaction()).await;
    let transaction = begun.map_err(Stop::NotBegun)?;
    let made = tokio::time::timeout(limit, make(transaction, seals, wanted)).await;
    made.map_err(|_| Stop::Failed(Trouble::Silent))??;
    if session.warnings() == warnings { Ok(()) } else { Err(Stop::Unknown) }
}

async fn make(transaction: Transaction<'_>, seals: &Seals, wanted: &Change) -> Result<(), Stop> {
    // Every writer locks this row first: they take turns, and none sees half of another's rows.
    let sql = "SELECT value FROM assay.vault WHERE name = 'total' FOR UPDATE";
    let row = transaction.query_typed_opt(sql, &[]).await?;
    let row = row.ok_or_else(|| VaultError::Corrupt("the total is gone".to_owned()))?;
    let total = Total::unwrap(seals, value(&row, 0)?)?;
    let mut step = Step { transaction, seals, total };
    match wanted {
        Change::Insert(rows) => step.insert(rows).await?,
        Change::Adopt { keys, now } => step.adopt(keys, *now).await?,
        Change::Destroy { id, now } => step.destroy(*id, *now).await?,
        Change::Put { version, secret } => step.put(*version, secret).await?,
        Change::Remove(name) => step.remove(name).await?,
    }
    step.finish().await
}

impl Step<'_> {
    async fn keys(&self, ids: &[KeyId]) -> Result<HashMap<KeyId, KeyRow>, Stop> {
        let sql = select_keys!("WHERE id = ANY($1)");
        let rows = self.transaction.query_typed(sql, &[(&ids, Type::UUID_ARRAY)]).await?;
        rows.iter().map(|row| Ok(read_key(row).map(|(key, _)| (key.id, key))?)).collect()
    }

    async fn secret(&self, name: &str) -> Result<Option<SecretRow>, Stop> {
        let sql = select_secrets!("WHERE name = $1");
        let row: Option<Row> =
            self.transaction.query_typed_opt(sql, &[(&name, Type::TEXT)]).await?;
        row.map(|row| Ok(read_secret(&row).map(|(secret, _)| secret)?)).transpose()
    }

    async fn execute(
        &self,
        sql: &str,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<u64, Stop> {
        Ok(self.transaction.execute_typed(sql, values).await?)
    }

    async fn insert(&mut self, rows: &[KeyRow]) -> Result<(), Stop> {
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<KeyId> = rows.iter().map(|row| row.id).collect();
        let wrapped: Vec<Option<Hidden<'_>>> =
            rows.iter().map(|row| row.wrapped.as_deref().map(Hidden)).collect();
        let created_at: Vec<i64> = rows.iter().map(|row| row.created_at).collect();
        let destroyed_at: Vec<Option<i64>> = rows.iter().map(|row| row.destroyed_at).collect();
        let macs: Vec<_> = rows.iter().map(|row| self.seals.mac_of_key(row)).collect();
        let macs: Vec<Hidden<'_>> = macs.iter().map(|mac| Hidden(mac)).collect();
        self.execute(
            "INSERT INTO assay.keys (id, wrapped, created_at, destroyed_at, mac)
             SELECT * FROM unnest($1, $2, $3, $4, $5)",
            &[
                (&ids, Type::UUID_ARRAY),
                (&wrapped, Type::BYTEA_ARRAY),
                (&created_at, Type::INT8_ARRAY),
                (&destroyed_at, Type::INT8_ARRAY),
                (&macs, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
        for row in rows {
            self.total.add_key(self.seals, row);
        }
        Ok(())
    }

    async fn adopt(&mut self, keys: &[(KeyId, Key)], now: i64) -> Result<(), Stop> {
        let ids: Vec<KeyId> = keys.iter().map(|(id, _)| *id).collect();
        let mut known = self.keys(&ids).await?;
        let mut new = Vec::new();
        for (id, key) in keys {
            match known.get(id) {
                None => {
                    let wrapped = Some(self.seals.wrap_key(*id, key)?);
                    let row = KeyRow { id: *id, wrapped, created_at: now, destroyed_at: None };
                    known.insert(*id, row.clone());
                    new.push(row);
                }
                Some(KeyRow { wrapped: None, .. }) => {
                    return Err(VaultError::DestroyedKey(*id).into());
                }
                Some(KeyRow { wrapped: Some(wrapped), .. }) => {
                    if self.seals.unwrap_key(*id, wrapped)? != *key {
                        return Err(VaultError::OtherKey(*id).into());
                    }
                }
            }
        }
        self.insert(&new).await
    }

    /// The total loses what the row says now, not what its MAC says: a row that was changed behind
    /// our back leaves the total wrong for ever, also when its key is destroyed.
    async fn destroy(&mut self, id: KeyId, now: i64) -> Result<(), Stop> {
        let mut key = self.keys(&[id]).await?.remove(&id).ok_or(VaultError::UnknownKey(id))?;
        if key.wrapped.is_none() {
            return Ok(());
        }
        self.total.take_key(self.seals, &key);
        (key.wrapped, key.destroyed_at) = (None, Some(now));
        self.total.add_key(self.seals, &key);
        let mac = self.seals.mac_of_key(&key);
        let sql = "UPDATE assay.keys SET wrapped = NULL, destroyed_at = $1, mac = $2 WHERE id = $3";
        self.execute(sql, &[(&now, Type::INT8), (&Hidden(&mac), Type::BYTEA), (&id, Type::UUID)])
            .await?;
        Ok(())
    }

    async fn put(&mut self, version: Option<u64>, secret: &SecretRow) -> Result<(), Stop> {
        let before = self.secret(&secret.name).await?;
        let current = before.as_ref().map(|before| before.version);
        if current != version {
            return Err(VaultError::Conflict { current }.into());
        }
        if let Some(before) = before {
            self.total.take_secret(self.seals, &before);
        }
        self.total.add_secret(self.seals, secret);
        let mac = self.seals.mac_of_secret(secret);
        self.execute(
            "INSERT INTO assay.secrets (name, version, wrapped, mac) VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE
             SET version = excluded.version, wrapped = excluded.wrapped, mac = excluded.mac",
            &[
                (&secret.name, Type::TEXT),
                (&signed(secret.version), Type::INT8),
                (&Hidden(&secret.wrapped), Type::BYTEA),
                (&Hidden(&mac), Type::BYTEA),
            ],
        )
        .await?;
        Ok(())
    }

    async fn remove(&mut self, name: &str) -> Result<(), Stop> {
        let Some(before) = self.secret(name).await? else { return Ok(()) };
        self.total.take_secret(self.seals, &before);
        self.execute("DELETE FROM assay.secrets WHERE name = $1", &[(&name, Type::TEXT)]).await?;
        Ok(())
    }

    /// Also where no row was written: what was found may be on this server and not yet on its
    /// standby, and only a commit that writes waits for all that stood before it.
    async fn finish(self) -> Result<(), Stop> {
        let wrapped = self.total.wrap(self.seals)?;
        let sql = "UPDATE assay.vault SET value = $1 WHERE name = 'total'";
        self.execute(sql, &[(&Hidden(&wrapped), Type::BYTEA)]).await?;
        Ok(self.transaction.commit().await?)
    }
}
