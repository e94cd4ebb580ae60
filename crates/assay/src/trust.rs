//! Whom the verifier trusts: keys and checkpoints that its user gives, never those that a file brings along.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use assay_bundle::Trust;
use assay_ledger::{SignedCheckpoint, VerifierKey, WitnessVerifier};

use crate::cli::Trusted;
use crate::exit::usage;

/// The most bytes of a file with keys or with a checkpoint.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads what was given; at least one key of the log must be among it.
pub(crate) fn trust(given: &Trusted) -> anyhow::Result<Trust> {
    let log_keys: Vec<VerifierKey> = each(&given.keys, |text| {
        VerifierKey::parse(text).map_err(|error| format!("{text:?} is no key of a log: {error}"))
    })?;
    if log_keys.is_empty() {
        return Err(usage(
            "give the log's public key with --key: it comes from whoever keeps the log, by another \
             way than the file (they print it with `assay ledger key`)",
        ));
    }
    let witnesses: Vec<WitnessVerifier> = each(&given.witnesses, |text| {
        WitnessVerifier::parse(text).map_err(|error| format!("{text:?} is no witness: {error}"))
    })?;
    let witnesses_needed = given.witnesses_needed.unwrap_or(witnesses.len());
    if witnesses_needed > witnesses.len() {
        return Err(usage(format!(
            "{witnesses_needed} witnesses are needed and {} are given",
            witnesses.len()
        )));
    }
    let older = given.checkpoints.iter().map(|path| checkpoint(path, &log_keys));
    let older = older.collect::<anyhow::Result<_>>()?;
    let timestamp_roots = match &given.timestamp_roots {
        None => assay_timestamp::Trust::default(),
        Some(path) => assay_timestamp::Trust::from_pem(&read(path)?)
            .map_err(|error| usage(format!("{}: {error}", path.display())))?,
    };
    Ok(Trust { log_keys, witnesses, witnesses_needed, timestamp_roots, older })
}

/// An older checkpoint, signed by a key that is trusted.
fn checkpoint(path: &Path, keys: &[VerifierKey]) -> anyhow::Result<SignedCheckpoint> {
    let refused = |words: String| usage(format!("{}: {words}", path.display()));
    let parsed =
        SignedCheckpoint::parse(&read(path)?).map_err(|error| refused(error.to_string()))?;
    parsed.verify(keys).map_err(|error| refused(error.to_string()))?;
    Ok(parsed)
}

/// Every key given, as words or in a file with one a line.
fn each<T>(given: &[String], parse: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<Vec<T>> {
    let mut found = Vec::new();
    for word in given {
        if word.contains('+') && !Path::new(word).exists() {
            found.push(parse(word.trim()).map_err(usage)?);
            continue;
        }
        let text = read(Path::new(word))?;
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            found.push(parse(line).map_err(usage)?);
        }
    }
    Ok(found)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let shown = || format!("reading {}", path.display());
    let size =
        fs::metadata(path).with_context(shown).map_err(|error| usage(format!("{error:#}")))?;
    if size.len() > FILE_BYTES_MAX {
        return Err(usage(format!("{} is too big for what it should be", path.display())));
    }
    fs::read_to_string(path).with_context(shown).map_err(|error| usage(format!("{error:#}")))
}
