//! The vault's check finds whatever did not come through the vault, names the row and never says what it holds.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

mod common;

use assay_store::vault::{Key, KeyId, KeyState, Vault, VaultError};
use assay_store_postgres::{
    CheckError, OpenError, Options, PostgresVault, VaultFault, VaultReport, VaultRow,
};
use common::{open_vault, prepared, sql};

/// A vault of ten keys, of which the first two are destroyed, and three secrets.
struct Good {
    options: Options,
    vault: PostgresVault,
    ids: Vec<KeyId>,
}

impl Good {
    async fn new() -> Self {
        let options = prepared().await;
        let vault = open_vault(&options).await.unwrap();
        let keys = vault.new_keys(10).await.unwrap();
        let ids: Vec<KeyId> = keys.into_iter().map(|(id, _)| id).collect();
        vault.destroy(ids[0]).await.unwrap();
        vault.destroy(ids[1]).await.unwrap();
        for name in ["a", "b", "c"] {
            vault.put_secret(name, None, format!("content of {name}").into()).await.unwrap();
        }
        vault.put_secret("b", Some(1), b"content".to_vec()).await.unwrap();
        let whole = VaultReport { keys: 8, destroyed: 2, secrets: 3 };
        assert_eq!(vault.check().await, Ok(whole));
        Self { options, vault, ids }
    }

    /// Runs statements behind the vault's back; `{n}` stands for the id of key n.
    fn lay_hands_on(&self, statements: &str) {
        let mut statements = statements.to_owned();
        for (n, id) in self.ids.iter().enumerate() {
            statements = statements.replace(&format!("{{{n}}}"), &format!("'{id}'"));
        }
        let all = format!(
            "ALTER TABLE assay.keys DISABLE TRIGGER ALL; {statements};
             ALTER TABLE assay.keys ENABLE ALWAYS TRIGGER keys_remain;
             ALTER TABLE assay.keys ENABLE ALWAYS TRIGGER keys_stay_destroyed"
        );
        sql(&self.options, &all);
    }

    async fn fault(&self) -> VaultFault {
        match self.vault.check().await.unwrap_err() {
            CheckError::Fault(fault) => fault,
            CheckError::Unavailable(why) => panic!("unavailable: {why}"),
        }
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
        ("UPDATE assay.keys SET created_at = created_at + 1 WHERE id = {4}", Named::Key(4)),
        ("UPDATE assay.keys SET destroyed_at = destroyed_at + 1 WHERE id = {1}", Named::Key(1)),
        ("UPDATE assay.keys SET wrapped = NULL, destroyed_at = 7 WHERE id = {5}", Named::Key(5)),
        ("UPDATE assay.keys SET mac = '\\x00' WHERE id = {6}", Named::Key(6)),
        (
            "UPDATE assay.keys SET wrapped = (SELECT wrapped FROM assay.keys WHERE id = {5})
             WHERE id = {7}",
            Named::Key(7),
        ),
        ("UPDATE assay.secrets SET version = 3 WHERE name = 'b'", Named::Secret("b")),
        ("UPDATE assay.secrets SET name = 'aa' WHERE name = 'b'", Named::Secret("aa")),
        ("UPDATE assay.secrets SET wrapped = '\\x00' WHERE name = 'c'", Named::Secret("c")),
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let fault = good.fault().await;
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
        ("DELETE FROM assay.keys WHERE id = {0}", "8 keys, 1 destroyed ones"),
        ("DELETE FROM assay.keys WHERE id = {9}", "7 keys, 2 destroyed ones"),
        ("DELETE FROM assay.secrets WHERE name = 'a'", "2 secrets; written were"),
        ("DELETE FROM assay.keys; DELETE FROM assay.secrets", "0 keys"),
        ("INSERT INTO assay.vault VALUES ('more', '\\x00')", "what it must"),
        ("DELETE FROM assay.vault", "what it must"),
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let fault = good.fault().await;
        assert_eq!(fault.row, None, "{damage}: {fault}");
        assert!(fault.what.contains(said), "{damage}: {fault}");
    }
    for off in ["DROP TRIGGER keys_remain ON", "ALTER TABLE assay.keys DISABLE TRIGGER ALL; --"] {
        let good = Good::new().await;
        sql(&good.options, &format!("{off} assay.keys"));
        let fault = good.fault().await;
        assert!(fault.what.contains("the trigger keys_remain is missing"), "{fault}");
    }
}

#[tokio::test]
async fn a_vault_without_its_check_word_or_total_does_not_open() {
    for damage in [
        "DELETE FROM assay.vault WHERE name = 'check'",
        "DELETE FROM assay.vault WHERE name = 'total'",
        "UPDATE assay.vault SET value = '\\x0000' WHERE name = 'total'",
        "DELETE FROM assay.vault",
    ] {
        let good = Good::new().await;
        good.lay_hands_on(damage);
        let refused = open_vault(&good.options).await.unwrap_err();
        assert!(matches!(refused, OpenError::Refused(_)), "{damage}: {refused}");
    }
}

