//! The key ring: the pool is refilled in batches, the cache is asked first, and forgetting holds.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_store::keyring::{KeyRing, POOL_KEYS, sealed_keys};
use assay_store::memory::MemoryVault;
use assay_store::seal::seal;
use assay_store::vault::{Key, KeyId, KeyState, Secret, Vault, VaultError};
use futures_util::future::{BoxFuture, FutureExt as _};
use uuid::Uuid;

/// A vault that counts what it is asked.
#[derive(Debug, Default)]
struct Counting {
    vault: MemoryVault,
    refills: AtomicUsize,
    lookups: AtomicUsize,
    adoptions: AtomicUsize,
}

impl Vault for Counting {
    fn new_keys(&self, count: usize) -> BoxFuture<'_, Result<Vec<(KeyId, Key)>, VaultError>> {
        self.refills.fetch_add(1, Ordering::SeqCst);
        self.vault.new_keys(count)
    }

    fn adopt_keys(&self, keys: Vec<(KeyId, Key)>) -> BoxFuture<'_, Result<(), VaultError>> {
        self.adoptions.fetch_add(keys.len(), Ordering::SeqCst);
        async move {
            let adopted = self.vault.adopt_keys(keys).await;
            tokio::task::yield_now().await;
            adopted
        }
        .boxed()
    }

    fn keys(&self, ids: Vec<KeyId>) -> BoxFuture<'_, Result<Vec<KeyState>, VaultError>> {
        self.lookups.fetch_add(ids.len(), Ordering::SeqCst);
        async move {
            let states = self.vault.keys(ids).await;
            // Others get their turn between the question and the answer, as with a real vault.
            tokio::task::yield_now().await;
            states
        }
        .boxed()
    }

    fn destroy(&self, id: KeyId) -> BoxFuture<'_, Result<(), VaultError>> {
        self.vault.destroy(id)
    }

    fn secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, VaultError>> {
        self.vault.secret(name)
    }

    fn put_secret<'a>(
        &'a self,
        name: &'a str,
        version: Option<u64>,
        bytes: Vec<u8>,
    ) -> BoxFuture<'a, Result<u64, VaultError>> {
        self.vault.put_secret(name, version, bytes)
    }

    fn drop_secret<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), VaultError>> {
        self.vault.drop_secret(name)
    }

    fn secret_names<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, VaultError>> {
        self.vault.secret_names(prefix, after, limit)
    }
}

