//! The log and the vault keep the contract.

use std::io::Write as _;

use assay_store::contract;
use assay_testing_kurrentdb::Double;

use crate::server::Server;

/// Where a real server is, with user and password; the contract runs there in namespaces of its own.
const REAL: &str = "ASSAY_TEST_KURRENTDB_URL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract() {
    let double = Double::start().await.unwrap();
    contract::run(&Server::at(double.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_keeps_the_contract() {
    let double = Double::start().await.unwrap();
    contract::run_vault(&Server::at(double.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract_on_a_cluster() {
    let double = Double::cluster(3).await.unwrap();
    contract::run(&Server::at(double.url())).await;
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but the environment")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_keeps_the_contract_where_there_is_one() {
    let Ok(url) = std::env::var(REAL) else {
        // Not by `eprintln!`, which a passing test keeps to itself.
        let told = writeln!(
            std::io::stderr(),
            "NOT TRIED: no real KurrentDB; {REAL} is not set, so only the double was spoken to"
        );
        told.unwrap();
        return;
    };
    contract::run(&Server::at(url.clone())).await;
    contract::run_vault(&Server::at(url)).await;
}
