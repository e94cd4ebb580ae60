//! The vault's file: nothing plain in it, nothing left of a destroyed key, no other master key.
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::vault::{KeyState, Vault};
use assay_store_sqlite::{OpenError, SqliteVault};
use rusqlite::{Connection, params};

fn open(path: &Path) -> Result<SqliteVault, OpenError> {
    SqliteVault::open(path, MasterKey::new([3; 32]), Arc::new(|| 1_700_000_000_000_000))
}

/// All bytes of all files in a directory.
fn on_disk(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    files.flat_map(|path| std::fs::read(path).unwrap()).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn wrapped(path: &Path, id: uuid::Uuid) -> Option<Vec<u8>> {
    let sql = "SELECT wrapped FROM keys WHERE id = ?";
    let connection = Connection::open(path).unwrap();
    connection.query_row(sql, [id.as_bytes().as_slice()], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn nothing_plain_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let vault = open(&path).unwrap();
    let keys = vault.new_keys(20).await.unwrap();
    vault.put_secret("password/1", None, b"a secret in plain words".to_vec()).await.unwrap();
    for _ in 0..2 {
        let bytes = on_disk(directory.path());
        assert!(contains(&bytes, b"password/1"), "names are not secret, so the test can see");
        assert!(!contains(&bytes, b"plain words"));
        assert!(!contains(&bytes, &[3; 32]), "the master key");
        assert!(keys.iter().all(|(_, key)| !contains(&bytes, &key.0)));
        // Again after everything was moved from the WAL into the file.
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        Connection::open(&path).unwrap().query_row(checkpoint, [], |_| Ok(())).unwrap();
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_destroyed_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let vault = open(&path).unwrap();
    let keys = vault.new_keys(300).await.unwrap();
    let (gone, stays) = (keys[150].0, keys[151].0);
    let bytes_of_gone = wrapped(&path, gone).unwrap();
    let bytes_of_stays = wrapped(&path, stays).unwrap();
    assert!(contains(&on_disk(directory.path()), &bytes_of_gone));

    vault.destroy(gone).await.unwrap();
    let bytes = on_disk(directory.path());
    assert!(!contains(&bytes, &bytes_of_gone), "while the vault is open");
    assert!(!contains(&bytes, &bytes_of_gone[..24]), "not even a part");
    assert!(contains(&bytes, &bytes_of_stays), "the neighbour is there");
    assert_eq!(wrapped(&path, gone), None);
    let states = vault.keys(vec![gone, stays]).await.unwrap();
    assert_eq!(states, [KeyState::Destroyed, KeyState::Held(keys[151].1.clone())]);

    let again = "UPDATE keys SET wrapped = x'00', destroyed_at = NULL WHERE id = ?";
    let connection = Connection::open(&path).unwrap();
    let refused = connection.execute(again, [gone.as_bytes().as_slice()]).unwrap_err();
    assert!(refused.to_string().contains("does not come back"), "{refused}");
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    drop(open(&path).unwrap());
    let other = SqliteVault::open(&path, MasterKey::new([4; 32]), Arc::new(|| 0));
    assert!(matches!(other, Err(OpenError::WrongMasterKey)), "{other:?}");
    open(&path).unwrap();
}

#[tokio::test]
async fn rows_that_were_swapped_or_rolled_back_do_not_open() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let vault = open(&path).unwrap();
    let keys = vault.new_keys(2).await.unwrap();
    vault.put_secret("a", None, b"old".to_vec()).await.unwrap();
    let connection = Connection::open(&path).unwrap();
    let old: Vec<u8> =
        connection.query_row("SELECT wrapped FROM secrets", [], |row| row.get(0)).unwrap();
    vault.put_secret("a", Some(1), b"new".to_vec()).await.unwrap();
    connection.execute("UPDATE secrets SET wrapped = ?", [old]).unwrap();
    assert!(vault.secret("a").await.is_err(), "an older version put back");
    let others = wrapped(&path, keys[1].0).unwrap();
    let swap = "UPDATE keys SET wrapped = ? WHERE id = ?";
    connection.execute(swap, params![others, keys[0].0.as_bytes().as_slice()]).unwrap();
    assert!(vault.keys(vec![keys[0].0]).await.is_err(), "another key's bytes");
}
