//! Preparing a database, and what is refused at the door.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;

use std::sync::Arc;

use assay_store::log::{Expected, Log};
use assay_store::master::MasterKey;
use assay_store_postgres::{OpenError, Options, PostgresLog, PostgresVault, prepare};
use common::{database, fact, open_log, open_vault, prepared, sql};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preparing_is_harmless_when_many_do_it_at_once_and_again() {
    let options = database();
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let options = options.clone();
            tokio::spawn(async move { prepare(&options).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let log = open_log(&options).await;
    let id = log.log_id().await.unwrap();
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    prepare(&options).await.unwrap();
    assert_eq!(log.log_id().await.unwrap(), id);
    assert_eq!(common::all(&*log).await.len(), 1);
    let other = open_log(&prepared().await).await;
    assert_ne!(other.log_id().await.unwrap(), id, "another database is another log");
}

#[tokio::test]
async fn a_database_that_was_not_prepared_or_by_a_newer_program_is_refused() {
    let options = database();
    let log = PostgresLog::open(options.clone()).await;
    assert!(matches!(log, Err(OpenError::NotPrepared)), "{log:?}");
    let vault = open_vault(&options).await;
    assert!(matches!(vault, Err(OpenError::NotPrepared)), "{vault:?}");
    prepare(&options).await.unwrap();
    sql(&options, "UPDATE assay.meta SET version = 7");
    let newer = |refused: &OpenError| matches!(refused, OpenError::Newer { found: 7, known: 1 });
    assert!(newer(&PostgresLog::open(options.clone()).await.unwrap_err()));
    assert!(newer(&open_vault(&options).await.unwrap_err()));
    assert!(newer(&prepare(&options).await.unwrap_err()));
}

#[tokio::test]
async fn entries_are_never_changed_or_deleted_not_even_by_the_owner() {
    let options = prepared().await;
    let log = open_log(&options).await;
    log.append("a", Expected::NoStream, vec![fact(1), fact(2)]).await.unwrap();
    let vault = open_vault(&options).await.unwrap();
    let keys = assay_store::vault::Vault::new_keys(&vault, 2).await.unwrap();
    let gone = keys.first().unwrap().0;
    assay_store::vault::Vault::destroy(&vault, gone).await.unwrap();
    let revive =
        format!("UPDATE assay.keys SET destroyed_at = NULL, wrapped = '\\x00' WHERE id = '{gone}'");
    for statement in [
        "UPDATE assay.entries SET data = ''",
        "DELETE FROM assay.entries WHERE position = 2",
        "TRUNCATE assay.entries",
        "SET session_replication_role = replica; DELETE FROM assay.entries",
        "UPDATE assay.head SET position = 1",
        "DELETE FROM assay.head",
        "DELETE FROM assay.keys",
        "TRUNCATE assay.keys",
        revive.as_str(),
        "INSERT INTO assay.head VALUES (true, 5, 5)",
        "INSERT INTO assay.head VALUES (false, 5, 5)",
    ] {
        let tried = format!(
            "DO $do$ BEGIN
               EXECUTE $try${statement}$try$;
               RAISE EXCEPTION 'it was done' USING ERRCODE = 'ZZ000';
             EXCEPTION WHEN restrict_violation OR unique_violation OR check_violation THEN NULL;
             END $do$"
        );
        sql(&options, &tried);
    }
    assert_eq!(common::all(&*log).await.len(), 2);
}

#[tokio::test]
async fn another_master_key_is_refused() {
    let options = prepared().await;
    drop(open_vault(&options).await.unwrap());
    let other = PostgresVault::open(options.clone(), MasterKey::new([4; 32]), Arc::new(|| 0)).await;
    assert!(matches!(other, Err(OpenError::WrongMasterKey)), "{other:?}");
    open_vault(&options).await.unwrap();
}

#[tokio::test]
async fn who_may_not_or_is_not_known_is_denied_by_name() {
    let options = prepared().await;
    sql(&options, "DROP ROLE IF EXISTS assay_stranger; CREATE ROLE assay_stranger LOGIN");
    let stranger = Options::new(options.url.replace("//assay@", "//assay_stranger@"));
    let denied = PostgresLog::open(stranger.clone()).await;
    assert!(matches!(denied, Err(OpenError::Denied(_))), "{denied:?}");
    let denied = prepare(&stranger).await;
    assert!(matches!(denied, Err(OpenError::Denied(_))), "{denied:?}");
    let nobody = Options::new(options.url.replace("//assay@", "//assay_nobody:hunter2@"));
    let denied = PostgresLog::open(nobody).await.unwrap_err();
    assert!(matches!(denied, OpenError::Denied(_)), "{denied:?}");
    assert!(!denied.to_string().contains("hunter2"));
    let database = options.url.rsplit('/').next().unwrap();
    let nowhere = Options::new(options.url.replace(database, "nowhere"));
    let refused = PostgresLog::open(nowhere).await;
    assert!(matches!(refused, Err(OpenError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_role_with_no_more_than_it_needs_can_work() {
    let options = prepared().await;
    sql(
        &options,
        "DROP ROLE IF EXISTS assay_worker; CREATE ROLE assay_worker LOGIN;
         GRANT USAGE ON SCHEMA assay TO assay_worker;
         GRANT SELECT ON ALL TABLES IN SCHEMA assay TO assay_worker;
         GRANT INSERT ON assay.entries TO assay_worker;
         GRANT UPDATE ON assay.head TO assay_worker;
         GRANT INSERT, UPDATE, DELETE ON assay.vault, assay.keys, assay.secrets TO assay_worker",
    );
    let worker = Options::new(options.url.replace("//assay@", "//assay_worker@"));
    let log = open_log(&worker).await;
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    assert_eq!(common::all(&*log).await.len(), 1);
    let vault = open_vault(&worker).await.unwrap();
    assay_store::vault::Vault::put_secret(&vault, "a", None, b"x".to_vec()).await.unwrap();
    vault.check().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = Options::new(format!("postgresql://u:hunter2@{nobody}/d"));
    for refused in [
        PostgresLog::open(options.clone()).await.unwrap_err(),
        prepare(&options).await.unwrap_err(),
        open_vault(&options).await.unwrap_err(),
    ] {
        assert!(matches!(refused, OpenError::Unreachable(_)), "{refused:?}");
        assert!(!format!("{refused:?} {refused}").contains("hunter2"));
    }
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_name_is_refused() {
    let options = database();
    sql(
        &options,
        "CREATE DATABASE assay_latin ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0",
    );
    let name = options.url.rsplit('/').next().unwrap();
    let refused = prepare(&Options::new(options.url.replace(name, "assay_latin"))).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("SQL_ASCII"), "{refused}");
}
