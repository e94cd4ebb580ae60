//! The notary itself: what it holds, what it has published last, and whether it still trusts its journal.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use assay_ledger::{Checkpoint, SignerKey, VerifierKey, WitnessVerifier};
use assay_store::journal::Journal;
use tokio::sync::watch;

use crate::anchor::{Anchor, AnchorStatus};
use crate::check::{Fault, Known, LedgerReport, check};
use crate::checkpoints::Checkpoints;
use crate::config::{AnchorKind, Config};
use crate::edge::Edge;
use crate::error::NotaryError;
use crate::second::SecondPlace;
use crate::shelf::Shelf;

/// The time in microseconds since 1970 (UTC).
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A checkpoint that was signed, with what others have added to it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What is signed: origin, size and root.
    pub checkpoint: Checkpoint,
    /// The signed note, with the cosignatures received so far.
    pub note: String,
    /// When it was signed, in microseconds since 1970.
    pub signed_at: i64,
    /// Replies of time-stamping authorities (RFC 3161) over the SHA-256 of the checkpoint's text, which is the note
    /// up to its empty line, that line not included.
    pub timestamps: Vec<Vec<u8>>,
}

/// Whether the notary signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotaryState {
    /// The journal agrees with itself and with all that was signed.
    Sound,
    /// It does not, and no checkpoint is signed until somebody has looked.
    Refusing {
        /// What was found, for the operator.
        why: String,
    },
}

/// Signs checkpoints of one journal, keeps its tiles and shows both to others. Methods block; `run` does not.
pub struct Notary {
    pub(crate) config: Config,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) signers: Vec<SignerKey>,
    pub(crate) clock: Clock,
    pub(crate) shelf: Shelf,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) second: SecondPlace,
    pub(crate) anchors: Vec<Anchor>,
    /// The tree as last signed. What is published follows it, and may be one checkpoint behind.
    pub(crate) edge: RwLock<Arc<Edge>>,
    /// The newest checkpoint that is on disk and in the second place; wakes whoever passes it on.
    pub(crate) latest: watch::Sender<Option<Arc<Published>>>,
    /// The sizes of all checkpoints on disk, ascending: 8 bytes each, 4 MB for a year of one a minute.
    pub(crate) sizes: RwLock<Vec<u64>>,
    pub(crate) state: RwLock<NotaryState>,
    /// Held by whoever signs: one at a time.
    pub(crate) signing: Mutex<()>,
    /// Held by whoever writes notes and `latest`.
    pub(crate) writing: Mutex<()>,
    /// Held by whoever makes lost tiles anew.
    pub(crate) mending: Mutex<()>,
}

impl Notary {
    /// The log's name among all logs.
    pub fn origin(&self) -> &str {
        &self.config.origin
    }

    /// The keys that sign, for whoever checks.
    pub fn verifiers(&self) -> Vec<VerifierKey> {
        self.signers.iter().map(|signer| signer.verifier().clone()).collect()
    }

    /// The keys that signed earlier checkpoints and sign no more.
    pub fn retired(&self) -> &[VerifierKey] {
        &self.config.retired
    }

    /// The keys of the witnesses asked to cosign.
    pub fn witnesses(&self) -> Vec<WitnessVerifier> {
        let kinds = self.config.anchors.iter().map(|anchor| &anchor.kind);
        let vkey = |kind: &AnchorKind| match kind {
            AnchorKind::Witness { vkey, .. } => Some(vkey.clone()),
            _ => None,
        };
        kinds.filter_map(vkey).collect()
    }

    /// How often a checkpoint is signed at most.
    pub const fn interval(&self) -> Duration {
        self.config.interval
    }

    /// The newest checkpoint; nothing before the first.
    pub fn latest(&self) -> Option<Arc<Published>> {
        self.latest.borrow().clone()
    }

    /// Tells of every new checkpoint, and of every signature added to the newest.
    pub fn watch(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.latest.subscribe()
    }

    /// Whether it signs, and if not, why.
    pub fn state(&self) -> NotaryState {
        read(&self.state).clone()
    }

    /// How it stands with each anchor, in the order they were given.
    pub fn anchors(&self) -> Vec<AnchorStatus> {
        let now = self.now();
        self.anchors.iter().map(|anchor| self.status(anchor, now)).collect()
    }

    /// Compares every stored tile and checkpoint with the journal; `progress` hears how many of how many entries
    /// are done.
    ///
    /// Do not run it while something is being signed: a checkpoint that arrives meanwhile looks foreign.
    pub fn check(&self, progress: impl FnMut(u64, u64)) -> Result<LedgerReport, Fault> {
        let _turn = lock(&self.signing);
        let _writing = lock(&self.writing);
        let mut keys = self.verifiers();
        keys.extend_from_slice(&self.config.retired);
        let known =
            Known { origin: &self.config.origin, keys: &keys, witnesses: &self.witnesses() };
        let second = self.config.second_place.as_deref();
        check(&self.config.dir, second, known, &*self.journal, progress)
    }

    /// The directory of its files.
    pub fn dir(&self) -> &Path {
        &self.config.dir
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Stops signing for good, and says so: the first reason stays.
    pub(crate) fn refuse(&self, why: String) -> NotaryError {
        let mut state = write(&self.state);
        if *state == NotaryState::Sound {
            tracing::error!(%why, "no checkpoint will be signed");
            *state = NotaryState::Refusing { why: why.clone() };
        }
        NotaryError::Refusing(why)
    }

    pub(crate) fn must_be_sound(&self) -> Result<(), NotaryError> {
        match self.state() {
            NotaryState::Sound => Ok(()),
            NotaryState::Refusing { why } => Err(NotaryError::Refusing(why)),
        }
    }
}

impl fmt::Debug for Notary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.latest().map_or(0, |latest| latest.checkpoint.size);
        write!(f, "notary of {} at {size}", self.config.origin)
    }
}

// A panic of another thread leaves nothing half done behind these locks: each value is put there whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
