//! Secrets: the last event of a stream is the secret, and its revision keeps writers apart.

use assay_store::seals::SecretRow;
use assay_store::vault::{Secret, VaultError};
use kurrentdb::{EventData, StreamState};
use uuid::Uuid;

use super::rows::SecretFound;
use super::{KurrentVault, rows};
use crate::error::Trouble;

/// How often a secret that others keep changing is tried to be dropped.
const DROPS_MAX: u32 = 16;

impl KurrentVault {
    pub(super) async fn secret_row(&self, name: &str) -> Result<Option<SecretFound>, VaultError> {
        let found = self.connection.last_of(&self.streams.secret(name)).await?;
        found.map(|found| rows::secret(&self.seals, name, &found)).transpose()
    }

    pub(super) async fn read_secret(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        let Some(SecretFound { row, .. }) = self.secret_row(name).await? else { return Ok(None) };
        if row.version == rows::DROPPED {
            return Ok(None);
        }
        let bytes = self.seals.unwrap_secret(name, row.version, &row.wrapped)?;
        Ok(Some(Secret { version: row.version, bytes }))
    }

    /// Puts a row after the one that was found; nothing where somebody else was first.
    pub(super) async fn follow_up(
        &self,
        standing: Option<&SecretFound>,
        row: &SecretRow,
    ) -> Result<Option<()>, VaultError> {
        let stream = self.streams.secret(&row.name);
        let (id, event): (Uuid, EventData) = rows::secret_event(&self.seals, row)?;
        let expected = match standing {
            None => StreamState::NoStream,
            Some(standing) => {
                if standing.revision == 0 {
                    self.keep_last_only(&stream).await?;
                }
                StreamState::StreamRevision(standing.revision)
            }
        };
        match self.connection.append(&stream, expected, &[event]).await {
            Ok(_) => Ok(Some(())),
            Err(Trouble::Moved { .. }) => {
                // Unless it was us, with an answer that got lost.
                let last = self.connection.last_of(&stream).await?;
                Ok(last.filter(|last| last.id == id).map(|_| ()))
            }
            Err(trouble) => Err(trouble.into()),
        }
    }

    pub(super) async fn put(
        &self,
        name: &str,
        version: Option<u64>,
        bytes: &[u8],
    ) -> Result<u64, VaultError> {
        let standing = self.secret_row(name).await?;
        let current = standing.as_ref().and_then(SecretFound::version);
        if current != version {
            return Err(VaultError::Conflict { current });
        }
        let next = version.unwrap_or(0).saturating_add(1);
        let wrapped = self.seals.wrap_secret(name, next, bytes)?;
        let row = SecretRow { name: name.to_owned(), version: next, wrapped };
        if self.follow_up(standing.as_ref(), &row).await?.is_some() {
            return Ok(next);
        }
        let current = self.secret_row(name).await?.as_ref().and_then(SecretFound::version);
        Err(VaultError::Conflict { current })
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), VaultError> {
        for _ in 0..DROPS_MAX {
            let Some(standing) = self.secret_row(name).await? else { return Ok(()) };
            if standing.version().is_none() {
                return Ok(());
            }
            let row =
                SecretRow { name: name.to_owned(), version: rows::DROPPED, wrapped: Vec::new() };
            if self.follow_up(Some(&standing), &row).await?.is_some() {
                return Ok(());
            }
        }
        Err(VaultError::Unavailable("the secret changes too fast to be dropped".to_owned()))
    }
}
