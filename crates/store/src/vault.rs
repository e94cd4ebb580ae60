//! The vault: the small mutable store beside the log that holds keys and secrets, each wrapped by a master key.

use std::fmt;

use futures_util::future::BoxFuture;
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Names a key; stands in every sealed field, so that the log says which keys belong to whom.
pub type KeyId = Uuid;

/// A key of 256 bits. Never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key(pub [u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}

/// What the vault knows of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Here it is.
    Held(Key),
    /// It was destroyed on purpose: what it sealed is forgotten.
    Destroyed,
}

/// What can go wrong with a vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// A secret is not at the version the writer believed.
    #[error("the secret moved on; its version is {current:?}")]
    Conflict {
        /// Its version, or nothing where it does not exist.
        current: Option<u64>,
    },
    /// The log names a key the vault has never seen.
    #[error("the vault has never seen key {0}")]
    UnknownKey(KeyId),
    /// A key that came from elsewhere has the id of another key.
    #[error("key {0} is another one here")]
    OtherKey(KeyId),
    /// A key that came from elsewhere was destroyed here, and does not come back.
    #[error("key {0} was destroyed here and does not come back")]
    DestroyedKey(KeyId),
    /// The vault cannot be reached.
    #[error("the vault is unavailable: {0}")]
    Unavailable(String),
    /// What is stored cannot be unwrapped: wrong master key, or damage.
    #[error("the vault is corrupt: {0}")]
    Corrupt(String),
}

/// A secret as stored, with the version to give when replacing it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Counted from 1.
    pub version: u64,
    /// The unwrapped bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret {{ version: {}, bytes: [REDACTED] }}", self.version)
    }
}

/// Keys and secrets. Everything given to it is wrapped by the master key before it is stored.
pub trait Vault: Send + Sync + fmt::Debug {
    /// Makes and stores this many new keys in one durable step.
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>>;

    /// Stores keys that came from elsewhere under the ids they had there: all of them in one durable
    /// step, or none. The same key again is harmless.
    ///
    /// # Errors
    ///
    /// `OtherKey` where an id is known with another key, or twice in the question with two;
    /// `DestroyedKey` where it was destroyed here.
    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>>;

    /// Looks keys up; the answer has the order of the question. A key never seen is an error.
    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>>;

    /// Destroys a key for ever, durably. Harmless when done twice.
    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>>;

    /// Reads a secret by its name (`password/…`, `session/…`).
    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>>;

    /// Writes a secret if it is still at `version` (`None`: if there is none); answers its new version.
    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>>;

    /// Removes a secret. Harmless when there is none.
    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>>;

    /// The names of at most `limit` secrets that start with a prefix, after a name, in byte order.
    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>>;
}
