//! The codec's edge: facts become stored bytes with everything personal sealed, and come back.

use std::rc::Rc;
use std::sync::Arc;

use assay_domain::aggregate::{name_of, write};
use assay_domain::personal::{Open, Seal, opening, sealing};
use assay_store::keyring::{KeyRing, sealed_keys};
use assay_store::seal::{key_of, open, seal};
use assay_store::vault::{Key, KeyId, KeyState, VaultError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a fact cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Its JSON is not what the code knows.
    #[error("the fact does not read: {0}")]
    Json(#[from] serde_json::Error),
    /// It carries no name.
    #[error("the fact has no name")]
    Nameless,
    /// Its keys cannot be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// A fact as it is stored: its wire name and its bytes.
pub(crate) struct Stored {
    pub(crate) name: String,
    pub(crate) data: Vec<u8>,
}

/// Writes one fact of a stream, everything personal sealed under the subject's key.
pub(crate) fn encode<E: Serialize>(
    event: &E,
    stream: &str,
    key_id: KeyId,
    key: &Key,
) -> Result<Stored, CodecError> {
    let (stream, key) = (stream.to_owned(), key.clone());
    let sealer: Rc<Seal> =
        Rc::new(move |plain| seal(key_id, &key, &stream, plain).map_err(|error| error.to_string()));
    let data = sealing(sealer, || write(event))?;
    let name = name_of(&data).ok_or(CodecError::Nameless)?.to_owned();
    Ok(Stored { name, data })
}

/// Reads one fact of a stream, its keys being looked up first.
pub async fn decode<E: DeserializeOwned>(
    keys: &Arc<KeyRing>,
    stream: &str,
    data: &[u8],
) -> Result<E, CodecError> {
    keys.fetch(&sealed_keys(data)).await?;
    let (keys, stream) = (Arc::clone(keys), stream.to_owned());
    let opener: Rc<Open> = Rc::new(move |sealed| {
        let id = key_of(sealed).map_err(|error| error.to_string())?;
        match keys.get(id) {
            None => Err(format!("key {id} is not at hand")),
            Some(KeyState::Destroyed) => Ok(None),
            Some(KeyState::Held(key)) => {
                open(&key, &stream, sealed).map(Some).map_err(|error| error.to_string())
            }
        }
    });
    Ok(opening(opener, || serde_json::from_slice(data))?)
}
