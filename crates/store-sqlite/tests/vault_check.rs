//! The vault's check finds whatever did not come through the vault, names the row and never says what it holds.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::vault::{Key, KeyId, KeyState, Vault, VaultError};
use assay_store_sqlite::{OpenError, SqliteVault, VaultFault, VaultReport, VaultRow, tamper};
use rusqlite::Connection;

const NOW: i64 = 1_700_000_000_000_000;

fn open(path: &Path) -> Result<SqliteVault, OpenError> {
    SqliteVault::open(path, MasterKey::new([3; 32]), Arc::new(|| NOW))
}

/// A vault of ten keys, of which the first two are destroyed, and three secrets.
struct Good {
    directory: tempfile::TempDir,
    ids: Vec<KeyId>,
}

impl Good {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vault = open(&directory.path().join("vault.db")).unwrap();
        let keys = vault.new_keys(10).await.unwrap();
        let ids: Vec<KeyId> = keys.into_iter().map(|(id, _)| id).collect();
        vault.destroy(ids[0]).await.unwrap();
        vault.destroy(ids[1]).await.unwrap();
        for name in ["a", "b", "c"] {
            vault.put_secret(name, None, format!("content of {name}").into()).await.unwrap();
        }
        vault.put_secret("b", Some(1), b"content".to_vec()).await.unwrap();
        let whole = VaultReport { keys: 8, destroyed: 2, secrets: 3 };
        assert_eq!(vault.check(), Ok(whole));
        Self { directory, ids }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("vault.db")
    }

    /// Runs statements behind the vault's back; `{n}` stands for the id of key n.
    fn lay_hands_on(&self, statements: &str) {
        let mut statements = statements.to_owned();
        for (n, id) in self.ids.iter().enumerate() {
            statements = statements.replace(&format!("{{{n}}}"), &format!("x'{}'", id.simple()));
        }
        tamper::sql(self.path(), &statements).unwrap();
    }

    fn fault(&self) -> VaultFault {
        open(&self.path()).unwrap().check().unwrap_err()
    }
}

