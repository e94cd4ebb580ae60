//! The memory log and vault keep the contract.

use std::sync::Arc;

use assay_store::contract::{self, Make, MakeVault};
use assay_store::memory::{MemoryLog, MemoryVault};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

struct Memory;

impl Make for Memory {
    type Log = MemoryLog;

    fn fresh(&self) -> BoxFuture<'_, Arc<MemoryLog>> {
        ready(Arc::new(MemoryLog::new())).boxed()
    }

    fn reopen(&self, log: Arc<MemoryLog>) -> BoxFuture<'_, Arc<MemoryLog>> {
        ready(log).boxed()
    }
}

impl MakeVault for Memory {
    type Vault = MemoryVault;

    fn fresh(&self) -> BoxFuture<'_, Arc<MemoryVault>> {
        ready(Arc::new(MemoryVault::new())).boxed()
    }

    fn reopen(&self, vault: Arc<MemoryVault>) -> BoxFuture<'_, Arc<MemoryVault>> {
        ready(vault).boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_log_keeps_the_contract() {
    contract::run(&Memory).await;
}

#[tokio::test]
async fn the_memory_journal_keeps_the_contract() {
    contract::run_journal(&MemoryLog::new()).await;
}

#[tokio::test]
async fn the_memory_vault_keeps_the_contract() {
    contract::run_vault(&Memory).await;
}
