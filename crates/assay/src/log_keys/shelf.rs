//! Where the keys that sign lie: in files of the data directory, or in the vault that several nodes share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use assay_ledger::{SignerKey, VerifierKey};
use assay_store::vault::{Vault, VaultError};
use zeroize::Zeroizing;

use crate::accounts::new_id;
use crate::data_dir::{DataDir, read_private, write_private};

/// The endings of files: keys that sign, keys that were put away, public halves of those in a vault.
const SIGNING: &str = "key";
const RETIRED: &str = "retired";
const PUBLIC: &str = "pub";
/// What the names of secrets begin with.
const SIGNING_SECRETS: &str = "log-key/";
const RETIRED_SECRETS: &str = "log-key-retired/";
/// The name of the first key in a vault: of nodes that start at once, one makes it.
const FIRST: &str = "log-key/0";
/// More keys than anybody keeps.
const KEYS_MAX: usize = 1_000;

/// A place for keys.
#[derive(Clone, Debug)]
pub(crate) enum Shelf {
    /// Files of a data directory.
    Files(DataDir),
    /// Secrets of a shared vault; the public halves also stand in files here, to verify offline.
    Vault(Arc<dyn Vault>, DataDir),
}

impl Shelf {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Files(dir) => dir.log_keys().display().to_string(),
            Self::Vault(..) => "the vault".to_owned(),
        }
    }

    /// The keys that sign, oldest first.
    pub(crate) async fn signing(&self) -> anyhow::Result<Vec<SignerKey>> {
        match self {
            Self::Files(dir) => files(dir, SIGNING)?.iter().map(|path| read(path)).collect(),
            Self::Vault(vault, dir) => {
                let keys = secrets(vault.as_ref(), SIGNING_SECRETS).await?;
                show_publicly(dir, &keys)?;
                Ok(keys)
            }
        }
    }

    /// The public halves of keys that were put away.
    pub(crate) async fn retired(&self) -> anyhow::Result<Vec<VerifierKey>> {
        let keys = match self {
            Self::Files(dir) => {
                files(dir, RETIRED)?.iter().map(|path| read(path)).collect::<anyhow::Result<_>>()?
            }
            Self::Vault(vault, _) => secrets(vault.as_ref(), RETIRED_SECRETS).await?,
        };
        Ok(keys.iter().map(|key: &SignerKey| key.verifier().clone()).collect())
    }

    /// Keeps the first key, unless another node was first.
    pub(super) async fn put_first(&self, key: &SignerKey) -> anyhow::Result<()> {
        match self {
            Self::Files(_) => self.put(key).await,
            Self::Vault(vault, _) => match store(vault.as_ref(), FIRST, key).await {
                Ok(()) | Err(VaultError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Keeps one more key.
    pub(super) async fn put(&self, key: &SignerKey) -> anyhow::Result<()> {
        // Named by the time it was made, so that the oldest comes first.
        match self {
            Self::Files(dir) => {
                let path = dir.log_keys().join(format!("log-{}.{SIGNING}", new_id()));
                write_private(&path, line(key).as_bytes())
            }
            Self::Vault(vault, _) => {
                let name = format!("{SIGNING_SECRETS}{}", new_id());
                store(vault.as_ref(), &name, key).await.context("keeping the key")
            }
        }
    }

    /// Puts a key away: it is kept, and signs no more.
    pub(super) async fn put_away(&self, meant: &VerifierKey) -> anyhow::Result<()> {
        match self {
            Self::Files(dir) => {
                for path in files(dir, SIGNING)? {
                    if read(&path)?.verifier() == meant {
                        fs::rename(&path, path.with_extension(RETIRED))
                            .context("putting the key away")?;
                    }
                }
                Ok(())
            }
            Self::Vault(vault, _) => {
                for name in vault.secret_names(SIGNING_SECRETS, None, KEYS_MAX).await? {
                    let Some(key) = secret(vault.as_ref(), &name).await? else { continue };
                    if key.verifier() != meant {
                        continue;
                    }
                    let away = name.replacen(SIGNING_SECRETS, RETIRED_SECRETS, 1);
                    match store(vault.as_ref(), &away, &key).await {
                        Ok(()) | Err(VaultError::Conflict { .. }) => {}
                        Err(error) => return Err(error.into()),
                    }
                    vault.drop_secret(&name).await?;
                }
                Ok(())
            }
        }
    }
}

/// The public keys that a data directory knows, without holding it and without a vault.
pub(crate) fn known_publicly(dir: &DataDir) -> anyhow::Result<Vec<VerifierKey>> {
    let signing = files(dir, SIGNING)?;
    if !signing.is_empty() {
        return signing.iter().map(|path| Ok(read(path)?.verifier().clone())).collect();
    }
    let public = files(dir, PUBLIC)?;
    let parse = |path: &PathBuf| {
        let text = read_private(path)?;
        VerifierKey::parse(text.trim()).with_context(|| format!("reading {}", path.display()))
    };
    public.iter().map(parse).collect()
}

/// Writes down the public halves of keys in the vault, numbered from the oldest, and no others.
fn show_publicly(dir: &DataDir, keys: &[SignerKey]) -> anyhow::Result<()> {
    let name = |number: usize, key: &SignerKey| {
        format!("log-{number:04}-{:08x}.{PUBLIC}", key.verifier().key_id())
    };
    let shown: Vec<PathBuf> =
        (0..).zip(keys).map(|(number, key)| dir.log_keys().join(name(number, key))).collect();
    for (path, key) in shown.iter().zip(keys).filter(|(path, _)| !path.exists()) {
        write_private(path, format!("{}\n", key.verifier().to_text()).as_bytes())?;
    }
    for path in files(dir, PUBLIC)?.iter().filter(|path| !shown.contains(path)) {
        fs::remove_file(path).with_context(|| format!("removing {}", path.display()))?;
    }
    Ok(())
}

fn line(key: &SignerKey) -> Zeroizing<String> {
    Zeroizing::new(format!("{}\n", key.to_private_text().as_str()))
}

async fn store(vault: &dyn Vault, name: &str, key: &SignerKey) -> Result<(), VaultError> {
    vault.put_secret(name, None, line(key).as_bytes().to_vec()).await.map(|_| ())
}

async fn secrets(vault: &dyn Vault, prefix: &str) -> anyhow::Result<Vec<SignerKey>> {
    let mut keys = Vec::new();
    for name in vault.secret_names(prefix, None, KEYS_MAX).await? {
        keys.extend(secret(vault, &name).await?);
    }
    Ok(keys)
}

async fn secret(vault: &dyn Vault, name: &str) -> anyhow::Result<Option<SignerKey>> {
    let Some(secret) = vault.secret(name).await? else { return Ok(None) };
    let text = Zeroizing::new(String::from_utf8(secret.bytes).context("a key of the log")?);
    let key = SignerKey::parse(text.trim()).with_context(|| format!("reading the secret {name}"));
    key.map(Some)
}

fn read(path: &Path) -> anyhow::Result<SignerKey> {
    let text = Zeroizing::new(read_private(path)?);
    SignerKey::parse(text.trim()).with_context(|| format!("reading {}", path.display()))
}

/// The files of keys with an ending, oldest first.
fn files(dir: &DataDir, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = dir.log_keys();
    let shown = || format!("looking into {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("log-") && path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
