//! The check finds what was done to a file behind the triggers' back, and says where.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;

use assay_store::log::{Expected, Log};
use assay_store_sqlite::{Fault, check_journal};
use common::{facts, open};
use rusqlite::Connection;

/// Lays hands on a good file of 30 entries and answers what the check says of it.
async fn after(damage: &str) -> Fault {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let log = open(&path);
    for n in 0..10 {
        let stream = format!("s{}", n % 3);
        log.append(&stream, Expected::Any, facts(3 * n..3 * n + 3)).await.unwrap();
    }
    drop(log);
    let mut progress = Vec::new();
    check_journal(&path, |done, total| progress.push((done, total))).unwrap();
    assert_eq!(progress.last(), Some(&(30, 30)));

    let connection = Connection::open(&path).unwrap();
    let mut triggers =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let names: Vec<String> =
        triggers.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    drop(triggers);
    for name in names {
        connection.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    connection.execute_batch(damage).unwrap();
    drop(connection);
    check_journal(&path, |_, _| ()).unwrap_err()
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    for (damage, position) in [
        ("UPDATE entries SET data = x'7b7d' WHERE position = 17", 17),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE position = 4", 4),
        ("UPDATE entries SET actor = zeroblob(16) WHERE position = 5", 5),
        ("UPDATE entries SET case_id = NULL WHERE position = 30", 30),
        ("UPDATE entries SET recorded_at = 1 WHERE position = 9", 9),
        ("UPDATE entries SET revision = 77 WHERE position = 12", 12),
        ("UPDATE entries SET actor_kind = 9 WHERE position = 6", 6),
        ("UPDATE entries SET sid = 99 WHERE position = 13", 13),
        ("UPDATE entries SET nid = (SELECT max(nid) FROM names) + 1 WHERE position = 14", 14),
        ("UPDATE streams SET name = 'other' WHERE name = 's1'", 4),
        ("DELETE FROM entries WHERE position = 20", 20),
        ("DELETE FROM entries WHERE position = 1", 1),
    ] {
        let fault = after(damage).await;
        assert_eq!(fault.position, Some(position), "{damage}: {fault}");
    }
}

#[tokio::test]
async fn a_ledger_that_does_not_fit_is_found() {
    for damage in [
        "DELETE FROM entries WHERE position = 30",
        "UPDATE ledger SET size = 29",
        "UPDATE ledger SET frontier = zeroblob(8)",
        "DELETE FROM ledger",
    ] {
        let fault = after(damage).await;
        assert_eq!(fault.position, None, "{damage}: {fault}");
        assert!(fault.what.contains("ledger"), "{damage}: {fault}");
    }
}

#[tokio::test]
async fn an_index_that_disagrees_with_its_table_is_found() {
    // The index over ids is turned around: nothing in the table looks different.
    let fault = after(
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = replace(sql, 'UNIQUE (id)', 'UNIQUE (id DESC)')
         WHERE name = 'entries'",
    )
    .await;
    assert_eq!(fault.position, None, "{fault}");
}

#[tokio::test]
async fn what_is_no_journal_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    assert!(check_journal(&path, |_, _| ()).is_err(), "no file");
    assert!(!path.exists(), "and none is made");
    std::fs::write(&path, b"this is a text, and not a short one at that".repeat(100)).unwrap();
    assert!(check_journal(&path, |_, _| ()).is_err(), "a text");
}
