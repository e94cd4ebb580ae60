//! TLS: the server's certificate and name are verified, or there is no connection.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod common;

use assay_store::log::{Expected, Log};
use assay_store::vault::Vault;
use assay_store_postgres::{OpenError, Options, PostgresLog, prepare};
use assay_testing_postgres::Server;
use common::{all, fact, open_log, open_vault};

fn options(server: &Server, url: String) -> Options {
    Options { tls_roots: Some(server.tls_roots().unwrap().to_owned()), ..Options::new(url) }
}

#[tokio::test]
async fn a_verified_server_is_worked_with_and_no_other() {
    let server = Server::start_tls().unwrap();
    let url = server.database().unwrap();
    let good = options(&server, url.clone());
    prepare(&good).await.unwrap();
    let log = open_log(&good).await;
    log.append("a", Expected::NoStream, vec![fact(1)]).await.unwrap();
    assert_eq!(all(&*log).await.len(), 1);
    let vault = open_vault(&good).await.unwrap();
    vault.put_secret("a", None, vec![1]).await.unwrap();

    let name = url.rsplit('/').next().unwrap();
    let name = name.split('?').next().unwrap();
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'assay'";
    assert_eq!(server.psql(name, encrypted).unwrap(), "t");

    // The roots of somebody else's certificate.
    let other = Server::start_tls().unwrap();
    let wrong = options(&other, url.clone());
    let refused = PostgresLog::open(wrong.clone()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Refused(_)), "{refused:?}");
    assert!(refused.to_string().contains("certificate"), "{refused}");
    let refused = prepare(&wrong).await.unwrap_err();
    assert!(matches!(refused, OpenError::Refused(_)), "{refused:?}");

    // A name that the certificate does not have.
    let elsewhere = options(&server, url.replace("127.0.0.1", "127.0.0.2"));
    let refused = PostgresLog::open(elsewhere).await.unwrap_err();
    assert!(!matches!(refused, OpenError::NotPrepared), "{refused:?}");
    let named = url.replace("@127.0.0.1", "@db.example") + "&hostaddr=127.0.0.1";
    let refused = PostgresLog::open(options(&server, named)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Refused(_)), "{refused:?}");

    // Without anything to verify by, and in the open.
    let refused = PostgresLog::open(Options::new(url.clone())).await.unwrap_err();
    assert!(matches!(refused, OpenError::Refused(_)), "{refused:?}");
    let open = Options::new(url.replace("?sslmode=require", ""));
    let refused = PostgresLog::open(open).await.unwrap_err();
    assert!(matches!(refused, OpenError::Denied(_)), "the server wants TLS: {refused:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_when_it_is_asked_for() {
    let with = Server::start_tls().unwrap();
    let without = common::database();
    let asked = options(&with, without.url.clone());
    let refused = PostgresLog::open(asked).await.unwrap_err();
    assert!(refused.to_string().contains("TLS"), "{refused}");
}
