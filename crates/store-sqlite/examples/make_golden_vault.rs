//! Writes the golden vault of this version of the schema. Run once for each version, then never again:
//! `cargo run -p assay-store-sqlite --example make_golden_vault -- crates/store-sqlite/golden/vault-v2.db`
#![expect(clippy::unwrap_used, reason = "a tool of the tests")]

use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::vault::Vault as _;
use assay_store_sqlite::SqliteVault;
use rusqlite::Connection;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let target = std::env::args().nth(1).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    // The keys of a golden vault open nothing but itself.
    let clock = Arc::new(|| 1_700_000_000_000_000);
    let vault = SqliteVault::open(&path, MasterKey::new([3; 32]), clock).unwrap();
    let keys = vault.new_keys(40).await.unwrap();
    for (id, _) in keys.iter().take(3) {
        vault.destroy(*id).await.unwrap();
    }
    for name in ["login/zoë", "password/1", "session/1", "session/2"] {
        vault.put_secret(name, None, b"before".to_vec()).await.unwrap();
        vault.put_secret(name, Some(1), format!("golden {name}").into_bytes()).await.unwrap();
    }
    drop(vault);
    let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
    Connection::open(&path).unwrap().query_row(truncate, [], |_| Ok(())).unwrap();
    std::fs::copy(&path, &target).unwrap();
    println!("{target}: 40 keys, the first 3 destroyed, 4 secrets");
}
