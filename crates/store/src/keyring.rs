//! The key ring: subject keys at hand, drawn from a pool made ahead and looked up in a bounded cache.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use uuid::Uuid;

use crate::recent::Recent;
use crate::vault::{Key, KeyId, KeyState, Vault, VaultError};

/// How many keys one refill of the pool makes: one durable step of the vault for so many subjects.
pub const POOL_KEYS: usize = 256;
/// How many keys are kept at hand.
pub const CACHED_KEYS_MAX: usize = 20_000;
/// The most keys one question to the vault names.
const FETCH_KEYS_MAX: usize = 1_000;
/// What stands before the name of a stream that is held back, among the vault's secrets.
const HELD_BACK: &str = "held-back/";
/// How many streams that are held back are asked for at once.
const HELD_BACK_PAGE: usize = 500;
/// What stands before the key id of a sealed field in a fact's JSON.
const MARK: &[u8] = b"\"sealed\":\"xc1.";
/// A key id in base64url without padding.
const KEY_ID_CHARS: usize = 22;

/// Keys at hand, over a vault.
///
/// A reader fetches the keys of a batch first ([`Self::fetch`]) and asks for each afterwards
/// ([`Self::get`]), which never waits. The keys of the last [`CACHED_KEYS_MAX`]` / 2` distinct ids are sure to
/// be there; a batch that names more must fetch in parts.
pub struct KeyRing {
    vault: Arc<dyn Vault>,
    pool: tokio::sync::Mutex<Vec<(KeyId, Key)>>,
    cache: RwLock<Recent<KeyId, KeyState>>,
    /// Counts destructions, so that an answer of the vault from before one is not believed after it.
    forgotten: AtomicU64,
    /// Streams that are stored and not shown.
    held_back: RwLock<HashSet<String>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("cached", &self.read().len()).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// A ring without keys at hand.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self {
            vault,
            pool: tokio::sync::Mutex::new(Vec::new()),
            cache: RwLock::new(Recent::new(CACHED_KEYS_MAX)),
            forgotten: AtomicU64::new(0),
            held_back: RwLock::default(),
        }
    }

    /// The vault behind it.
    pub fn vault(&self) -> &Arc<dyn Vault> {
        &self.vault
    }

    /// A new key for a new subject. It is durable already and nobody else gets it.
    ///
    /// Only every [`POOL_KEYS`]th draw waits for the vault. Keys still in the pool when the process
    /// ends are never used: a few unused rows are the price.
    pub async fn draw(&self) -> Result<(KeyId, Key), VaultError> {
        let mut pool = self.pool.lock().await;
        if pool.is_empty() {
            *pool = self.vault.new_keys(POOL_KEYS).await?;
            // Popped from the end: turned, so that ids are used in the order they were made.
            pool.reverse();
        }
        let drawn = pool.pop();
        drop(pool);
        let (id, key) =
            drawn.ok_or_else(|| VaultError::Unavailable("it made no keys".to_owned()))?;
        self.write().put(id, KeyState::Held(key.clone()));
        Ok((id, key))
    }

    /// Brings keys into the cache; those already there cost nothing. An unknown key is an error.
    pub async fn fetch(&self, ids: &[KeyId]) -> Result<(), VaultError> {
        let missing = self.touch(ids);
        for part in missing.chunks(FETCH_KEYS_MAX) {
            self.fetch_part(part).await?;
        }
        Ok(())
    }

    /// Stores keys that came from elsewhere, durably, and has them at hand at once; all or none.
    ///
    /// # Errors
    ///
    /// As [`Vault::adopt_keys`]: a key that was destroyed here does not come back.
    pub async fn adopt(&self, keys: Vec<(KeyId, Key)>) -> Result<(), VaultError> {
        let before = self.forgotten.load(Ordering::Relaxed);
        self.vault.adopt_keys(keys.clone()).await?;
        let mut cache = self.write();
        // One of them may have been destroyed since it was stored: then the vault is asked instead.
        if self.forgotten.load(Ordering::Relaxed) == before {
            for (id, key) in keys {
                cache.put(id, KeyState::Held(key));
            }
            return Ok(());
        }
        drop(cache);
        let ids: Vec<KeyId> = keys.iter().map(|(id, _)| *id).collect();
        self.fetch(&ids).await
    }

    /// What is known of a key, without waiting; `None` means: fetch it first.
    pub fn get(&self, id: KeyId) -> Option<KeyState> {
        self.read().peek(&id).cloned()
    }

    /// Says that a key was destroyed: whoever asks from now on hears so.
    pub fn forget(&self, id: KeyId) {
        let mut cache = self.write();
        self.forgotten.fetch_add(1, Ordering::Relaxed);
        cache.put(id, KeyState::Destroyed);
    }

    /// Destroys a key for ever, durably, and forgets it here. Harmless when done twice.
    pub async fn destroy(&self, id: KeyId) -> Result<(), VaultError> {
        self.vault.destroy(id).await?;
        self.forget(id);
        Ok(())
    }

    /// From now on what this stream's facts say is not shown, also after the next start.
    pub async fn hold_back(&self, stream: &str) -> Result<(), VaultError> {
        let name = format!("{HELD_BACK}{stream}");
        if self.vault.secret(&name).await?.is_none() {
            match self.vault.put_secret(&name, None, Vec::new()).await {
                Ok(_) | Err(VaultError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.held().insert(stream.to_owned());
        Ok(())
    }

    /// Shows a stream again.
    pub async fn give_back(&self, stream: &str) -> Result<(), VaultError> {
        self.vault.drop_secret(&format!("{HELD_BACK}{stream}")).await?;
        self.held().remove(stream);
        Ok(())
    }

    /// Learns from the vault what is held back; whoever opens a house calls it before anything is read.
    pub async fn recall(&self) -> Result<(), VaultError> {
        let mut after: Option<String> = None;
        loop {
            let names =
                self.vault.secret_names(HELD_BACK, after.as_deref(), HELD_BACK_PAGE).await?;
            let Some(last) = names.last().cloned() else { return Ok(()) };
            let streams = names.iter().filter_map(|name| name.strip_prefix(HELD_BACK));
            self.held().extend(streams.map(str::to_owned));
            after = Some(last);
        }
    }

    /// Whether what this stream's facts say may be shown.
    pub fn shows(&self, stream: &str) -> bool {
        let held = self.held_back.read().unwrap_or_else(PoisonError::into_inner);
        held.is_empty() || !held.contains(stream)
    }

    fn held(&self) -> RwLockWriteGuard<'_, HashSet<String>> {
        self.held_back.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks what is at hand as used and answers what is not.
    fn touch(&self, ids: &[KeyId]) -> Vec<KeyId> {
        let cache = self.read();
        if ids.iter().all(|id| cache.is_young(id)) {
            return Vec::new();
        }
        drop(cache);
        let mut cache = self.write();
        let mut missing: Vec<KeyId> =
            ids.iter().copied().filter(|id| cache.get(id).is_none()).collect();
        drop(cache);
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    async fn fetch_part(&self, ids: &[KeyId]) -> Result<(), VaultError> {
        loop {
            let before = self.forgotten.load(Ordering::Relaxed);
            let states = self.vault.keys(ids.to_vec()).await?;
            let mut cache = self.write();
            // A key destroyed while we asked must not come back: ask again.
            if self.forgotten.load(Ordering::Relaxed) == before {
                ids.iter().zip(states).for_each(|(id, state)| cache.put(*id, state));
                return Ok(());
            }
        }
    }

    // A panic of another thread between two puts leaves a cache that is still right.
    fn read(&self) -> RwLockReadGuard<'_, Recent<KeyId, KeyState>> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Recent<KeyId, KeyState>> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys that a fact's bytes name in its sealed fields, each once, without parsing the JSON.
///
/// Quotes inside a JSON text are escaped, so what somebody wrote into a field cannot look like the mark.
pub fn sealed_keys(data: &[u8]) -> Vec<KeyId> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(data, MARK) {
        let rest = data.get(at + MARK.len()..).unwrap_or_default();
        let Some((id, after)) = rest.split_at_checked(KEY_ID_CHARS) else { break };
        if after.first() != Some(&b'.') {
            continue;
        }
        let mut bytes = [0; 16];
        if B64.decode_slice(id, &mut bytes) == Ok(16) {
            let id = Uuid::from_bytes(bytes);
            if !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}
