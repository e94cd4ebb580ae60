//! All that the master key does for a vault: it wraps keys and secrets, and proves that we wrote every row, whatever store it stands in.

use std::fmt;

use zeroize::Zeroizing;

use crate::mac::{Mac, MacKey};
use crate::master::MasterKey;
use crate::vault::{Key, KeyId, VaultError};

/// A key as a vault stores it, but for its MAC.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// Nothing where it was destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// Microseconds since 1970 (UTC), as the next one.
    pub created_at: i64,
    /// When it was destroyed.
    pub destroyed_at: Option<i64>,
}

/// A secret as a vault stores it, but for its MAC.
#[derive(Clone, Debug)]
pub struct SecretRow {
    /// Its name.
    pub name: String,
    /// Counted from 1.
    pub version: u64,
    /// Its bytes, wrapped.
    pub wrapped: Vec<u8>,
}

/// What is wrapped at the vault's birth, to know the master key again.
const CHECK_WORD: &[u8] = b"assay vault v1";
const CHECK_CONTEXT: &str = "check";
const TOTAL_CONTEXT: &str = "total";
/// Three counts and the sum.
const TOTAL_BYTES: usize = 3 * 8 + 32;

/// The master key and what is made of it.
pub struct Seals {
    master: MasterKey,
    rows: MacKey,
    sum: MacKey,
}

impl fmt::Debug for Seals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seals([REDACTED])")
    }
}

impl Seals {
    /// What a vault under this master key uses.
    pub fn new(master: MasterKey) -> Self {
        let rows = MacKey::derive(&master, "assay vault: rows");
        let sum = MacKey::derive(&master, "assay vault: sum");
        Self { master, rows, sum }
    }

    /// What is stored at the vault's birth, to know the master key again.
    pub fn check_word(&self) -> Result<Vec<u8>, VaultError> {
        self.master.wrap(CHECK_CONTEXT, CHECK_WORD)
    }

    /// Whether this was stored under the same master key.
    pub fn is_check_word(&self, stored: &[u8]) -> bool {
        self.master.unwrap(CHECK_CONTEXT, stored).is_ok_and(|word| word == CHECK_WORD)
    }

    /// A key, wrapped for its row.
    pub fn wrap_key(&self, id: KeyId, key: &Key) -> Result<Vec<u8>, VaultError> {
        self.master.wrap(&key_context(id), &key.0)
    }

    /// A key out of its row.
    pub fn unwrap_key(&self, id: KeyId, wrapped: &[u8]) -> Result<Key, VaultError> {
        let plain = Zeroizing::new(self.master.unwrap(&key_context(id), wrapped)?);
        let bytes = <[u8; 32]>::try_from(plain.as_slice());
        bytes.map(Key).map_err(|_| VaultError::Corrupt(format!("key {id} has no 256 bits")))
    }

    /// A secret at a version, wrapped for its row.
    pub fn wrap_secret(
        &self,
        name: &str,
        version: u64,
        bytes: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.master.wrap(&secret_context(name, version), bytes)
    }

    /// A secret out of its row.
    pub fn unwrap_secret(
        &self,
        name: &str,
        version: u64,
        wrapped: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.master.unwrap(&secret_context(name, version), wrapped)
    }

    /// Proof over all columns of a key's row.
    pub fn mac_of_key(&self, key: &KeyRow) -> Mac {
        let destroyed_at = key.destroyed_at.map(i64::to_be_bytes);
        self.rows.mac(&[
            b"key",
            key.id.as_bytes(),
            &key.created_at.to_be_bytes(),
            destroyed_at.as_ref().map_or(&[], <[u8; 8]>::as_slice),
            key.wrapped.as_deref().unwrap_or_default(),
        ])
    }

    /// Proof over all columns of a secret's row.
    pub fn mac_of_secret(&self, secret: &SecretRow) -> Mac {
        let version = secret.version.to_be_bytes();
        self.rows.mac(&[b"secret", secret.name.as_bytes(), &version, &secret.wrapped])
    }
}

/// How many rows there are, and the exclusive or of a secret number for each.
///
/// A row's number is a MAC over its MAC, which stands nowhere; the sum is stored wrapped. So nobody
/// without the master key can find rows that make up for one another. Putting a whole older file in
/// the place of this one is not noticed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Keys that are held.
    pub held: u64,
    /// Keys that were destroyed.
    pub destroyed: u64,
    /// Secrets.
    pub secrets: u64,
    sum: [u8; 32],
}

impl Total {
    /// A key's row came in.
    pub fn add_key(&mut self, seals: &Seals, key: &KeyRow) {
        let count = if key.wrapped.is_some() { &mut self.held } else { &mut self.destroyed };
        *count = count.wrapping_add(1);
        self.turn(seals, &seals.mac_of_key(key));
    }

    /// A key's row went out.
    pub fn take_key(&mut self, seals: &Seals, key: &KeyRow) {
        let count = if key.wrapped.is_some() { &mut self.held } else { &mut self.destroyed };
        *count = count.wrapping_sub(1);
        self.turn(seals, &seals.mac_of_key(key));
    }

    /// A secret's row came in.
    pub fn add_secret(&mut self, seals: &Seals, secret: &SecretRow) {
        self.secrets = self.secrets.wrapping_add(1);
        self.turn(seals, &seals.mac_of_secret(secret));
    }

    /// A secret's row went out.
    pub fn take_secret(&mut self, seals: &Seals, secret: &SecretRow) {
        self.secrets = self.secrets.wrapping_sub(1);
        self.turn(seals, &seals.mac_of_secret(secret));
    }

    /// Puts a row's number in, or takes it out: both are the same.
    fn turn(&mut self, seals: &Seals, mac: &Mac) {
        let number = seals.sum.mac(&[mac]);
        self.sum.iter_mut().zip(number).for_each(|(sum, byte)| *sum ^= byte);
    }

    /// The total, wrapped for its row.
    pub fn wrap(&self, seals: &Seals) -> Result<Vec<u8>, VaultError> {
        let mut plain = Vec::with_capacity(TOTAL_BYTES);
        for count in [self.held, self.destroyed, self.secrets] {
            plain.extend_from_slice(&count.to_be_bytes());
        }
        plain.extend_from_slice(&self.sum);
        seals.master.wrap(TOTAL_CONTEXT, &plain)
    }

    /// The total out of its row.
    pub fn unwrap(seals: &Seals, wrapped: &[u8]) -> Result<Self, VaultError> {
        let plain = seals.master.unwrap(TOTAL_CONTEXT, wrapped)?;
        let (counts, rest) = plain.as_chunks::<8>();
        let [held, destroyed, secrets, sum @ ..] = counts else {
            return Err(VaultError::Corrupt("the total is too short".to_owned()));
        };
        let sum = <[u8; 32]>::try_from(sum.as_flattened());
        let sum = sum.ok().filter(|_| rest.is_empty());
        let sum = sum.ok_or_else(|| VaultError::Corrupt("the total has no sum".to_owned()))?;
        let count = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        Ok(Self { held: count(held), destroyed: count(destroyed), secrets: count(secrets), sum })
    }
}

fn key_context(id: KeyId) -> String {
    format!("key/{id}")
}

/// With the version in it, an older value put back into the row does not open.
fn secret_context(name: &str, version: u64) -> String {
    format!("secret/{version}/{name}")
}
