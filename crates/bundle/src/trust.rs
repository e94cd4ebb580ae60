//! Whom the reader trusts, and what those say of the checkpoint: the keys are the caller's, never the file's.

use std::collections::BTreeSet;

use assay_ledger::{
    CosignatureError, Hash, ProofError, SignedCheckpoint, VerifierKey, WitnessVerifier,
};
use sha2::{Digest as _, Sha256};

use crate::error::BundleError;
use crate::report::{CheckName, Report};

/// Whom the reader trusts. With `log_keys` empty nothing can be verified, and the verifier says so.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys of the log, each named by the log's origin: one of them must have signed.
    pub log_keys: Vec<VerifierKey>,
    /// The witnesses whose cosignatures count.
    pub witnesses: Vec<WitnessVerifier>,
    /// How many of them, by different keys, must have cosigned; 0 for none.
    pub witnesses_needed: usize,
    /// The roots that vouch for timestamps.
    pub timestamp_roots: assay_timestamp::Trust,
    /// Checkpoints of the log that the reader already holds: their signatures are checked as well, and the log
    /// must be shown to continue each of them.
    pub older: Vec<SignedCheckpoint>,
}

impl Trust {
    /// Refuses questions that no file could answer.
    pub fn check(&self) -> Result<(), BundleError> {
        if self.log_keys.is_empty() {
            return Err(BundleError::NoKey);
        }
        let keys = self.witnesses.iter().map(WitnessVerifier::public_key);
        let (needed, named) = (self.witnesses_needed, keys.collect::<BTreeSet<_>>().len());
        if needed > named {
            return Err(BundleError::TooFewWitnesses { needed, named });
        }
        Ok(())
    }

    /// The caller's keys for this log, or all of them if none is named so.
    fn keys_for(&self, origin: &str) -> Vec<VerifierKey> {
        let named: Vec<_> =
            self.log_keys.iter().filter(|key| key.name() == origin).cloned().collect();
        if named.is_empty() { self.log_keys.clone() } else { named }
    }

    /// Signature, origin and witnesses.
    pub fn vouch(&self, note: &SignedCheckpoint, report: &mut Report) {
        let origin = &note.checkpoint().origin;
        match note.verify(&self.keys_for(origin)) {
            Ok(_) => report.hold(
                CheckName::Signature,
                "the checkpoint is signed by a key you gave (none was taken from the file)",
            ),
            Err(error) => report.fail(CheckName::Signature, error.to_string(), None),
        }
        if self.log_keys.iter().any(|key| key.name() == origin) {
            report.hold(CheckName::Origin, format!("it is of the log {origin}, as your key is"));
        } else {
            let words = format!("it is of the log {origin}, and no key you gave is of that name");
            report.fail(CheckName::Origin, words, None);
        }
        self.witnessed(note, report);
    }

    fn witnessed(&self, note: &SignedCheckpoint, report: &mut Report) {
        let (mut seen, mut names) = (BTreeSet::new(), Vec::new());
        for witness in &self.witnesses {
            match witness.verify(note) {
                Ok(_) if seen.insert(witness.public_key()) => names.push(witness.name().to_owned()),
                Ok(_) | Err(CosignatureError::Unsigned { .. }) => {}
                Err(wrong) => report.fail(CheckName::Witnesses, wrong.to_string(), None),
            }
        }
        let needed = self.witnesses_needed;
        if names.len() < needed {
            let found = names.len();
            let words = format!("{found} of your witnesses have cosigned, {needed} are needed");
            report.fail(CheckName::Witnesses, words, None);
        } else if names.is_empty() {
            report
                .skip(CheckName::Witnesses, "no witness you named has cosigned, and none need to");
        } else {
            report.hold(CheckName::Witnesses, format!("cosigned by {}", names.join(", ")));
        }
    }

    /// That the log continues each older checkpoint; `shown` says so of a size and a root, or why not.
    pub fn continues(
        &self,
        note: &SignedCheckpoint,
        report: &mut Report,
        mut shown: impl FnMut(u64, &Hash) -> Result<(), String>,
    ) {
        let (origin, size) = (&note.checkpoint().origin, note.checkpoint().size);
        let mut sizes = Vec::new();
        for older in &self.older {
            let old = older.checkpoint();
            let judged = older
                .verify_for(origin, &self.keys_for(origin))
                .map_err(|error| format!("your older checkpoint of {}: {error}", old.size))
                .and_then(|_| {
                    if old.size > size {
                        Err(format!("you hold a checkpoint of {}, this one has {size}", old.size))
                    } else {
                        shown(old.size, &old.root)
                    }
                });
            match judged {
                Ok(()) => sizes.push(old.size.to_string()),
                Err(words) => report.fail(CheckName::Older, words, None),
            }
        }
        if self.older.is_empty() {
            report.skip(CheckName::Older, "you gave no older checkpoint to compare with");
        } else {
            let words = format!("the log continues your checkpoint of {}", sizes.join(", "));
            report.hold(CheckName::Older, words);
        }
    }
}

/// What a timestamp is over: the SHA-256 of the checkpoint's lines, the last newline included, without signatures.
pub(crate) fn timestamped(note: &SignedCheckpoint) -> Hash {
    Sha256::digest(note.note().text().as_bytes()).into()
}

/// A failing proof in words.
pub(crate) fn proof_words(error: ProofError) -> String {
    error.to_string()
}
