//! The embedded log, journal and vault keep the contract.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use assay_store::contract::{self, Make, MakeReplica, MakeVault};
use assay_store::master::MasterKey;
use assay_store_sqlite::{Options, SqliteLog, SqliteVault, check_journal};
use futures_util::future::{BoxFuture, FutureExt as _};

struct Files {
    directory: tempfile::TempDir,
    made: AtomicU32,
}

impl Files {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), made: AtomicU32::new(0) }
    }

    fn next(&self) -> PathBuf {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.directory.path().join(format!("{number}.db"))
    }
}

fn open_log(path: &Path) -> Arc<SqliteLog> {
    Arc::new(SqliteLog::open(path, Options::default()).unwrap())
}

fn open_vault(path: &Path) -> Arc<SqliteVault> {
    let clock = Arc::new(|| 1_700_000_000_000_000);
    Arc::new(SqliteVault::open(path, MasterKey::new([3; 32]), clock).unwrap())
}

impl Make for Files {
    type Log = SqliteLog;

    fn fresh(&self) -> BoxFuture<'_, Arc<SqliteLog>> {
        async { open_log(&self.next()) }.boxed()
    }

    fn reopen(&self, log: Arc<SqliteLog>) -> BoxFuture<'_, Arc<SqliteLog>> {
        let path = log.path().to_owned();
        drop(Arc::into_inner(log).unwrap());
        async move { open_log(&path) }.boxed()
    }
}

impl MakeReplica for Files {
    type Replica = SqliteLog;

    fn fresh(&self) -> BoxFuture<'_, Arc<SqliteLog>> {
        <Self as Make>::fresh(self)
    }

    fn reopen(&self, replica: Arc<SqliteLog>) -> BoxFuture<'_, Arc<SqliteLog>> {
        <Self as Make>::reopen(self, replica)
    }
}

impl MakeVault for Files {
    type Vault = SqliteVault;

    fn fresh(&self) -> BoxFuture<'_, Arc<SqliteVault>> {
        async { open_vault(&self.next()) }.boxed()
    }

    fn reopen(&self, vault: Arc<SqliteVault>) -> BoxFuture<'_, Arc<SqliteVault>> {
        let path = vault.path().to_owned();
        drop(Arc::into_inner(vault).unwrap());
        async move { open_vault(&path) }.boxed()
    }
}

/// Whatever the contract left behind is whole in itself.
fn check_all(files: &Files) {
    for number in 0..files.made.load(Ordering::Relaxed) {
        let path = files.directory.path().join(format!("{number}.db"));
        check_journal(path, |_, _| ()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_log_keeps_the_contract() {
    let files = Files::new();
    contract::run(&files).await;
    check_all(&files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_journal_of_a_log_elsewhere_keeps_the_contract() {
    let files = Files::new();
    contract::run_replica(&files).await;
    check_all(&files);
    let (own, copy) = (open_log(&files.next()), open_log(&files.next()));
    contract::run_one_or_the_other(&*own, &*copy).await;
}

#[tokio::test]
async fn the_embedded_log_keeps_the_contract_on_one_thread() {
    contract::run(&Files::new()).await;
}

#[tokio::test]
async fn the_embedded_journal_keeps_the_contract() {
    contract::run_journal(&*open_log(&Files::new().next())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_vault_keeps_the_contract() {
    contract::run_vault(&Files::new()).await;
}
