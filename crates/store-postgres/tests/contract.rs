//! The log and the vault on a real PostgreSQL server keep the contract.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::sync::{Arc, Mutex};

use assay_store::contract::{self, Make, MakeVault};
use assay_store_postgres::{Options, PostgresLog, PostgresVault};
use futures_util::future::{BoxFuture, FutureExt as _};

/// Databases, the last one of which is the one in use.
#[derive(Default)]
struct Databases(Mutex<Vec<Options>>);

impl Databases {
    async fn next(&self) -> Options {
        let options = common::prepared().await;
        self.0.lock().unwrap().push(options.clone());
        options
    }

    fn last(&self) -> Options {
        self.0.lock().unwrap().last().unwrap().clone()
    }
}

impl Make for Databases {
    type Log = PostgresLog;

    fn fresh(&self) -> BoxFuture<'_, Arc<PostgresLog>> {
        async { common::open_log(&self.next().await).await }.boxed()
    }

    fn reopen(&self, log: Arc<PostgresLog>) -> BoxFuture<'_, Arc<PostgresLog>> {
        drop(Arc::into_inner(log).unwrap());
        async { common::open_log(&self.last()).await }.boxed()
    }
}

impl MakeVault for Databases {
    type Vault = PostgresVault;

    fn fresh(&self) -> BoxFuture<'_, Arc<PostgresVault>> {
        async { Arc::new(common::open_vault(&self.next().await).await.unwrap()) }.boxed()
    }

    fn reopen(&self, vault: Arc<PostgresVault>) -> BoxFuture<'_, Arc<PostgresVault>> {
        drop(Arc::into_inner(vault).unwrap());
        async { Arc::new(common::open_vault(&self.last()).await.unwrap()) }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_on_postgresql_keeps_the_contract() {
    let databases = Databases::default();
    contract::run(&databases).await;
    // Whatever the contract left behind is whole in itself.
    let left = databases.0.lock().unwrap().clone();
    for options in left {
        let whole = "SELECT (SELECT position FROM assay.head) = count(*)
                     AND coalesce(max(position), 0) = count(*) FROM assay.entries";
        assert_eq!(common::sql(&options, whole), "t");
    }
}

#[tokio::test]
async fn the_log_on_postgresql_keeps_the_contract_on_one_thread() {
    contract::run(&Databases::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_on_postgresql_keeps_the_contract() {
    let databases = Databases::default();
    contract::run_vault(&databases).await;
    let left = databases.0.lock().unwrap().clone();
    for options in left {
        common::open_vault(&options).await.unwrap().check().await.unwrap();
    }
}
