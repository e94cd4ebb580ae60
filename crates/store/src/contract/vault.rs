//! What every vault must keep: keys until they are destroyed, secrets by version, and both over a restart.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::must;
use crate::vault::{Key, KeyId, KeyState, Vault, VaultError};

/// How an adapter makes vaults for the contract.
pub trait MakeVault: Send + Sync {
    /// The vault it makes.
    type Vault: Vault + 'static;

    /// An empty vault.
    fn fresh(&self) -> BoxFuture<'_, Arc<Self::Vault>>;

    /// The same vault after its process ended and another one started. Nobody else holds it.
    fn reopen(&self, vault: Arc<Self::Vault>) -> BoxFuture<'_, Arc<Self::Vault>>;
}

/// Holds a vault to what it promises. Runs inside a tokio runtime.
///
/// # Panics
///
/// With what is broken.
pub async fn run<M: MakeVault>(make: &M) {
    keys_live_until_destroyed(make).await;
    keys_from_elsewhere_are_kept(make).await;
    secrets_move_by_version(make).await;
    names_are_listed(&*make.fresh().await).await;
    one_replacement_wins(make.fresh().await).await;
}

async fn keys_live_until_destroyed<M: MakeVault>(make: &M) {
    let vault = make.fresh().await;
    let first = must("vault", vault.new_keys(300).await);
    let more = must("vault", vault.new_keys(1).await);
    assert!(must("vault", vault.new_keys(0).await).is_empty(), "vault: no keys asked, none made");
    let all: Vec<_> = first.into_iter().chain(more).collect();
    assert_eq!(all.len(), 301, "vault: as many as asked");
    let distinct: HashSet<KeyId> = all.iter().map(|(id, _)| *id).collect();
    assert_eq!(distinct.len(), 301, "vault: every id once");
    let distinct: HashSet<[u8; 32]> = all.iter().map(|(_, key)| key.0).collect();
    assert_eq!(distinct.len(), 301, "vault: every key once");

    let vault = make.reopen(vault).await;
    let ids: Vec<KeyId> = all.iter().rev().map(|(id, _)| *id).collect();
    let held: Vec<KeyState> =
        all.iter().rev().map(|(_, key)| KeyState::Held(key.clone())).collect();
    assert_eq!(vault.keys(ids).await, Ok(held), "vault: in the order of the question");

    let unknown = Uuid::from_u128(1);
    assert_eq!(vault.keys(vec![unknown]).await, Err(VaultError::UnknownKey(unknown)), "vault");
    assert_eq!(vault.destroy(unknown).await, Err(VaultError::UnknownKey(unknown)), "vault");

    let [(first, _), (second, key), ..] = all.as_slice() else { return };
    for _ in 0..2 {
        must("vault", vault.destroy(*first).await);
        let states = must("vault", vault.keys(vec![*first, *second]).await);
        let wanted = [KeyState::Destroyed, KeyState::Held(key.clone())];
        assert_eq!(states, wanted, "vault: this one and no other");
    }
    let vault = make.reopen(vault).await;
    let state = vault.keys(vec![*first]).await;
    assert_eq!(state, Ok(vec![KeyState::Destroyed]), "vault: destroyed is for ever");
}

async fn keys_from_elsewhere_are_kept<M: MakeVault>(make: &M) {
    let key = |number: u8| (Uuid::from_u128(u128::from(number) << 64), Key([number; 32]));
    let held = |number| KeyState::Held(key(number).1);
    let vault = make.fresh().await;
    must("vault", vault.adopt_keys(Vec::new()).await);
    for _ in 0..2 {
        // The same again, within one question and in the next.
        must("vault", vault.adopt_keys(vec![key(1), key(2), key(1)]).await);
    }
    let other = vec![key(3), (key(2).0, Key([9; 32]))];
    let refused = vault.adopt_keys(other).await;
    assert_eq!(refused, Err(VaultError::OtherKey(key(2).0)), "vault: another key under this id");
    let two = vec![key(3), (key(3).0, Key([9; 32]))];
    let refused = vault.adopt_keys(two).await;
    assert_eq!(refused, Err(VaultError::OtherKey(key(3).0)), "vault: two keys under one id");
    must("vault", vault.destroy(key(1).0).await);

    let vault = make.reopen(vault).await;
    let back = vault.adopt_keys(vec![key(2), key(3), key(1)]).await;
    assert_eq!(back, Err(VaultError::DestroyedKey(key(1).0)), "vault: it does not come back");
    let unknown = vault.keys(vec![key(3).0]).await;
    assert_eq!(unknown, Err(VaultError::UnknownKey(key(3).0)), "vault: all of them or none");
    let states = vault.keys(vec![key(1).0, key(2).0]).await;
    assert_eq!(states, Ok(vec![KeyState::Destroyed, held(2)]), "vault: as they were");
    must("vault", vault.adopt_keys(vec![key(3)]).await);
    assert_eq!(vault.keys(vec![key(3).0]).await, Ok(vec![held(3)]), "vault: adopted");
}

