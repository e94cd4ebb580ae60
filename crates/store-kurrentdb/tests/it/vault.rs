//! The vault's streams: nothing left of what was destroyed, every row proved, versions that never mix.

use std::sync::Arc;

use assay_store::master::MasterKey;
use assay_store::vault::{KeyState, Vault, VaultError};
use assay_store_kurrentdb::{CheckError, KurrentVault, OpenError, Options, VaultReport};
use assay_testing_kurrentdb::Double;
use kurrentdb::{AppendToStreamOptions, Client, EventData, ReadStreamOptions, StreamState};

use crate::server::{new_vault, open_vault};

async fn double_and_vault() -> (Double, KurrentVault) {
    let double = Double::start().await.unwrap();
    let vault = new_vault(Options::new(double.url())).await;
    (double, vault)
}

fn client(double: &Double) -> Client {
    Client::new(double.url().parse().unwrap()).unwrap()
}

/// What the server still answers of a stream.
async fn readable(double: &Double, stream: &str) -> Vec<String> {
    let client = client(double);
    let mut reading = client.read_stream(stream, &ReadStreamOptions::default()).await.unwrap();
    let mut seen = Vec::new();
    while let Some(event) = reading.next().await.unwrap() {
        seen.push(String::from_utf8(event.event.unwrap().data.to_vec()).unwrap());
    }
    seen
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_destroyed_key_nothing_is_read_any_more() {
    let (double, vault) = double_and_vault().await;
    let made = vault.new_keys(2).await.unwrap();
    let [(id, _), (other, key)] = made.as_slice() else { panic!() };
    let stream = format!("assay.vault/key/{id}");
    let before = readable(&double, &stream).await;
    double.faults().lose_answers(2);
    vault.destroy(*id).await.unwrap();
    let after = readable(&double, &stream).await;
    assert_eq!((before.len(), after.len()), (1, 1), "one event only");
    assert!(after.iter().all(|row| row.contains("\"wrapped\":null")), "{after:?}");
    let states = vault.keys(vec![*id, *other]).await.unwrap();
    assert_eq!(states, [KeyState::Destroyed, KeyState::Held(key.clone())]);
    let report = VaultReport { keys: 1, destroyed: 1, secrets: 0 };
    assert_eq!(vault.check().await, Ok(report));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_replaced_or_dropped_secret_nothing_is_read_any_more() {
    let (double, vault) = double_and_vault().await;
    for version in [None, Some(1), Some(2)] {
        vault.put_secret("s", version, b"value".to_vec()).await.unwrap();
        assert_eq!(readable(&double, "assay.vault/secret/s").await.len(), 1);
    }
    vault.drop_secret("s").await.unwrap();
    let after = readable(&double, "assay.vault/secret/s").await;
    assert!(after.len() == 1 && after.iter().all(|row| row.contains("\"wrapped\":\"\"")));
    assert_eq!(vault.secret_names("", None, 9).await, Ok(Vec::new()));
    let stale = vault.put_secret("s", Some(3), Vec::new()).await;
    assert_eq!(stale, Err(VaultError::Conflict { current: None }));
    assert_eq!(vault.put_secret("s", None, b"new".to_vec()).await, Ok(1));
    assert_eq!(vault.secret_names("", None, 9).await, Ok(vec!["s".to_owned()]));
    assert_eq!(vault.check().await, Ok(VaultReport { secrets: 1, ..VaultReport::default() }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_answers_do_not_change_versions() {
    let (double, vault) = double_and_vault().await;
    let mut version = None;
    for n in 1..=6 {
        double.faults().lose_answers(2);
        version = Some(vault.put_secret("s", version, vec![n]).await.unwrap());
        assert_eq!(version, Some(u64::from(n)));
        double.faults().lose_answers(0);
    }
    assert_eq!(vault.secret("s").await.unwrap().map(|secret| secret.bytes), Some(vec![6]));
    double.faults().lose_answers(300);
    let made = vault.new_keys(50).await;
    double.faults().lose_answers(0);
    if let Ok(made) = made {
        let ids = made.iter().map(|(id, _)| *id).collect();
        let held: Vec<_> = made.iter().map(|(_, key)| KeyState::Held(key.clone())).collect();
        assert_eq!(vault.keys(ids).await, Ok(held));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_sees_at_once_what_this_one_wrote() {
    let (_double, vault) = double_and_vault().await;
    let other = open_vault(vault.options().clone()).await;
    for n in 0..20 {
        let name = format!("session/{n}");
        vault.put_secret(&name, None, vec![n]).await.unwrap();
        assert_eq!(other.secret(&name).await.unwrap().map(|secret| secret.bytes), Some(vec![n]));
        assert_eq!(
            other.secret_names("session/", None, 99).await.unwrap().len(),
            usize::from(n) + 1
        );
    }
    other.drop_secret("session/7").await.unwrap();
    assert_eq!(vault.secret_names("session/7", None, 9).await, Ok(Vec::new()));
    let (id, key) = vault.new_keys(1).await.unwrap().remove(0);
    assert_eq!(other.keys(vec![id]).await, Ok(vec![KeyState::Held(key)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_wrote_into_a_row_is_noticed() {
    let (double, vault) = double_and_vault().await;
    let (id, _) = vault.new_keys(1).await.unwrap().remove(0);
    vault.put_secret("a", None, b"one".to_vec()).await.unwrap();
    vault.put_secret("b", None, b"two".to_vec()).await.unwrap();
    assert!(vault.check().await.is_ok());
    let client = client(&double);
    // The row of one secret, put where another stands.
    let row = readable(&double, "assay.vault/secret/a").await.remove(0);
    let options = AppendToStreamOptions::default().stream_state(StreamState::StreamRevision(0));
    let event = |row: &str| EventData::binary("vault.secret.v1", row.to_owned().into());
    client.append_to_stream("assay.vault/secret/b", &options, event(&row)).await.unwrap();
    assert!(
        matches!(vault.secret("b").await, Err(VaultError::Corrupt(what)) if what.contains("\"b\""))
    );
    for _ in 0..2 {
        let names = vault.secret_names("", None, 9).await;
        assert!(matches!(names, Err(VaultError::Corrupt(_))), "again and again: {names:?}");
    }
    let fault = vault.check().await.unwrap_err();
    assert!(fault.to_string().starts_with("secret \"b\": "), "{fault}");

    let event = EventData::binary("vault.key.v1", "{}".into());
    client.append_to_stream(format!("assay.vault/key/{id}"), &options, event).await.unwrap();
    assert!(matches!(vault.keys(vec![id]).await, Err(VaultError::Corrupt(_))));
    assert!(matches!(vault.destroy(id).await, Err(VaultError::Corrupt(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_master_key_is_refused() {
    let (_double, vault) = double_and_vault().await;
    let clock = Arc::new(|| 0);
    let options = vault.options().clone();
    let other = KurrentVault::open(options, MasterKey::new([4; 32]), clock).await;
    assert_eq!(other.map(|_| ()), Err(OpenError::WrongMasterKey));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_the_vault_is_unavailable_and_comes_back() {
    let (double, vault) = double_and_vault().await;
    vault.put_secret("a", None, b"one".to_vec()).await.unwrap();
    double.stop_node(0).await;
    assert!(matches!(vault.secret("a").await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.secret_names("", None, 1).await, Err(VaultError::Unavailable(_))));
    assert!(matches!(vault.check().await, Err(CheckError::Unavailable(_))));
    double.start_node(0).await.unwrap();
    assert_eq!(vault.secret_names("", None, 1).await, Ok(vec!["a".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_names_begin_anew_where_a_backup_was_restored() {
    let (double, vault) = double_and_vault().await;
    vault.put_secret("kept", None, Vec::new()).await.unwrap();
    let kept = double.events();
    for name in ["lost", "lost too"] {
        vault.put_secret(name, None, vec![7; 100]).await.unwrap();
    }
    assert_eq!(vault.secret_names("", None, 9).await.unwrap().len(), 3);
    double.rewind(kept);
    assert_eq!(vault.secret_names("", None, 9).await, Ok(vec!["kept".to_owned()]));
}
