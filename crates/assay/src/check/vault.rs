//! Is the vault still right? Every row as it was written, every key that the log names known.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use assay_store::journal::Journal;
use assay_store::keyring::sealed_keys;
use assay_store::vault::{KeyId, KeyState, Vault, VaultError};

use super::Verdict;
use crate::open::Opened;
use crate::progress::Progress;
use crate::project::aside;

/// How many entries are read at once.
const ENTRIES: usize = 1_000;
/// How many keys are asked for at once.
const KEYS: usize = 500;

/// Checks every row of the vault, and looks up every key the log names.
pub(super) async fn check(opened: &Opened) -> anyhow::Result<Verdict> {
    let rows = match opened.rows.check().await? {
        Ok(rows) => rows,
        Err(fault) => return Ok(Verdict::Wrong { position: None, what: fault.to_string() }),
    };
    let journal = opened.journal();
    let named = aside(move |_| named(journal.as_ref())).await?;
    let vault = Arc::clone(opened.keys.vault());
    let (mut held, mut destroyed) = (0_u64, 0_u64);
    for part in named.chunks(KEYS) {
        let ids: Vec<KeyId> = part.iter().map(|(id, _)| *id).collect();
        match vault.keys(ids).await {
            Ok(states) => {
                let gone = |state: &&KeyState| matches!(state, KeyState::Destroyed);
                let forgotten = u64::try_from(states.iter().filter(gone).count())?;
                destroyed = destroyed.saturating_add(forgotten);
                let there = u64::try_from(states.len())?.saturating_sub(forgotten);
                held = held.saturating_add(there);
            }
            Err(error) => return first_unknown(vault.as_ref(), part, &error).await,
        }
    }
    Ok(Verdict::Right(format!(
        "all {} keys the log names are known: {held} held, {destroyed} destroyed on purpose; every row of {} keys \
         and {} secrets is as it was written",
        named.len(),
        rows.keys,
        rows.secrets
    )))
}

/// Every key the log names, with the first position that names it, in that order.
fn named(journal: &dyn Journal) -> anyhow::Result<Vec<(KeyId, u64)>> {
    let mut progress = Progress::new("entries looked through for keys");
    let head = journal.head()?;
    let (mut found, mut after) = (HashMap::new(), 0);
    loop {
        let entries = journal.entries(after, ENTRIES).context("reading the journal")?;
        let Some(last) = entries.last() else { break };
        after = last.position;
        for entry in &entries {
            for key in sealed_keys(&entry.recorded.fact.data) {
                found.entry(key).or_insert(entry.position);
            }
        }
        progress.set(after, head);
    }
    progress.finish();
    let mut named: Vec<(KeyId, u64)> = found.into_iter().collect();
    named.sort_unstable_by_key(|(_, position)| *position);
    Ok(named)
}

async fn first_unknown(
    vault: &dyn Vault,
    part: &[(KeyId, u64)],
    error: &VaultError,
) -> anyhow::Result<Verdict> {
    for (id, position) in part {
        if let Err(error) = vault.keys(vec![*id]).await {
            let position = Some(*position);
            return Ok(Verdict::Wrong { position, what: error.to_string() });
        }
    }
    Ok(Verdict::Wrong { position: None, what: error.to_string() })
}
