//! One node's way to the vault they share: it can be away, slow, or lose answers.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use assay_store::memory::MemoryVault;
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};

#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) away: bool,
    /// Questions hang this long on the way there, and answers on the way back.
    pub(super) slow: Duration,
    pub(super) loses_answers: bool,
}

#[derive(Debug)]
pub(super) struct Way {
    vault: Arc<MemoryVault>,
    faults: Mutex<Faults>,
}

impl Way {
    pub(super) fn to(vault: &Arc<MemoryVault>) -> Arc<Self> {
        Arc::new(Self { vault: vault.clone(), faults: Mutex::default() })
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    fn gone() -> VaultError {
        VaultError::Unavailable("away".to_owned())
    }

    async fn there(&self) -> Result<(), VaultError> {
        let Faults { away, slow, .. } = self.faults().clone();
        tokio::time::sleep(slow).await;
        if away { Err(Self::gone()) } else { Ok(()) }
    }

    async fn back<T>(&self, answer: Result<T, VaultError>) -> Result<T, VaultError> {
        let Faults { away, slow, loses_answers } = self.faults().clone();
        tokio::time::sleep(slow).await;
        if away || loses_answers { Err(Self::gone()) } else { answer }
    }
}

impl Vault for Way {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        self.vault.new_keys(count)
    }

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        self.vault.adopt_keys(keys)
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        self.vault.keys(ids)
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        self.vault.destroy(id)
    }

    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>> {
        async move {
            self.there().await?;
            self.back(self.vault.secret(name).await).await
        }
        .boxed()
    }

    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>> {
        async move {
            self.there().await?;
            self.back(self.vault.put_secret(name, version, bytes).await).await
        }
        .boxed()
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        async move {
            self.there().await?;
            self.back(self.vault.drop_secret(name).await).await
        }
        .boxed()
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        async move {
            self.there().await?;
            self.back(self.vault.secret_names(prefix, after, limit).await).await
        }
        .boxed()
    }
}
