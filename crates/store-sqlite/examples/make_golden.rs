//! Writes the golden file of this version of the schema. Run once for each version, then never again:
//! `cargo run -p assay-store-sqlite --example make_golden -- crates/store-sqlite/golden/journal-v3.db`,
//! and with one more word, `copy`, for the copy of a log elsewhere.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a tool of the tests")]

#[path = "../tests/common/mod.rs"]
mod common;
#[path = "../tests/common/elsewhere.rs"]
mod elsewhere;

use assay_store::journal::Journal as _;
use assay_store::log::{Expected, Log as _};
use assay_store::replica::Replica as _;
use assay_store_sqlite::check_journal;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let target = std::env::args().nth(1).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = common::open(&path);
    if std::env::args().nth(2).as_deref() == Some("copy") {
        log.adopt(elsewhere::UPSTREAM).await.unwrap();
        elsewhere::take(&log, 1..=40).await;
        assert_eq!(log.entries(0, 100).unwrap()[39].recorded, elsewhere::recorded(40));
    } else {
        for n in 0..40 {
            let stream = format!("golden-{}", n % 4);
            log.append(&stream, Expected::Any, common::facts([n])).await.unwrap();
        }
    }
    drop(log);
    let root = check_journal(&path, |_, _| ()).unwrap().root;
    std::fs::copy(&path, &target).unwrap();
    let root: Vec<String> = root.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{target}: root {}", root.concat());
}