#[tokio::test]
async fn older_rows_put_back_are_found_though_each_is_genuine() {
    for (table, said) in [("keys", "it has 8 keys"), ("secrets", "older ones were put back")] {
        let good = Good::new().await;
        good.lay_hands_on(&format!("CREATE TABLE kept AS SELECT * FROM assay.{table}"));
        if table == "keys" {
            good.vault.destroy(good.ids[5]).await.unwrap();
        } else {
            good.vault.put_secret("b", Some(2), b"newer content".to_vec()).await.unwrap();
        }
        good.lay_hands_on(&format!(
            "DELETE FROM assay.{table}; INSERT INTO assay.{table} SELECT * FROM kept"
        ));
        let fault = good.fault().await;
        assert_eq!(fault.row, None, "{table}: {fault}");
        assert!(fault.what.contains(said), "{table}: {fault}");
    }
}

#[tokio::test]
async fn a_key_made_to_look_destroyed_is_not_believed_nor_washed_clean() {
    let good = Good::new().await;
    good.lay_hands_on("UPDATE assay.keys SET wrapped = NULL, destroyed_at = 7 WHERE id = {5}");
    let answer = good.vault.keys(vec![good.ids[5]]).await;
    assert!(matches!(answer, Err(VaultError::Corrupt(_))), "{answer:?}");
    assert_eq!(good.vault.keys(vec![good.ids[0]]).await, Ok(vec![KeyState::Destroyed]));
    let good = Good::new().await;
    good.lay_hands_on("UPDATE assay.keys SET created_at = 5 WHERE id = {5}");
    good.vault.destroy(good.ids[5]).await.unwrap();
    let fault = good.fault().await;
    assert!(fault.what.contains("not those that were written"), "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_holds_through_everything_that_two_nodes_do_at_once() {
    let good = Good::new().await;
    let other = open_vault(&good.options).await.unwrap();
    let elsewhere = KeyId::from_u128(77);
    for round in 0..3 {
        let (made, adopted) = futures_util::future::join(
            good.vault.new_keys(300),
            other.adopt_keys(vec![(elsewhere, Key([9; 32]))]),
        )
        .await;
        made.unwrap();
        adopted.unwrap();
        let id = good.ids[2 + round];
        let both = futures_util::future::join(good.vault.destroy(id), other.destroy(id)).await;
        assert_eq!(both, (Ok(()), Ok(())));
        let name = format!("s/{round}");
        let (a, b) = futures_util::future::join(
            good.vault.put_secret(&name, None, Vec::new()),
            other.put_secret(&name, None, Vec::new()),
        )
        .await;
        assert!(a.is_ok() != b.is_ok(), "one of them comes first: {a:?} {b:?}");
        other.drop_secret("c").await.unwrap();
        other.put_secret("a", Some(9), Vec::new()).await.unwrap_err();
        other.adopt_keys(vec![(elsewhere, Key([8; 32]))]).await.unwrap_err();
        let n = u64::try_from(round).unwrap() + 1;
        let whole = VaultReport { keys: 9 + 299 * n, destroyed: 2 + n, secrets: 2 + n };
        assert_eq!(other.check().await, Ok(whole));
    }
}

/// The wrapped bytes of a key as they stand in the row's own page, whether the row is dead or not.
#[tokio::test]
async fn a_destroyed_keys_row_holds_nothing_of_it_and_its_place_is_freed() {
    let good = Good::new().await;
    let id = good.ids[6];
    good.vault.destroy(id).await.unwrap();
    let row = format!(
        "SELECT wrapped IS NULL AND destroyed_at IS NOT NULL FROM assay.keys WHERE id = '{id}'"
    );
    assert_eq!(sql(&good.options, &row), "t");
    // VACUUM comes in the background; what it leaves is as many rows as there are keys.
    sql(&good.options, "CREATE EXTENSION pageinspect");
    let used =
        "SELECT count(*) FROM generate_series(0, pg_relation_size('assay.keys') / 8192 - 1) p,
                heap_page_items(get_raw_page('assay.keys', p::integer)) WHERE t_data IS NOT NULL";
    let tidy = async {
        while sql(&good.options, used) != "10" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(common::PATIENCE, tidy).await.unwrap();
}

#[tokio::test]
async fn a_name_with_a_zero_byte_names_nothing() {
    let good = Good::new().await;
    assert_eq!(good.vault.secret("a\0").await, Ok(None));
    assert!(good.vault.put_secret("a\0", None, Vec::new()).await.is_err());
    assert_eq!(good.vault.drop_secret("a\0").await, Ok(()));
    assert_eq!(good.vault.secret_names("a\0", None, 9).await, Ok(Vec::new()));
    let names = good.vault.secret_names("", Some("a\0"), 9).await;
    assert_eq!(names, Ok(vec!["b".to_owned(), "c".to_owned()]));
}
