//! Writes the golden file of this version of the schema. Run once for each version, then never again:
//! `cargo run -p assay-store-sqlite --example make_golden -- crates/store-sqlite/golden/journal-v2.db`
#![expect(clippy::unwrap_used, reason = "a tool of the tests")]

#[path = "../tests/common/mod.rs"]
mod common;

use assay_store::log::{Expected, Log as _};
use assay_store_sqlite::check_journal;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let target = std::env::args().nth(1).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = common::open(&path);
    for n in 0..40 {
        let stream = format!("golden-{}", n % 4);
        log.append(&stream, Expected::Any, common::facts([n])).await.unwrap();
    }
    drop(log);
    let root = check_journal(&path, |_, _| ()).unwrap().root;
    std::fs::copy(&path, &target).unwrap();
    let root: Vec<String> = root.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{target}: root {}", root.concat());
}
