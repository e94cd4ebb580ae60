//! Disclosed keys: how they are written, and whether each opens everything that names it.

use std::collections::BTreeMap;

use assay_store::seal::{key_of, open};
use assay_store::vault::{Key, KeyId};
use serde::{Deserialize, Serialize};

use crate::line::{Data, Line};
use crate::sealed::sealed_values;
use crate::text::{base64, hash_of};

/// A line of `keys.ndjson`: both fields, in this order, no white space.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    key: KeyId,
    bytes: String,
}

/// A key as a line without its newline.
pub(crate) fn key_line(id: KeyId, key: &Key) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Wire { key: id, bytes: base64(&key.0) })
}

/// Reads what [`key_line`] writes, and nothing else.
pub(crate) fn parse_key(line: &[u8]) -> Option<(KeyId, Key)> {
    let wire: Wire = serde_json::from_slice(line).ok()?;
    let (id, key) = (wire.key, Key(hash_of(&wire.bytes)?));
    (key_line(id, &key).ok()? == line).then_some((id, key))
}

/// Why keys are not as they should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// The data of the entry is no JSON, so that nobody can say what is sealed in it.
    NotJson,
    /// The key does not open a value that names it.
    DoesNotOpen(KeyId),
}

/// Every disclosed key, and what it has opened so far.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    held: BTreeMap<KeyId, (Key, u64)>,
    /// How many sealed values were seen.
    pub(crate) sealed: u64,
    /// How many of them were opened.
    pub(crate) opened: u64,
}

impl Keys {
    /// Takes a key in; false where it is there already.
    pub(crate) fn add(&mut self, id: KeyId, key: Key) -> bool {
        self.held.insert(id, (key, 0)).is_none()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// All of them, by their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (KeyId, &Key)> {
        self.held.iter().map(|(id, (key, _))| (*id, key))
    }

    /// The last id, for whoever demands that they ascend.
    pub(crate) fn last(&self) -> Option<KeyId> {
        self.held.last_key_value().map(|(id, _)| *id)
    }

    /// Opens what the entry has sealed under these keys.
    pub(crate) fn try_on(&mut self, line: &Line) -> Result<(), KeyFault> {
        let Data::Full(data) = &line.data else { return Ok(()) };
        for sealed in sealed_values(data).ok_or(KeyFault::NotJson)? {
            self.sealed += 1;
            let Some(id) = key_of(&sealed).ok() else { continue };
            let Some((key, opened)) = self.held.get_mut(&id) else { continue };
            // One way to write a value: what follows its four parts would be neither sealed nor seen.
            let whole = sealed.split('.').count() == 4;
            if !whole || open(key, &line.stream, &sealed).is_err() {
                return Err(KeyFault::DoesNotOpen(id));
            }
            *opened += 1;
            self.opened += 1;
        }
        Ok(())
    }

    /// A key that has opened nothing.
    pub(crate) fn idle(&self) -> Option<KeyId> {
        self.held.iter().find(|(_, (_, opened))| *opened == 0).map(|(id, _)| *id)
    }
}