/// A row by its number among the keys, or by its name.
enum Named {
    Key(usize),
    Secret(&'static str),
}

#[tokio::test]
async fn a_changed_row_is_found_by_its_name() {
    for (damage, named) in [
        ("UPDATE keys SET created_at = created_at + 1 WHERE id = {4}", Named::Key(4)),
        ("UPDATE keys SET created_at = created_at + 1 WHERE id = {0}", Named::Key(0)),
        ("UPDATE keys SET destroyed_at = destroyed_at + 1 WHERE id = {1}", Named::Key(1)),
        ("UPDATE keys SET wrapped = NULL, destroyed_at = 7 WHERE id = {5}", Named::Key(5)),
        (
            "UPDATE keys SET destroyed_at = NULL,
                 wrapped = (SELECT wrapped FROM keys WHERE id = {5}) WHERE id = {0}",
            Named::Key(0),
        ),
        ("UPDATE keys SET mac = zeroblob(32) WHERE id = {6}", Named::Key(6)),
        ("UPDATE keys SET mac = x'00' WHERE id = {6}", Named::Key(6)),
        (
            "UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE id = {5}) WHERE id = {7}",
            Named::Key(7),
        ),
        (
            "UPDATE keys SET mac = (SELECT mac FROM keys WHERE id = {5}) WHERE id = {7}",
            Named::Key(7),
        ),
        ("UPDATE secrets SET version = 3 WHERE name = 'b'", Named::Secret("b")),
        ("UPDATE secrets SET name = 'aa' WHERE name = 'b'", Named::Secret("aa")),
        ("UPDATE secrets SET wrapped = x'00' WHERE name = 'c'", Named::Secret("c")),
        ("UPDATE secrets SET mac = zeroblob(32) WHERE name = 'c'", Named::Secret("c")),
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let fault = good.fault();
        let row = match named {
            Named::Key(n) => VaultRow::Key(good.ids[n]),
            Named::Secret(name) => VaultRow::Secret(name.to_owned()),
        };
        assert_eq!(fault.row, Some(row), "{damage}: {fault}");
        assert!(!fault.to_string().contains("content"), "{fault}");
    }
}

#[tokio::test]
async fn a_row_that_is_gone_or_does_not_belong_is_found() {
    for (damage, said) in [
        ("DELETE FROM keys WHERE id = {0}", "8 keys, 1 destroyed ones"),
        ("DELETE FROM keys WHERE id = {9}", "7 keys, 2 destroyed ones"),
        ("DELETE FROM secrets WHERE name = 'a'", "2 secrets; written were"),
        ("DELETE FROM keys; DELETE FROM secrets", "0 keys"),
        ("INSERT INTO meta VALUES ('more', x'00')", "what it must"),
        ("CREATE TABLE more (a)", "the table more does not belong here"),
        ("CREATE TRIGGER more AFTER INSERT ON keys BEGIN SELECT 1; END", "trigger more"),
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let fault = good.fault();
        assert_eq!(fault.row, None, "{damage}: {fault}");
        assert!(fault.what.contains(said), "{damage}: {fault}");
    }
    let good = Good::new().await;
    tamper::drop_triggers(good.path()).unwrap();
    assert!(good.fault().what.contains("the trigger keys_remain is missing"));
}

#[tokio::test]
async fn a_vault_without_its_check_word_or_total_does_not_open() {
    for damage in [
        "DELETE FROM meta WHERE name = 'check'",
        "UPDATE meta SET name = 'chec' WHERE name = 'check'",
        "DELETE FROM meta WHERE name = 'total'",
        "UPDATE meta SET value = zeroblob(length(value)) WHERE name = 'total'",
        "DELETE FROM meta",
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let refused = open(&good.path()).unwrap_err();
        assert!(matches!(refused, OpenError::Inconsistent(_)), "{damage}: {refused}");
    }
}

#[tokio::test]
async fn older_rows_put_back_are_found_though_each_is_genuine() {
    let keep = "CREATE TABLE kept AS SELECT * FROM ";
    for (table, change) in [("keys", true), ("secrets", false)] {
        let good = Good::new().await;
        good.lay_hands_on(&format!("{keep}{table}"));
        let vault = open(&good.path()).unwrap();
        if change {
            vault.destroy(good.ids[5]).await.unwrap();
        } else {
            vault.put_secret("b", Some(2), b"newer content".to_vec()).await.unwrap();
        }
        drop(vault);
        let back =
            format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept");
        good.lay_hands_on(&back);
        let fault = good.fault();
        assert_eq!(fault.row, None, "{table}: {fault}");
        let said = if change { "it has 8 keys" } else { "older ones were put back" };
        assert!(fault.what.contains(said), "{table}: {fault}");
    }
}

#[tokio::test]
async fn a_key_made_to_look_destroyed_is_not_believed() {
    let good = Good::new().await;
    good.lay_hands_on("UPDATE keys SET wrapped = NULL, destroyed_at = 7 WHERE id = {5}");
    let vault = open(&good.path()).unwrap();
    let answer = vault.keys(vec![good.ids[5]]).await;
    assert!(matches!(answer, Err(VaultError::Corrupt(_))), "{answer:?}");
    assert_eq!(vault.keys(vec![good.ids[0]]).await, Ok(vec![KeyState::Destroyed]));
}

#[tokio::test]
async fn writing_over_a_changed_row_does_not_wash_it_clean() {
    let good = Good::new().await;
    good.lay_hands_on("UPDATE keys SET created_at = 5 WHERE id = {5}");
    good.lay_hands_on("UPDATE secrets SET version = 9 WHERE name = 'a'");
    let vault = open(&good.path()).unwrap();
    vault.destroy(good.ids[5]).await.unwrap();
    vault.put_secret("a", Some(9), b"content".to_vec()).await.unwrap();
    let fault = vault.check().unwrap_err();
    assert_eq!(fault.row, None, "{fault}");
    assert!(fault.what.contains("not those that were written"), "{fault}");
}

#[tokio::test]
async fn the_check_holds_through_everything_a_vault_does() {
    let good = Good::new().await;
    let vault = open(&good.path()).unwrap();
    let elsewhere = KeyId::from_u128(77);
    for round in 0..3 {
        vault.new_keys(300).await.unwrap();
        vault.adopt_keys(vec![(elsewhere, Key([9; 32]))]).await.unwrap();
        vault.destroy(good.ids[2 + round]).await.unwrap();
        vault.put_secret(&format!("s/{round}"), None, Vec::new()).await.unwrap();
        vault.drop_secret("c").await.unwrap();
        vault.put_secret("a", Some(9), Vec::new()).await.unwrap_err();
        vault.new_keys(0).await.unwrap();
        vault.adopt_keys(vec![(elsewhere, Key([8; 32]))]).await.unwrap_err();
        let n = u64::try_from(round).unwrap() + 1;
        let whole = VaultReport { keys: 9 + 299 * n, destroyed: 2 + n, secrets: 2 + n };
        assert_eq!(vault.check(), Ok(whole));
    }
}

/// Id, wrapped bytes, and the times of making and destroying.
type OldKey = (Vec<u8>, Option<Vec<u8>>, i64, Option<i64>);

fn golden(directory: &Path) -> PathBuf {
    let path = directory.join("vault.db");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/vault-v1.db");
    std::fs::copy(golden, &path).unwrap();
    path
}

#[tokio::test]
async fn a_vault_of_version_2_opens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/vault-v2.db");
    std::fs::copy(golden, &path).unwrap();
    assert_eq!(version(&path), 2);
    let vault = open(&path).unwrap();
    assert_eq!(vault.check(), Ok(VaultReport { keys: 37, destroyed: 3, secrets: 4 }));
    let secret = vault.secret("session/2").await.unwrap().unwrap();
    assert_eq!((secret.version, secret.bytes), (2, "golden session/2".into()));
}