async fn secrets_move_by_version<M: MakeVault>(make: &M) {
    let vault = make.fresh().await;
    let put = async |version, bytes: &[u8]| vault.put_secret("a", version, bytes.to_vec()).await;
    let conflict = |current| Err(VaultError::Conflict { current });
    assert_eq!(vault.secret("a").await, Ok(None), "vault: no secret yet");
    assert_eq!(put(Some(1), b"x").await, conflict(None), "vault: nothing to replace");
    assert_eq!(put(None, b"one").await, Ok(1), "vault: the first version is 1");
    assert_eq!(put(None, b"x").await, conflict(Some(1)), "vault: it is there already");
    assert_eq!(put(Some(1), b"two").await, Ok(2), "vault: replaced");
    assert_eq!(put(Some(1), b"x").await, conflict(Some(2)), "vault: too late");
    let empty = must("vault", vault.put_secret("empty", None, Vec::new()).await);
    assert_eq!(empty, 1, "vault: nothing is a secret too");

    let vault = make.reopen(vault).await;
    let secret =
        must("vault", vault.secret("a").await).map(|secret| (secret.version, secret.bytes));
    assert_eq!(secret, Some((2, b"two".to_vec())), "vault: it survives a restart");
    let empty = must("vault", vault.secret("empty").await).map(|secret| secret.bytes);
    assert_eq!(empty, Some(Vec::new()), "vault: nothing is a secret too");
    for _ in 0..2 {
        must("vault", vault.drop_secret("a").await);
        assert_eq!(vault.secret("a").await, Ok(None), "vault: dropped");
    }
}

async fn names_are_listed(vault: &impl Vault) {
    let names = ["b/1", "a/2", "a/1", "a%", "a_x", "A/1", "a/10", "a/é", "a", "a/🦀"];
    for name in names {
        must("vault", vault.put_secret(name, None, name.as_bytes().to_vec()).await);
    }
    let mut sorted = names;
    sorted.sort_unstable();
    for prefix in ["", "a", "a/", "a/1", "a%", "b", "c", "a/🦀"] {
        let wanted: Vec<&str> =
            sorted.iter().copied().filter(|name| name.starts_with(prefix)).collect();
        let all = must("vault", vault.secret_names(prefix, None, 100).await);
        assert_eq!(all, wanted, "vault: names under {prefix:?} in the order of bytes");
        let (mut paged, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = must("vault", vault.secret_names(prefix, after.as_deref(), 2).await);
            assert!(page.len() <= 2, "vault: at most as many as asked");
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            paged.extend(page);
        }
        assert_eq!(paged, wanted, "vault: the same in pages");
    }
}

async fn one_replacement_wins<V: Vault + 'static>(vault: Arc<V>) {
    must("vault", vault.put_secret("a", None, vec![0]).await);
    let tasks: Vec<_> = (0..8_u8)
        .map(|n| {
            let vault = Arc::clone(&vault);
            tokio::spawn(async move { vault.put_secret("a", Some(1), vec![n]).await })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        match must("vault", task.await) {
            Ok(version) => {
                assert_eq!(version, 2, "vault");
                won += 1;
            }
            Err(error) => {
                assert_eq!(error, VaultError::Conflict { current: Some(2) }, "vault");
            }
        }
    }
    assert_eq!(won, 1, "vault: one of many replacements wins");
}
