//! Copying what belongs to a log from one vault into another: keys, and what people log in with.

use anyhow::Context as _;
use assay_store::vault::{Key, KeyId, KeyState, Vault, VaultError};
use zeroize::Zeroize as _;

use crate::exit::usage;

/// How many keys are copied in one step.
const KEYS: usize = 500;
/// How many names of secrets are asked for at once.
const NAMES: usize = 500;
/// Secrets that are not copied here: what nodes agreed on among themselves, who is logged in, and the log's own
/// keys, which are carried over by themselves since a data directory keeps them in files.
const STAYS: [&str; 4] = ["lease/", "node/", "session/", "log-key"];
/// Secrets of persons and streams: one that the source has no longer must not live on in the target.
const ENDS: [&str; 4] = ["password/", "code/", "login/", "held-back/"];

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct VaultCopied {
    /// Keys that the target holds now.
    pub(crate) held: u64,
    /// Keys that the target knows as destroyed now.
    pub(crate) destroyed: u64,
    /// Secrets that were written.
    pub(crate) written: u64,
    /// Secrets that were the same already.
    pub(crate) same: u64,
    /// Secrets that the source has no longer, and that were removed from the target.
    pub(crate) removed: u64,
    /// Secrets that stay behind.
    pub(crate) left: u64,
}

