//! The keys of a data directory: the one that wraps the vault, the one that signs tokens.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use assay_store::master::MasterKey;
use assay_store::vault::{Vault, VaultError};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::data_dir::{DataDir, read_private, write_private};
use crate::open::Opened;

/// Under which name a shared vault keeps the key that signs access tokens.
const JWT_KEY: &str = "house/jwt-key";

/// The environment variable that may carry the master key, 64 hex digits.
pub(crate) const MASTER_KEY_VARIABLE: &str = "ASSAY_MASTER_KEY";

/// Where the master key comes from.
#[derive(Clone, Debug)]
pub(crate) enum MasterFrom {
    /// From the environment.
    Environment(SecretString),
    /// From a file.
    File(std::path::PathBuf),
}

impl MasterFrom {
    /// The environment first, then the configured file, then the data directory's own.
    #[expect(clippy::disallowed_methods, reason = "the composition root reads the environment")]
    pub(crate) fn choose(configured: Option<&Path>, dir: &DataDir) -> Self {
        match std::env::var(MASTER_KEY_VARIABLE) {
            Ok(hex) => Self::Environment(SecretString::from(hex)),
            Err(_) => Self::File(configured.map_or_else(|| dir.master_key(), Path::to_owned)),
        }
    }

    /// In words, without the key.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Environment(_) => format!("the environment variable {MASTER_KEY_VARIABLE}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Reads it.
    pub(crate) fn read(&self) -> anyhow::Result<MasterKey> {
        let text = match self {
            Self::Environment(hex) => hex.clone(),
            Self::File(path) => SecretString::from(read_private(path)?),
        };
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.expose_secret().trim(), &mut bytes).map_err(|_| {
            anyhow!("the master key in {} is not 64 hex digits (256 bits)", self.describe())
        })?;
        Ok(MasterKey::new(bytes))
    }

    /// Makes a new one where there is none; a key that is there is used as it is.
    pub(crate) fn make_if_missing(&self) -> anyhow::Result<()> {
        match self {
            Self::Environment(_) => Ok(()),
            Self::File(path) if path.exists() => Ok(()),
            Self::File(path) => {
                let key: [u8; 32] = rand::random();
                write_private(path, format!("{}\n", hex::encode(key)).as_bytes())
            }
        }
    }
}

/// Makes the key that signs access tokens, in a file of the data directory.
pub(crate) fn make_jwt_key(dir: &DataDir) -> anyhow::Result<()> {
    write_private(&dir.jwt_key(), new_jwt_key()?.as_bytes())
}

/// Reads the key that signs access tokens; nodes that share a vault find it there, and the first makes it.
pub(crate) async fn jwt_key(opened: &Opened) -> anyhow::Result<SecretString> {
    if opened.replication.is_none() {
        return Ok(SecretString::from(read_private(&opened.dir.jwt_key())?));
    }
    let made = new_jwt_key()?;
    let kept = kept_or_made(opened.keys.vault().as_ref(), JWT_KEY, made.as_bytes()).await?;
    Ok(SecretString::from(String::from_utf8(kept).context("the token key in the vault")?))
}

/// Ed25519, PKCS#8, PEM.
fn new_jwt_key() -> anyhow::Result<Zeroizing<String>> {
    let key = SigningKey::from_bytes(&rand::random());
    key.to_pkcs8_pem(LineEnding::LF).context("encoding the token key")
}

/// A secret of the vault, or what was made for it where there is none; of nodes that start at once
/// one is first, and all get what that one made.
pub(crate) async fn kept_or_made(
    vault: &dyn Vault,
    name: &str,
    made: &[u8],
) -> anyhow::Result<Vec<u8>> {
    if let Some(found) = vault.secret(name).await? {
        return Ok(found.bytes);
    }
    match vault.put_secret(name, None, made.to_vec()).await {
        Ok(_) => Ok(made.to_vec()),
        Err(VaultError::Conflict { .. }) => {
            let found = vault.secret(name).await?.context("a secret that was just made is gone")?;
            Ok(found.bytes)
        }
        Err(error) => Err(error.into()),
    }
}