#[tokio::test]
async fn drawing_asks_the_vault_once_for_many_subjects() {
    let vault = Arc::new(Counting::default());
    let ring = KeyRing::new(vault.clone());
    let mut drawn = HashSet::new();
    for _ in 0..=POOL_KEYS {
        let (id, key) = ring.draw().await.unwrap();
        assert_eq!(ring.get(id), Some(KeyState::Held(key)), "at hand at once");
        assert!(drawn.insert(id), "nobody else gets it");
    }
    assert_eq!(vault.refills.load(Ordering::SeqCst), 2);
    assert_eq!(vault.lookups.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn only_what_is_not_at_hand_is_looked_up() {
    let vault = Arc::new(Counting::default());
    let ids: Vec<KeyId> =
        vault.new_keys(2_500).await.unwrap().into_iter().map(|(id, _)| id).collect();
    let ring = KeyRing::new(vault.clone());
    assert_eq!(ring.get(ids[0]), None);
    ring.fetch(&ids[..2_000]).await.unwrap();
    ring.fetch(&ids).await.unwrap();
    ring.fetch(&[ids[0], ids[0]]).await.unwrap();
    assert!(ids.iter().all(|id| matches!(ring.get(*id), Some(KeyState::Held(_)))));
    assert_eq!(vault.lookups.load(Ordering::SeqCst), 2_500);

    let unknown = Uuid::from_u128(1);
    assert_eq!(ring.fetch(&[unknown]).await, Err(VaultError::UnknownKey(unknown)));
}

#[tokio::test]
async fn a_destroyed_key_does_not_come_back() {
    let vault = Arc::new(Counting::default());
    let made = vault.new_keys(2).await.unwrap();
    let ring = KeyRing::new(vault.clone());
    ring.fetch(&[made[0].0]).await.unwrap();
    ring.destroy(made[0].0).await.unwrap();
    assert_eq!(ring.get(made[0].0), Some(KeyState::Destroyed));

    // Destroyed while another task had its key in flight.
    let ids = [made[1].0];
    let destroyed = async {
        ring.destroy(made[1].0).await.unwrap();
    };
    let (fetched, ()) = tokio::join!(ring.fetch(&ids), destroyed);
    fetched.unwrap();
    assert_eq!(ring.get(made[1].0), Some(KeyState::Destroyed));
}

#[tokio::test]
async fn adopted_keys_are_at_hand_at_once() {
    let elsewhere = MemoryVault::new().new_keys(3).await.unwrap();
    let vault = Arc::new(Counting::default());
    let ring = KeyRing::new(vault.clone());
    ring.adopt(elsewhere.clone()).await.unwrap();
    for (id, key) in &elsewhere {
        assert_eq!(ring.get(*id), Some(KeyState::Held(key.clone())));
    }
    assert_eq!(vault.adoptions.load(Ordering::SeqCst), 3);
    assert_eq!(vault.lookups.load(Ordering::SeqCst), 0, "nobody asks for what was just given");

    let (gone, other) = (elsewhere[0].0, elsewhere[1].0);
    ring.destroy(gone).await.unwrap();
    assert_eq!(ring.adopt(elsewhere).await, Err(VaultError::DestroyedKey(gone)));
    assert_eq!(ring.get(gone), Some(KeyState::Destroyed));
    let refused = ring.adopt(vec![(other, Key([9; 32]))]).await;
    assert_eq!(refused, Err(VaultError::OtherKey(other)));
}

#[tokio::test]
async fn a_key_destroyed_while_it_was_adopted_stays_destroyed() {
    let elsewhere = MemoryVault::new().new_keys(2).await.unwrap();
    let ring = KeyRing::new(Arc::new(Counting::default()));
    let destroyed = async { ring.destroy(elsewhere[0].0).await.unwrap() };
    let (adopted, ()) = tokio::join!(ring.adopt(elsewhere.clone()), destroyed);
    adopted.unwrap();
    assert_eq!(ring.get(elsewhere[0].0), Some(KeyState::Destroyed));
    assert!(matches!(ring.get(elsewhere[1].0), Some(KeyState::Held(_))));
}

#[test]
fn the_keys_of_a_fact_are_found_in_its_bytes() {
    let key = Key([1; 32]);
    let ids = [Uuid::from_u128(1 << 100), Uuid::from_u128(u128::MAX)];
    let sealed = |id| seal(id, &key, "s", b"secret").unwrap();
    let data = format!(
        r#"{{"type":"x.v1","data":{{"a":{{"sealed":"{}"}},"b":[{{"sealed":"{}"}},{{"sealed":"{}"}}]}}}}"#,
        sealed(ids[0]),
        sealed(ids[1]),
        sealed(ids[0]),
    );
    assert_eq!(sealed_keys(data.as_bytes()), ids);
    assert!(sealed_keys(b"{}").is_empty());
    assert!(sealed_keys(br#"{"sealed":"xc1."#).is_empty(), "cut off");
    assert!(sealed_keys(br#"{"sealed":"xc1.AAAAAAAAAAAAAAAAAAAAAAAA.x"}"#).is_empty(), "too long");
    let quoted = format!(r#"{{"text":"\"sealed\":\"{}\""}}"#, sealed(ids[0]));
    assert!(sealed_keys(quoted.as_bytes()).is_empty(), "text that only looks like it");
}

#[tokio::test]
async fn a_stream_held_back_is_not_shown_until_it_is_given_back_also_by_the_next_ring() {
    let vault = Arc::new(MemoryVault::new());
    let ring = KeyRing::new(vault.clone());
    assert!(ring.shows("claim-1"));
    ring.hold_back("claim-1").await.unwrap();
    ring.hold_back("claim-1").await.unwrap();
    assert!(!ring.shows("claim-1"));
    assert!(ring.shows("claim-2"));
    let next = KeyRing::new(vault);
    next.recall().await.unwrap();
    assert!(!next.shows("claim-1"));
    next.give_back("claim-1").await.unwrap();
    assert!(next.shows("claim-1"));
}
