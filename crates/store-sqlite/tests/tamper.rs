//! What each way of rewriting a journal looks like: the check names the place, and after a rewrite of
//! all leaves only a root kept elsewhere tells.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use assay_store::journal::Journal as _;
use assay_store::log::{Expected, Log};
use assay_store_sqlite::tamper::{self, Gap};
use assay_store_sqlite::{OpenError, Options, SqliteLog, check_journal, check_journal_at};
use common::{facts, open};

const ENTRIES: u64 = 30;

/// A good file of 30 entries in three streams and the root at every size.
async fn good(path: &Path) -> BTreeMap<u64, [u8; 32]> {
    let log = open(path);
    for n in 0..10 {
        let stream = format!("s{}", n % 3);
        log.append(&stream, Expected::Any, facts(3 * n..3 * n + 3)).await.unwrap();
    }
    drop(log);
    let checked = check_journal_at(path, &every_size(), |_, _| ());
    assert!(checked.roots.keys().copied().eq(0..=ENTRIES), "none beyond the end");
    assert_eq!(checked.verdict.unwrap().root, checked.roots[&ENTRIES]);
    checked.roots
}

fn every_size() -> BTreeSet<u64> {
    (0..=ENTRIES + 5).collect()
}

type Tamper = fn(&Path) -> Result<(), OpenError>;

/// A change, the position that the check names, and the last size whose root is as it was.
async fn is_found(change: Tamper, position: Option<u64>, same: u64, entries: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let before = good(&path).await;
    let up_to = |size| before.iter().filter(move |(at, _)| **at <= size);

    change(&path).unwrap();
    let checked = check_journal_at(&path, &every_size(), |_, _| ());
    let fault = checked.verdict.unwrap_err();
    assert_eq!(fault.position, position, "{fault}");
    assert!(checked.roots.iter().eq(up_to(same)), "what came before still holds: {fault}");

    tamper::rehash(&path, same + 1).unwrap();
    let checked = check_journal_at(&path, &every_size(), |_, _| ());
    let report = checked.verdict.unwrap();
    assert_eq!(report.entries, entries, "the file is whole in itself again");
    assert_ne!(report.root, before[&ENTRIES], "only a root kept elsewhere tells");
    let differing = checked.roots.iter().find(|(size, root)| before.get(size) != Some(root));
    let first = differing.map_or(entries, |(size, _)| size - 1);
    assert_eq!(first, same, "and it tells from where on");
    // Its writer takes it for its own.
    let log = open(&path);
    assert_eq!(log.entries(0, 100).unwrap().len(), usize::try_from(entries).unwrap());
    log.append("s0", Expected::Any, facts([1_000])).await.unwrap();
    drop(log);
    check_journal(&path, |_, _| ()).unwrap();
}

#[tokio::test]
async fn changed_data_is_found() {
    is_found(|path| tamper::edit_data(path, 17, b"{}"), Some(17), 16, 30).await;
}

#[tokio::test]
async fn a_changed_column_is_found() {
    is_found(|path| tamper::edit_column(path, 5, "actor", [0; 16]), Some(5), 4, 30).await;
    is_found(|path| tamper::edit_column(path, 9, "recorded_at", 1), Some(9), 8, 30).await;
}

#[tokio::test]
async fn an_entry_taken_out_is_found() {
    is_found(|path| tamper::delete(path, 20, Gap::Left), Some(20), 19, 29).await;
    is_found(|path| tamper::delete(path, 20, Gap::Closed), Some(20), 19, 29).await;
}

#[tokio::test]
async fn two_entries_exchanged_are_found() {
    is_found(|path| tamper::swap(path, 7, 12), Some(7), 6, 30).await;
    is_found(|path| tamper::swap(path, 1, 2), Some(1), 0, 30).await;
}

#[tokio::test]
async fn a_cut_end_is_found_by_the_ledger() {
    is_found(|path| tamper::truncate(path, 25), None, 25, 25).await;
}

#[tokio::test]
async fn an_entry_put_in_between_is_found() {
    let change: Tamper = |path| {
        tamper::insert(path, 11, 3, |fact| {
            fact.name = "golden.made.up.v1".to_owned();
            fact.data = "{\"number\":-1}".into();
        })
    };
    is_found(change, Some(12), 11, 31).await;
    is_found(|path| tamper::insert(path, 30, 30, |_| ()), Some(31), 30, 31).await;
}

#[tokio::test]
async fn missing_triggers_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    good(&path).await;
    tamper::drop_triggers(&path).unwrap();
    let fault = check_journal(&path, |_, _| ()).unwrap_err();
    assert_eq!(fault.position, None);
    assert!(fault.what.contains("the trigger entries_remain is missing"), "{fault}");
}

#[tokio::test]
async fn a_stream_or_a_name_without_an_entry_is_found() {
    for statements in [
        "INSERT INTO streams (name) VALUES ('nobody')",
        "INSERT INTO names (name) VALUES ('nothing.v1')",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.db");
        good(&path).await;
        tamper::sql(&path, statements).unwrap();
        let fault = check_journal(&path, |_, _| ()).unwrap_err();
        assert!(fault.what.contains("streams and"), "{fault}");
    }
}

#[tokio::test]
async fn a_changed_log_id_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    good(&path).await;
    tamper::sql(&path, "UPDATE meta SET value = zeroblob(16) WHERE name = 'log_id'").unwrap();
    let fault = check_journal(&path, |_, _| ()).unwrap_err();
    assert!(fault.what.contains("log's id"), "{fault}");
    let refused = SqliteLog::open(&path, Options::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Inconsistent(_)), "{refused}");
}
