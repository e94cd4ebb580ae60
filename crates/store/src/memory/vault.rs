//! The vault without a disk: nothing is wrapped, because nothing is stored.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use uuid::Uuid;

use crate::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};

/// A vault that is gone when dropped.
#[derive(Default)]
pub struct MemoryVault {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    keys: HashMap<KeyId, KeyState>,
    secrets: BTreeMap<String, Secret>,
}

impl fmt::Debug for MemoryVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryVault")
    }
}

impl MemoryVault {
    /// An empty vault.
    pub fn new() -> Self {
        Self::default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn adopt(&mut self, keys: Vec<(KeyId, Key)>) -> Result<(), VaultError> {
        let mut new = HashMap::new();
        for (id, key) in keys {
            match self.keys.get(&id).or_else(|| new.get(&id)) {
                None => _ = new.insert(id, KeyState::Held(key)),
                Some(KeyState::Held(known)) if *known == key => {}
                Some(KeyState::Held(_)) => return Err(VaultError::OtherKey(id)),
                Some(KeyState::Destroyed) => return Err(VaultError::DestroyedKey(id)),
            }
        }
        self.keys.extend(new);
        Ok(())
    }

    fn put(&mut self, name: &str, version: Option<u64>, bytes: Vec<u8>) -> Result<u64, VaultError> {
        let current = self.secrets.get(name).map(|secret| secret.version);
        if current != version {
            return Err(VaultError::Conflict { current });
        }
        let version = version.map_or(1, |version| version + 1);
        self.secrets.insert(name.to_owned(), Secret { version, bytes });
        Ok(version)
    }
}

impl Vault for MemoryVault {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        let new_key = || {
            let id = uuid::Builder::from_random_bytes(rand::random()).into_uuid();
            (id, Key(rand::random()))
        };
        let made: Vec<(KeyId, Key)> = (0..count).map(|_| new_key()).collect();
        let held = made.iter().map(|(id, key)| (*id, KeyState::Held(key.clone())));
        self.kept().keys.extend(held);
        ready(Ok(made)).boxed()
    }

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        ready(self.kept().adopt(keys)).boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        let kept = self.kept();
        let state = |id: &Uuid| kept.keys.get(id).cloned().ok_or(VaultError::UnknownKey(*id));
        ready(ids.iter().map(state).collect()).boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        let mut kept = self.kept();
        let known = kept.keys.get_mut(&id).ok_or(VaultError::UnknownKey(id));
        ready(known.map(|state| *state = KeyState::Destroyed)).boxed()
    }

    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>> {
        ready(Ok(self.kept().secrets.get(name).cloned())).boxed()
    }

    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>> {
        ready(self.kept().put(name, version, bytes)).boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        self.kept().secrets.remove(name);
        ready(Ok(())).boxed()
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        // Whichever is further on: the prefix itself, or what was seen already.
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let kept = self.kept();
        let names = kept.secrets.range::<str, _>((from, Bound::Unbounded)).map(|(name, _)| name);
        let names =
            names.take_while(|name| name.starts_with(prefix)).take(limit).cloned().collect();
        ready(Ok(names)).boxed()
    }
}