fn version(path: &Path) -> i64 {
    let connection = Connection::open(path).unwrap();
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_vault_of_version_1_opens_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = golden(directory.path());
    let sql = "SELECT id, wrapped, created_at, destroyed_at FROM keys ORDER BY id";
    let rows = |path: &Path| -> Vec<OldKey> {
        let connection = Connection::open(path).unwrap();
        let mut statement = connection.prepare(sql).unwrap();
        let row =
            |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        statement.query_map([], row).unwrap().map(Result::unwrap).collect()
    };
    let before = rows(&path);
    assert_eq!((before.len(), version(&path)), (40, 1));

    let vault = open(&path).unwrap();
    assert_eq!(rows(&path), before, "carried over byte for byte");
    assert_eq!(vault.check(), Ok(VaultReport { keys: 37, destroyed: 3, secrets: 4 }));
    let ids: Vec<KeyId> = before.iter().map(|row| KeyId::from_slice(&row.0).unwrap()).collect();
    let states = vault.keys(ids.clone()).await.unwrap();
    let held = |state: &KeyState| matches!(state, KeyState::Held(_));
    assert!(states.iter().map(held).eq(before.iter().map(|row| row.1.is_some())));
    let secret = vault.secret("login/zoë").await.unwrap().unwrap();
    assert_eq!((secret.version, secret.bytes), (2, "golden login/zoë".into()));

    let at = before.iter().position(|row| row.1.is_some()).unwrap();
    vault.destroy(ids[at]).await.unwrap();
    let gone = before[at].1.as_ref().unwrap();
    for file in std::fs::read_dir(&directory).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let left = bytes.windows(24).any(|window| window == &gone[..24]);
        assert!(!left, "nothing is left of it, nor in the tables that were");
    }
    drop(vault);
    let vault = open(&path).unwrap();
    assert_eq!(vault.check(), Ok(VaultReport { keys: 36, destroyed: 4, secrets: 4 }));
}

#[tokio::test]
async fn another_master_key_does_not_bring_an_old_vault_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = golden(directory.path());
    let other = SqliteVault::open(&path, MasterKey::new([4; 32]), Arc::new(|| NOW));
    assert!(matches!(other, Err(OpenError::WrongMasterKey)), "{other:?}");
    assert_eq!(version(&path), 1);
    open(&path).unwrap().check().unwrap();
}
