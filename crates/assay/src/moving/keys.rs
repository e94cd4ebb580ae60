//! Carrying over the keys that sign a log's checkpoints: files of a data directory here, secrets of a vault there.

use std::fs;
use std::sync::Arc;

use anyhow::Context as _;
use assay_store::vault::Vault;
use zeroize::Zeroizing;

use crate::data_dir::{DataDir, read_private, write_private};

/// What a key's file and its secret are called, around its id: those that sign, those that were put away.
const FILES: [(&str, bool); 2] = [(".key", false), (".retired", true)];
const FILE_PREFIX: &str = "log-";
const SECRETS: [(&str, bool); 2] = [("log-key/", false), ("log-key-retired/", true)];
/// More keys than anybody keeps.
const KEYS_MAX: usize = 1_000;

/// Where a house keeps them.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In files.
    Files(DataDir),
    /// In a vault that several nodes share.
    Vault(Arc<dyn Vault>),
}

/// A key as it is kept.
struct Kept {
    id: String,
    retired: bool,
    text: Zeroizing<String>,
}

/// Carries all of them over; answers how many were not there yet. Harmless when done again.
pub(super) async fn carry(from: &Place, to: &Place) -> anyhow::Result<u64> {
    let mut carried: u64 = 0;
    for key in from.all().await.context("reading the log's keys")? {
        let new = to.put(&key).await.context("keeping the log's keys")?;
        carried = carried.saturating_add(u64::from(new));
    }
    Ok(carried)
}

impl Place {
    async fn all(&self) -> anyhow::Result<Vec<Kept>> {
        match self {
            Self::Files(dir) => in_files(dir),
            Self::Vault(vault) => in_vault(vault.as_ref()).await,
        }
    }

    async fn put(&self, key: &Kept) -> anyhow::Result<bool> {
        match self {
            Self::Files(dir) => put_file(dir, key),
            Self::Vault(vault) => put_secret(vault.as_ref(), key).await,
        }
    }
}

fn in_files(dir: &DataDir) -> anyhow::Result<Vec<Kept>> {
    let folder = dir.log_keys();
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(rest) = name.strip_prefix(FILE_PREFIX) else { continue };
        for (ending, retired) in FILES {
            if let Some(id) = rest.strip_suffix(ending) {
                let text = Zeroizing::new(read_private(&path)?);
                found.push(Kept { id: id.to_owned(), retired, text });
            }
        }
    }
    Ok(found)
}

async fn in_vault(vault: &dyn Vault) -> anyhow::Result<Vec<Kept>> {
    let mut found = Vec::new();
    for (prefix, retired) in SECRETS {
        for name in vault.secret_names(prefix, None, KEYS_MAX).await? {
            let Some(secret) = vault.secret(&name).await? else { continue };
            let text = Zeroizing::new(String::from_utf8(secret.bytes).context("a key is no text")?);
            let id = name.strip_prefix(prefix).unwrap_or(&name).to_owned();
            found.push(Kept { id, retired, text });
        }
    }
    Ok(found)
}

fn put_file(dir: &DataDir, key: &Kept) -> anyhow::Result<bool> {
    let place = |ending: &str| dir.log_keys().join(format!("{FILE_PREFIX}{}{ending}", key.id));
    let [(signs, _), (away, _)] = FILES;
    if key.retired && place(signs).exists() {
        // It signed when it was carried over, and was put away since.
        fs::rename(place(signs), place(away))?;
        return Ok(false);
    }
    let path = place(if key.retired { away } else { signs });
    if path.exists() {
        return Ok(false);
    }
    write_private(&path, key.text.as_bytes())?;
    Ok(true)
}

async fn put_secret(vault: &dyn Vault, key: &Kept) -> anyhow::Result<bool> {
    let [(signs, _), (away, _)] = SECRETS;
    let name = format!("{}{}", if key.retired { away } else { signs }, key.id);
    let new = vault.secret(&name).await?.is_none();
    if new {
        vault.put_secret(&name, None, key.text.as_bytes().to_vec()).await?;
    }
    if key.retired {
        vault.drop_secret(&format!("{signs}{}", key.id)).await?;
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use assay_store::memory::MemoryVault;

    use super::*;

    #[tokio::test]
    async fn keys_go_from_files_into_a_vault_and_back() {
        let folder = tempfile::tempdir().unwrap();
        let [here, there] = ["here", "there"].map(|name| DataDir::at(&folder.path().join(name)));
        for dir in [&here, &there] {
            dir.make().unwrap();
        }
        for name in ["log-1.key", "log-2.key", "log-3.retired", "jwt.pem", "log-9.pub"] {
            write_private(&here.log_keys().join(name), name.as_bytes()).unwrap();
        }
        let vault = Place::Vault(Arc::new(MemoryVault::new()));
        let [from, to] = [here.clone(), there.clone()].map(Place::Files);
        assert_eq!(carry(&from, &vault).await.unwrap(), 3);
        assert_eq!(carry(&from, &vault).await.unwrap(), 0);
        assert_eq!(carry(&vault, &to).await.unwrap(), 3);
        fs::rename(here.log_keys().join("log-1.key"), here.log_keys().join("log-1.retired"))
            .unwrap();
        assert_eq!(carry(&from, &vault).await.unwrap(), 1);
        assert_eq!(carry(&vault, &to).await.unwrap(), 0);
        let names = fs::read_dir(there.log_keys()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["log-1.retired", "log-2.key", "log-3.retired"]);
    }
}
