//! The keys that sign this log's checkpoints: files of the data directory, and facts of the log.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use assay_commands::Error;
use assay_domain::id::LogId;
use assay_domain::log_key::{AddLogKey, LogKeys, RetireLogKey};
use assay_ledger::{SignerKey, VerifierKey};
use assay_store::log::Log as _;
use uuid::Uuid;

use crate::accounts::{by_house, new_id, refused};
use crate::data_dir::{DataDir, read_private, write_private};
use crate::exit::usage;
use crate::open::Opened;

/// The name of a retired key's file ends so.
const RETIRED: &str = "retired";

/// The keys that sign, oldest first; the first one is made where there is none.
///
/// Their name is the origin of the log's checkpoints, `<name>/<log id>`: it is fixed with the first key.
pub(crate) fn signers(dir: &DataDir, name: &str, log: Uuid) -> anyhow::Result<Vec<SignerKey>> {
    let mut paths = paths(dir)?;
    if paths.is_empty() {
        make(dir, &format!("{name}/{log}"))?;
        paths = self::paths(dir)?;
    }
    let signers: Vec<SignerKey> =
        paths.iter().map(|path| read(path)).collect::<anyhow::Result<_>>()?;
    let origin = signers.first().map(|key| key.name().to_owned()).unwrap_or_default();
    if !origin.ends_with(&log.to_string()) {
        return Err(usage(format!(
            "the keys in {} sign for the log {origin}, and this is the log {log}: they belong to \
             another data directory",
            dir.log_keys().display()
        )));
    }
    if let Some(other) = signers.iter().find(|key| key.name() != origin) {
        return Err(usage(format!("one key signs for {origin}, another for {}", other.name())));
    }
    Ok(signers)
}

/// The public keys of a data directory, without holding it.
pub(crate) fn verifiers(dir: &DataDir) -> anyhow::Result<Vec<VerifierKey>> {
    paths(dir)?.iter().map(|path| Ok(read(path)?.verifier().clone())).collect()
}

/// The public halves of keys that were put away.
pub(crate) fn retired(dir: &DataDir) -> anyhow::Result<Vec<VerifierKey>> {
    files(dir, RETIRED)?.iter().map(|path| Ok(read(path)?.verifier().clone())).collect()
}

/// Makes one more key for the same log; it signs from the next start on, beside the others.
pub(crate) fn rotate(dir: &DataDir) -> anyhow::Result<VerifierKey> {
    let known = verifiers(dir)?;
    let first = known.first().ok_or_else(|| usage("there is no key yet; start the server once"))?;
    make(dir, first.name())
}

/// Takes a key out of use: from the next start on it signs no more.
pub(crate) fn retire(dir: &DataDir, key: &str) -> anyhow::Result<VerifierKey> {
    let paths = paths(dir)?;
    for path in &paths {
        let verifier = read(path)?.verifier().clone();
        if verifier.to_text() == key || format!("{:08x}", verifier.key_id()) == key {
            if paths.len() < 2 {
                return Err(usage("this is the only key: make another one first (rotate)"));
            }
            fs::rename(path, path.with_extension(RETIRED)).context("putting the key away")?;
            return Ok(verifier);
        }
    }
    Err(usage(format!("there is no key {key}: `assay ledger key` shows those there are")))
}

/// Writes into the log which keys sign now, and which no more.
pub(crate) async fn record(opened: &Opened, signers: &[SignerKey]) -> anyhow::Result<()> {
    let log = LogId(opened.log.log_id().await?);
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

fn make(dir: &DataDir, origin: &str) -> anyhow::Result<VerifierKey> {
    let seed: [u8; 32] = rand::random();
    let signer = SignerKey::new(origin, &seed)
        .map_err(|error| usage(format!("the setting ledger.name does not fit: {error}")))?;
    // Named by the time it was made, so that the oldest comes first.
    let path = dir.log_keys().join(format!("log-{}.key", new_id()));
    write_private(&path, format!("{}\n", signer.to_private_text().as_str()).as_bytes())?;
    Ok(signer.verifier().clone())
}

fn read(path: &Path) -> anyhow::Result<SignerKey> {
    let text = zeroize::Zeroizing::new(read_private(path)?);
    SignerKey::parse(text.trim()).with_context(|| format!("reading {}", path.display()))
}

fn paths(dir: &DataDir) -> anyhow::Result<Vec<PathBuf>> {
    files(dir, "key")
}

/// The files of keys with an ending, oldest first.
fn files(dir: &DataDir, ending: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = dir.log_keys();
    let shown = || format!("looking into {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("log-") && path.extension().is_some_and(|end| end == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
