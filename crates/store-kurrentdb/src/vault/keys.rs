//! Keys: made, adopted, looked up and destroyed, each in a stream of its own.

use assay_store::seals::KeyRow;
use assay_store::vault::{Key, KeyId, KeyState, VaultError};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use kurrentdb::StreamState;

use super::{CALLS_IN_FLIGHT_MAX, KurrentVault, rows};
use crate::error::Trouble;

impl KurrentVault {
    pub(super) async fn key_row(&self, id: KeyId) -> Result<Option<(u64, KeyRow)>, VaultError> {
        let found = self.connection.last_of(&self.streams.key(id)).await?;
        found.map(|found| Ok((found.revision, rows::key(&self.seals, id, &found)?))).transpose()
    }

    pub(super) async fn look_up(&self, id: KeyId) -> Result<KeyState, VaultError> {
        let (_, row) = self.key_row(id).await?.ok_or(VaultError::UnknownKey(id))?;
        row.wrapped.map_or(Ok(KeyState::Destroyed), |wrapped| {
            self.seals.unwrap_key(id, &wrapped).map(KeyState::Held)
        })
    }

    pub(super) async fn make(&self, count: usize) -> Result<Vec<(KeyId, Key)>, VaultError> {
        let now = (self.clock.0)();
        let millis = u64::try_from(now / 1_000).unwrap_or_default();
        let make_one = move |_| async move {
            // Ordered by time, so that keys made together lie together.
            let random: [u8; 10] = rand::random();
            let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
            let key = Key(rand::random());
            self.store(id, &key, now).await?;
            Ok((id, key))
        };
        stream::iter(0..count).map(make_one).buffered(CALLS_IN_FLIGHT_MAX).try_collect().await
    }

    /// Stores a key under an id; harmless where the same is there.
    pub(super) async fn store(&self, id: KeyId, key: &Key, now: i64) -> Result<(), VaultError> {
        let wrapped = Some(self.seals.wrap_key(id, key)?);
        let row = KeyRow { id, wrapped, created_at: now, destroyed_at: None };
        let event = [rows::key_event(&self.seals, &row)?];
        match self.connection.append(&self.streams.key(id), StreamState::NoStream, &event).await {
            Ok(_) => Ok(()),
            Err(Trouble::Moved { .. }) => self.is_same(id, key).await,
            Err(trouble) => Err(trouble.into()),
        }
    }

    pub(super) async fn is_same(&self, id: KeyId, key: &Key) -> Result<(), VaultError> {
        match self.look_up(id).await? {
            KeyState::Held(known) if known == *key => Ok(()),
            KeyState::Held(_) => Err(VaultError::OtherKey(id)),
            KeyState::Destroyed => Err(VaultError::DestroyedKey(id)),
        }
    }

    pub(super) async fn adopt(&self, keys: Vec<(KeyId, Key)>) -> Result<(), VaultError> {
        let mut new: Vec<(KeyId, Key)> = Vec::with_capacity(keys.len());
        let mut sorted = keys;
        sorted.sort_by_key(|(id, _)| *id);
        for (id, key) in sorted {
            match new.last() {
                Some((known, other)) if *known == id && *other == key => {}
                Some((known, _)) if *known == id => return Err(VaultError::OtherKey(id)),
                _ => new.push((id, key)),
            }
        }
        // All are looked at before the first is written.
        let look = |(id, key)| async move {
            match self.is_same(id, &key).await {
                Ok(()) => Ok(None),
                Err(VaultError::UnknownKey(_)) => Ok(Some((id, key))),
                Err(refused) => Err(refused),
            }
        };
        let looked = stream::iter(new).map(look).buffered(CALLS_IN_FLIGHT_MAX);
        let new: Vec<Option<(KeyId, Key)>> = looked.try_collect().await?;
        let now = (self.clock.0)();
        let store = |(id, key): (KeyId, Key)| async move { self.store(id, &key, now).await };
        let new = stream::iter(new.into_iter().flatten());
        new.map(store).buffer_unordered(CALLS_IN_FLIGHT_MAX).try_collect().await
    }

    pub(super) async fn end(&self, id: KeyId) -> Result<(), VaultError> {
        let stream = self.streams.key(id);
        let (revision, row) = self.key_row(id).await?.ok_or(VaultError::UnknownKey(id))?;
        if row.wrapped.is_none() {
            return Ok(());
        }
        self.keep_last_only(&stream).await?;
        let row = KeyRow { wrapped: None, destroyed_at: Some((self.clock.0)()), ..row };
        let event = [rows::key_event(&self.seals, &row)?];
        let expected = StreamState::StreamRevision(revision);
        match self.connection.append(&stream, expected, &event).await {
            // Nothing but its end ever follows a key: somebody else destroyed it, or we did.
            Ok(_) | Err(Trouble::Moved { .. }) => match self.look_up(id).await? {
                KeyState::Destroyed => Ok(()),
                KeyState::Held(_) => Err(VaultError::Corrupt(format!("key {id} came back"))),
            },
            Err(trouble) => Err(trouble.into()),
        }
    }
}
