//! What the tests share: a journal of bare leaves that can be made to lie, and a notary over it.

mod anchors;
mod checking;
mod crashes;
mod growth;
mod journal;
mod opening;
mod outside;
mod running;
mod signing;
mod vouching;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use assay_ledger::{Frontier, Hash, SignedCheckpoint, SignerKey, leaf_hash, root_of};
use assay_store::journal::{Entry, Journal};
use assay_store::log::LogError;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{AnchorConfig, AnchorKind, Config, Notary, NotaryError};

/// The clock's first reading: 2025-06-15T09:06:40Z.
pub(crate) const MORNING: i64 = 1_749_978_400_000_000;

pub(crate) const ORIGIN: &str = "log.example/house";

/// A journal of leaves without entries.
#[derive(Debug)]
pub(crate) struct Leaves {
    kept: RwLock<Kept>,
    watch: watch::Sender<u64>,
    /// How many leaves were read.
    pub(crate) read: AtomicU64,
}

#[derive(Debug, Default)]
struct Kept {
    leaves: Vec<Hash>,
    frontier: Frontier,
    head: Option<u64>,
}

impl Leaves {
    pub(crate) fn empty() -> Arc<Self> {
        let watch = watch::Sender::new(0);
        Arc::new(Self { kept: RwLock::default(), watch, read: AtomicU64::new(0) })
    }

    /// A journal of `count` leaves; those after `fork` differ from those of other kinds.
    pub(crate) fn of(count: u64, fork: u64, kind: u8) -> Arc<Self> {
        let journal = Self::empty();
        for number in 0..count {
            journal.push(leaf(number, if number < fork { 0 } else { kind }));
        }
        journal
    }

    pub(crate) fn grow(&self, count: u64) {
        let start = self.size();
        (start..start + count).for_each(|number| self.push(leaf(number, 0)));
    }

    fn push(&self, leaf: Hash) {
        let mut kept = self.kept.write().unwrap();
        kept.leaves.push(leaf);
        kept.frontier.append(leaf);
        self.watch.send_replace(kept.frontier.size());
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.kept.read().unwrap().leaves.len()).unwrap()
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        let kept = self.kept.read().unwrap();
        root_of(kept.leaves[..usize::try_from(size).unwrap()].iter().copied())
    }

    /// Flips a bit of a stored leaf; the edge stays.
    pub(crate) fn tamper(&self, index: usize) {
        self.kept.write().unwrap().leaves[index][7] ^= 0x10;
    }

    /// Loses leaves at the end; the edge stays.
    pub(crate) fn lose(&self, count: usize) {
        let mut kept = self.kept.write().unwrap();
        let left = kept.leaves.len() - count;
        kept.leaves.truncate(left);
    }

    /// Goes back to the first `size` entries, the edge too.
    pub(crate) fn roll_back(&self, size: u64) {
        let mut kept = self.kept.write().unwrap();
        kept.leaves.truncate(usize::try_from(size).unwrap());
        let mut frontier = Frontier::new();
        kept.leaves.iter().for_each(|leaf| frontier.append(*leaf));
        kept.frontier = frontier;
    }

    /// States a head of its own.
    pub(crate) fn say_head(&self, head: Option<u64>) {
        self.kept.write().unwrap().head = head;
    }
}

/// The leaf of an entry in one history or another.
pub(crate) fn leaf(number: u64, kind: u8) -> Hash {
    leaf_hash(&[number.to_be_bytes().as_slice(), &[kind]].concat())
}

impl Journal for Leaves {
    fn entries(&self, _: u64, _: usize) -> Result<Vec<Entry>, LogError> {
        Ok(Vec::new())
    }

    fn leaves(&self, after: u64, limit: usize) -> Result<Vec<Hash>, LogError> {
        let kept = self.kept.read().unwrap();
        // Fewer than asked for may come.
        let page = kept.leaves.iter().skip(usize::try_from(after).unwrap()).take(limit.min(1_000));
        let page: Vec<Hash> = page.copied().collect();
        self.read.fetch_add(u64::try_from(page.len()).unwrap(), Ordering::Relaxed);
        Ok(page)
    }

    fn head(&self) -> Result<u64, LogError> {
        let kept = self.kept.read().unwrap();
        Ok(kept.head.unwrap_or(u64::try_from(kept.leaves.len()).unwrap()))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.watch.subscribe()
    }

    fn locate(&self, _: Uuid) -> Result<Option<Entry>, LogError> {
        Ok(None)
    }

    fn position_at(&self, _: i64) -> Result<u64, LogError> {
        Ok(0)
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        Ok(self.kept.read().unwrap().frontier.clone())
    }
}

/// A directory, a second place, a key and a clock.
pub(crate) struct Office {
    pub(crate) place: TempDir,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) seeds: Vec<u8>,
    pub(crate) anchors: Vec<AnchorConfig>,
}

impl Office {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("elsewhere")).unwrap();
        let clock = Arc::new(AtomicI64::new(MORNING));
        Self { place, clock, seeds: vec![1], anchors: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, kind: AnchorKind) -> Self {
        let every = Duration::from_mins(10);
        self.anchors.push(AnchorConfig { name: name.to_owned(), every, kind });
        self
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.place.path().join("ledger")
    }

    pub(crate) fn second(&self) -> PathBuf {
        self.place.path().join("elsewhere").join("last.note")
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(self.dir(), ORIGIN);
        config.second_place = Some(self.second());
        config.anchors.clone_from(&self.anchors);
        config
    }

    pub(crate) fn open(&self, journal: &Arc<Leaves>) -> Result<Notary, NotaryError> {
        self.open_with(self.config(), Arc::<Leaves>::clone(journal))
    }

    pub(crate) fn open_with(
        &self,
        config: Config,
        journal: Arc<dyn Journal>,
    ) -> Result<Notary, NotaryError> {
        let signers = self.seeds.iter().map(|seed| key(*seed)).collect();
        let clock = Arc::clone(&self.clock);
        Notary::open(config, journal, signers, Arc::new(move || clock.load(Ordering::SeqCst)))
    }

    pub(crate) fn pass(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).unwrap();
        self.clock.fetch_add(micros, Ordering::SeqCst);
    }
}

pub(crate) fn key(seed: u8) -> SignerKey {
    SignerKey::new(ORIGIN, &[seed; 32]).unwrap()
}

/// Every signed note in a directory and in the second place.
pub(crate) fn notes(office: &Office) -> Vec<SignedCheckpoint> {
    let mut paths: Vec<PathBuf> = vec![office.second(), office.dir().join("latest")];
    if let Ok(entries) = std::fs::read_dir(office.dir().join("checkpoints")) {
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let notes = paths
        .iter()
        .filter(|path| path.exists() && path.extension().is_none_or(|ending| ending == "note"));
    notes.map(|path| SignedCheckpoint::parse(&text(path)).unwrap()).collect()
}

pub(crate) fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn flip(path: &Path, byte: usize, bit: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[byte] ^= 1 << bit;
    std::fs::write(path, bytes).unwrap();
}
