//! The keys that sign this log's checkpoints: kept in files or in the vault, and facts of the log.

mod shelf;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use assay_commands::Error;
use assay_domain::id::LogId;
use assay_domain::log_key::{AddLogKey, LogKeys, RetireLogKey};
use assay_ledger::{SignerKey, VerifierKey};
use uuid::Uuid;

use crate::accounts::{by_house, new_id, refused};
use crate::exit::usage;
use crate::open::Opened;

pub(crate) use shelf::{Shelf, known_publicly};

/// What the streams of a log's keys begin with.
const STREAMS: &str = "log-";

/// The name of this history among all: the log it began in, also after it was copied into another.
///
/// It stands in the origin of every checkpoint; the log's own id changes when the engine does.
pub(crate) async fn history(opened: &Opened) -> anyhow::Result<Uuid> {
    match named(opened.local.first_stream(STREAMS)?.as_deref())? {
        Some(id) => Ok(id),
        None => Ok(opened.log.log_id().await?),
    }
}

/// The same of a journal's file; nothing where no key was ever recorded in it.
pub(crate) fn history_in(journal: &Path) -> anyhow::Result<Option<Uuid>> {
    let first = assay_store_sqlite::first_stream(journal, STREAMS);
    let first = first.with_context(|| format!("reading {}", journal.display()))?;
    named(first.as_deref())
}

fn named(stream: Option<&str>) -> anyhow::Result<Option<Uuid>> {
    let id = stream.and_then(|stream| stream.strip_prefix(STREAMS)).map(str::parse);
    id.transpose().context("the stream of the log's keys")
}

/// The keys that sign, oldest first; the first one is made where there is none.
///
/// Their name is the origin of the log's checkpoints, `<name>/<history>`: it is fixed with the first key.
pub(crate) async fn signers(
    shelf: &Shelf,
    name: &str,
    history: Uuid,
) -> anyhow::Result<Vec<SignerKey>> {
    if shelf.signing().await?.is_empty() {
        shelf.put_first(&made(&format!("{name}/{history}"))?).await?;
    }
    let signers = shelf.signing().await?;
    let origin = signers.first().map(|key| key.name().to_owned()).unwrap_or_default();
    if !origin.ends_with(&history.to_string()) {
        return Err(usage(format!(
            "the keys in {} sign for the log {origin}, and this is the log {history}: they belong \
             to another house",
            shelf.words()
        )));
    }
    if let Some(other) = signers.iter().find(|key| key.name() != origin) {
        return Err(usage(format!("one key signs for {origin}, another for {}", other.name())));
    }
    Ok(signers)
}

/// Makes one more key for the same log; it signs from the next start on, beside the others.
pub(crate) async fn rotate(shelf: &Shelf) -> anyhow::Result<VerifierKey> {
    let known = shelf.signing().await?;
    let first = known.first().ok_or_else(|| usage("there is no key yet; start the server once"))?;
    let key = made(first.name())?;
    shelf.put(&key).await?;
    Ok(key.verifier().clone())
}

/// Takes a key out of use: from the next start on it signs no more.
pub(crate) async fn retire(shelf: &Shelf, key: &str) -> anyhow::Result<VerifierKey> {
    let signing = shelf.signing().await?;
    let meant = signing
        .iter()
        .map(SignerKey::verifier)
        .find(|verifier| verifier.to_text() == key || format!("{:08x}", verifier.key_id()) == key);
    let Some(verifier) = meant else {
        return Err(usage(format!(
            "there is no key {key}: `assay ledger key` shows those there are"
        )));
    };
    if signing.len() < 2 {
        return Err(usage("this is the only key: make another one first (rotate)"));
    }
    shelf.put_away(verifier).await?;
    Ok(verifier.clone())
}

/// Writes into the log which keys sign now, and which no more.
pub(crate) async fn record(opened: &Opened, signers: &[SignerKey]) -> anyhow::Result<()> {
    let log = LogId(history(opened).await?);
    let known = opened.house.load::<LogKeys>(log.0).await?.state;
    let now: Vec<String> = signers.iter().map(|key| key.verifier().to_text()).collect();
    for text in now.iter().filter(|text| known.keys.get(*text) != Some(&true)) {
        let add = AddLogKey { log, key: text.as_str().try_into()? };
        opened.house.execute(&by_house(new_id()), &add).await.map_err(refused)?;
    }
    for text in known.keys.iter().filter(|(text, signs)| **signs && !now.contains(text)) {
        let retire = RetireLogKey {
            log,
            key: text.0.as_str().try_into()?,
            reason: "its file was put away".try_into()?,
        };
        match opened.house.execute(&by_house(new_id()), &retire).await {
            Ok(_) => {}
            Err(Error::Refused(error)) => return Err(anyhow!(error)),
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(())
}

fn made(origin: &str) -> anyhow::Result<SignerKey> {
    let seed: [u8; 32] = rand::random();
    SignerKey::new(origin, &seed)
        .map_err(|error| usage(format!("the setting ledger.name does not fit: {error}")))
}