/// Copies these keys, and all secrets but those of nodes and sessions. Harmless when done again.
///
/// # Errors
///
/// A usage error where the target knows one of the ids with another key, or has destroyed a key
/// that the source holds.
pub(crate) async fn copy_vault(
    from: &dyn Vault,
    to: &dyn Vault,
    keys: &[KeyId],
    told: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<VaultCopied> {
    let mut done = VaultCopied::default();
    let all = u64::try_from(keys.len())?;
    for part in keys.chunks(KEYS) {
        copy_keys(from, to, part, &mut done).await?;
        told(done.held.saturating_add(done.destroyed), all);
    }
    copy_secrets(from, to, &mut done).await?;
    remove_ended(from, to, &mut done).await?;
    Ok(done)
}

async fn copy_keys(
    from: &dyn Vault,
    to: &dyn Vault,
    ids: &[KeyId],
    done: &mut VaultCopied,
) -> anyhow::Result<()> {
    let states = from.keys(ids.to_vec()).await.context("reading the keys that the log names")?;
    let mut held = Vec::with_capacity(ids.len());
    let mut destroyed = Vec::new();
    for (id, state) in ids.iter().zip(states) {
        match state {
            KeyState::Held(key) => held.push((*id, key)),
            KeyState::Destroyed => destroyed.push(*id),
        }
    }
    done.held = done.held.saturating_add(u64::try_from(held.len())?);
    to.adopt_keys(held).await.map_err(refused)?;
    for id in destroyed {
        destroy(to, id).await?;
        done.destroyed = done.destroyed.saturating_add(1);
    }
    Ok(())
}

/// Has the target know a key as destroyed; where it has never seen it, a random one is destroyed in its name.
async fn destroy(to: &dyn Vault, id: KeyId) -> anyhow::Result<()> {
    match to.keys(vec![id]).await {
        Ok(states) if states.contains(&KeyState::Destroyed) => return Ok(()),
        Ok(_) => {}
        Err(VaultError::UnknownKey(_)) => {
            to.adopt_keys(vec![(id, Key(rand::random()))]).await.map_err(refused)?;
        }
        Err(error) => return Err(refused(error)),
    }
    to.destroy(id).await.map_err(refused)
}

async fn copy_secrets(
    from: &dyn Vault,
    to: &dyn Vault,
    done: &mut VaultCopied,
) -> anyhow::Result<()> {
    let mut after: Option<String> = None;
    loop {
        let names = from.secret_names("", after.as_deref(), NAMES).await;
        let names = names.context("listing the secrets")?;
        let Some(last) = names.last().cloned() else { return Ok(()) };
        for name in names {
            if STAYS.iter().any(|stays| name.starts_with(stays)) {
                done.left = done.left.saturating_add(1);
            } else {
                copy_secret(from, to, &name, done).await?;
            }
        }
        after = Some(last);
    }
}

async fn copy_secret(
    from: &dyn Vault,
    to: &dyn Vault,
    name: &str,
    done: &mut VaultCopied,
) -> anyhow::Result<()> {
    let found = from.secret(name).await.with_context(|| format!("reading the secret {name}"))?;
    // Gone since it was listed: then there is nothing to copy.
    let Some(mut ours) = found else { return Ok(()) };
    let mut theirs = to.secret(name).await.map_err(refused)?;
    let version = theirs.as_ref().map(|secret| secret.version);
    let same = theirs.as_ref().is_some_and(|secret| secret.bytes == ours.bytes);
    if let Some(theirs) = &mut theirs {
        theirs.bytes.zeroize();
    }
    if same {
        ours.bytes.zeroize();
        done.same = done.same.saturating_add(1);
        return Ok(());
    }
    to.put_secret(name, version, ours.bytes).await.map_err(refused)?;
    done.written = done.written.saturating_add(1);
    Ok(())
}

/// A code that was used or a password that was taken away since an earlier run must not open the copy.
async fn remove_ended(
    from: &dyn Vault,
    to: &dyn Vault,
    done: &mut VaultCopied,
) -> anyhow::Result<()> {
    for prefix in ENDS {
        let mut after: Option<String> = None;
        loop {
            let names = to.secret_names(prefix, after.as_deref(), NAMES).await.map_err(refused)?;
            let Some(last) = names.last().cloned() else { break };
            for name in names {
                if from.secret(&name).await.context("reading a secret")?.is_none() {
                    to.drop_secret(&name).await.map_err(refused)?;
                    done.removed = done.removed.saturating_add(1);
                }
            }
            after = Some(last);
        }
    }
    Ok(())
}

fn refused(error: VaultError) -> anyhow::Error {
    match error {
        VaultError::OtherKey(_) | VaultError::DestroyedKey(_) => {
            usage(format!("the target's vault belongs to another log: {error}"))
        }
        other => anyhow::Error::new(other).context("writing into the target's vault"),
    }
}

#[cfg(test)]
mod tests {
    use assay_store::memory::MemoryVault;

    use super::*;
    use crate::exit::Usage;

    async fn copied(
        from: &MemoryVault,
        to: &MemoryVault,
        keys: &[KeyId],
    ) -> anyhow::Result<VaultCopied> {
        copy_vault(from, to, keys, &mut |done, all| assert!(done <= all)).await
    }

    #[tokio::test]
    async fn keys_come_along_and_what_was_destroyed_stays_destroyed() {
        let (from, to) = (MemoryVault::new(), MemoryVault::new());
        let made = from.new_keys(1_201).await.unwrap();
        let ids: Vec<KeyId> = made.iter().map(|(id, _)| *id).collect();
        copied(&from, &to, &ids[..1_000]).await.unwrap();
        for id in [ids[3], ids[1_100]] {
            from.destroy(id).await.unwrap();
        }
        for _ in 0..2 {
            let done = copied(&from, &to, &ids).await.unwrap();
            assert_eq!((done.held, done.destroyed), (1_199, 2));
            assert_eq!(to.keys(ids.clone()).await, from.keys(ids.clone()).await);
        }
    }

    #[tokio::test]
    async fn secrets_are_made_equal_but_sessions_and_nodes_stay() {
        let (from, to) = (MemoryVault::new(), MemoryVault::new());
        let names =
            ["house", "lease/x", "login/ana", "log-key/0", "node/one", "password/1", "session/1/2"];
        for name in names {
            from.put_secret(name, None, name.as_bytes().to_vec()).await.unwrap();
        }
        to.put_secret("house", None, b"another".to_vec()).await.unwrap();
        to.put_secret("code/1", None, b"used since".to_vec()).await.unwrap();
        to.put_secret("lease/x", None, b"theirs".to_vec()).await.unwrap();
        let done = copied(&from, &to, &[]).await.unwrap();
        let wanted = VaultCopied { written: 3, removed: 1, left: 4, ..VaultCopied::default() };
        assert_eq!(done, wanted);
        let again = copied(&from, &to, &[]).await.unwrap();
        assert_eq!((again.written, again.same, again.removed), (0, 3, 0));
        let there = to.secret_names("", None, 100).await.unwrap();
        assert_eq!(there, ["house", "lease/x", "login/ana", "password/1"]);
        assert_eq!(to.secret("house").await.unwrap().unwrap().bytes, b"house");
        assert_eq!(to.secret("lease/x").await.unwrap().unwrap().bytes, b"theirs");
    }

    #[tokio::test]
    async fn more_secrets_than_fit_a_page_are_all_copied() {
        let (from, to) = (MemoryVault::new(), MemoryVault::new());
        for n in 0..1_203 {
            from.put_secret(&format!("password/{n}"), None, vec![1]).await.unwrap();
        }
        assert_eq!(copied(&from, &to, &[]).await.unwrap().written, 1_203);
    }

    #[tokio::test]
    async fn a_key_the_source_lacks_and_a_vault_of_another_log_are_named() {
        let (from, to) = (MemoryVault::new(), MemoryVault::new());
        let [(id, _)] = <[_; 1]>::try_from(from.new_keys(1).await.unwrap()).unwrap();
        let lacks = copied(&to, &from, &[id]).await.unwrap_err();
        assert!(format!("{lacks:#}").contains(&id.to_string()), "{lacks:#}");
        to.adopt_keys(vec![(id, Key([1; 32]))]).await.unwrap();
        let other = copied(&from, &to, &[id]).await.unwrap_err();
        assert!(other.downcast_ref::<Usage>().is_some(), "{other:#}");
        to.destroy(id).await.unwrap();
        let gone = copied(&from, &to, &[id]).await.unwrap_err();
        assert!(gone.to_string().contains("destroyed"), "{gone:#}");
    }
}
