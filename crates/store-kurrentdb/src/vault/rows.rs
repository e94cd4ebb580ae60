//! A key and a secret as events: every column and the MAC over them, as JSON.

use assay_store::mac::Mac;
use assay_store::seals::{KeyRow, Seals, SecretRow};
use assay_store::vault::{KeyId, VaultError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kurrentdb::EventData;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::birth::random_id;
use crate::reads::Found;

/// The version of a secret that was dropped.
pub(super) const DROPPED: u64 = 0;
/// The event by which the master key is known again.
pub(crate) const CHECK_EVENT: &str = "vault.check.v1";
const KEY_EVENT: &str = "vault.key.v1";
const SECRET_EVENT: &str = "vault.secret.v1";

/// The names of the vault's streams.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    prefix: String,
}

/// What a stream of the vault holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Check,
    Key(KeyId),
    Secret(String),
}

impl Streams {
    pub(super) const fn new(prefix: String) -> Self {
        Self { prefix }
    }

    pub(super) fn all(&self) -> &str {
        &self.prefix
    }

    pub(super) fn check(&self) -> String {
        format!("{}check", self.prefix)
    }

    pub(super) fn key(&self, id: KeyId) -> String {
        format!("{}key/{id}", self.prefix)
    }

    pub(super) fn secret(&self, name: &str) -> String {
        format!("{}{name}", self.secrets())
    }

    pub(super) fn secrets(&self) -> String {
        format!("{}secret/", self.prefix)
    }

    /// What a stream holds, unless it is none of ours.
    pub(super) fn row(&self, stream: &str) -> Option<Row> {
        let rest = stream.strip_prefix(&self.prefix)?;
        if let Some(name) = rest.strip_prefix("secret/") {
            return Some(Row::Secret(name.to_owned()));
        }
        match rest.strip_prefix("key/") {
            Some(id) => id.parse().ok().map(Row::Key),
            None => (rest == "check").then_some(Row::Check),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    id: Uuid,
    /// Nothing where it was destroyed.
    wrapped: Option<String>,
    created_at: i64,
    destroyed_at: Option<i64>,
    mac: String,
}

#[derive(Serialize, Deserialize)]
struct StoredSecret {
    name: String,
    version: u64,
    wrapped: String,
    mac: String,
}

/// A secret's row and where it stands in its stream.
pub(super) struct SecretFound {
    pub(super) revision: u64,
    pub(super) row: SecretRow,
}

impl SecretFound {
    /// Its version, unless it was dropped.
    pub(super) fn version(&self) -> Option<u64> {
        (self.row.version != DROPPED).then_some(self.row.version)
    }
}

fn json<T: Serialize>(row: &T) -> Result<bytes::Bytes, VaultError> {
    let bytes = serde_json::to_vec(row);
    bytes.map(Into::into).map_err(|error| VaultError::Corrupt(error.to_string()))
}

pub(super) fn key_event(seals: &Seals, row: &KeyRow) -> Result<EventData, VaultError> {
    let stored = StoredKey {
        id: row.id,
        wrapped: row.wrapped.as_ref().map(|wrapped| STANDARD.encode(wrapped)),
        created_at: row.created_at,
        destroyed_at: row.destroyed_at,
        mac: STANDARD.encode(seals.mac_of_key(row)),
    };
    Ok(EventData::binary(KEY_EVENT, json(&stored)?).id(random_id()))
}

/// The event and its id, to know it again.
pub(super) fn secret_event(
    seals: &Seals,
    row: &SecretRow,
) -> Result<(Uuid, EventData), VaultError> {
    let id = random_id();
    let stored = StoredSecret {
        name: row.name.clone(),
        version: row.version,
        wrapped: STANDARD.encode(&row.wrapped),
        mac: STANDARD.encode(seals.mac_of_secret(row)),
    };
    Ok((id, EventData::binary(SECRET_EVENT, json(&stored)?).id(id)))
}

/// The metadata of a stream of which the last event counts. The server reads it only if it is said
/// to be JSON.
pub(super) fn keep_last_event() -> Result<EventData, VaultError> {
    let data = serde_json::json!({ "$maxCount": 1 });
    let event = EventData::json("$metadata", &data);
    let event = event.map_err(|error| VaultError::Corrupt(error.to_string()))?;
    Ok(event.id(random_id()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn is_mac(text: &str, wanted: &Mac) -> bool {
    decode(text).is_some_and(|mac| mac == wanted)
}

/// A key's row, proved.
pub(super) fn key(seals: &Seals, id: KeyId, found: &Found) -> Result<KeyRow, VaultError> {
    let read = || {
        let stored: StoredKey = serde_json::from_slice(&found.data).ok()?;
        let wrapped = match &stored.wrapped {
            Some(wrapped) => Some(decode(wrapped)?),
            None => None,
        };
        let (created_at, destroyed_at) = (stored.created_at, stored.destroyed_at);
        let row = KeyRow { id: stored.id, wrapped, created_at, destroyed_at };
        let proved = row.id == id && found.name == KEY_EVENT;
        (proved && is_mac(&stored.mac, &seals.mac_of_key(&row))).then_some(row)
    };
    read().ok_or_else(|| VaultError::Corrupt(format!("key {id} is not as it was written")))
}

/// A secret's row, proved.
pub(super) fn secret(seals: &Seals, name: &str, found: &Found) -> Result<SecretFound, VaultError> {
    let read = || {
        let stored: StoredSecret = serde_json::from_slice(&found.data).ok()?;
        let wrapped = decode(&stored.wrapped)?;
        let row = SecretRow { name: stored.name, version: stored.version, wrapped };
        let proved = row.name == name && found.name == SECRET_EVENT;
        (proved && is_mac(&stored.mac, &seals.mac_of_secret(&row)))
            .then_some(SecretFound { revision: found.revision, row })
    };
    read().ok_or_else(|| VaultError::Corrupt(format!("secret {name:?} is not as it was written")))
}
