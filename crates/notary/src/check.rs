//! Is all of it still right? Every stored tile and checkpoint against the journal, bit by bit, and nothing else there.

mod names;
mod notes;

use std::collections::BTreeMap;
use std::path::Path;

use assay_ledger::{Hash, VerifierKey, WitnessVerifier};
use assay_store::journal::Journal;

use crate::checkpoints::Checkpoints;
use crate::edge::{Edge, FullTile, full_tiles};
use crate::error::NotaryError;
use crate::files;
use crate::shelf::{Shelf, TILE_BYTES};

/// How many leaves are read at once; progress is told as often.
const LEAVES_PAGE: usize = 4_096;

/// Whose signatures are known.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The log's name.
    pub origin: &'a str,
    /// The log's keys, those that sign and those that did.
    pub keys: &'a [VerifierKey],
    /// The witnesses.
    pub witnesses: &'a [WitnessVerifier],
}

/// What a sound ledger looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// How many entries the journal has.
    pub entries: u64,
    /// The root over all of them, computed anew from the leaves.
    pub root: Hash,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many entries the newest checkpoint is over; 0 where there is none.
    pub newest: u64,
    /// How many full tiles were compared.
    pub tiles: u64,
    /// How many full tiles have no file; they are made anew when asked for.
    pub tiles_missing: u64,
    /// How many cosignatures by known witnesses there are.
    pub cosignatures: u64,
    /// How many signatures by unknown keys there are.
    pub unknown_signatures: u64,
    /// How many timestamps there are; that their signatures hold was checked, not who vouches for them.
    pub timestamps: u64,
    /// How many files a crash left unfinished; they mean nothing.
    pub leftovers: u64,
}

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", position.map(|position| format!("entry {position}: ")).unwrap_or_default())]
pub struct Fault {
    /// What is wrong, for a reader.
    pub what: String,
    /// The entry it was found at, unless it concerns a file as a whole.
    pub position: Option<u64>,
}

impl Fault {
    pub(crate) fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), position: None }
    }

    fn at(position: u64, what: impl Into<String>) -> Self {
        Self { what: what.into(), position: Some(position) }
    }
}

impl From<NotaryError> for Fault {
    fn from(error: NotaryError) -> Self {
        Self::of(error.to_string())
    }
}

/// The roots that were signed, by size, and where the note stands that says so.
pub(crate) type Signed = BTreeMap<u64, Vec<(Hash, String)>>;

/// Checks a notary's directory against its journal; `progress` hears how many of how many entries are done.
///
/// Reads only. Asked are: names (nothing unknown in the directory), every checkpoint (its form, origin, size,
/// signature by a known key, cosignatures of known witnesses, and its root against the one computed from the
/// journal's leaves), the second place likewise, every timestamp, every tile, and the journal's own edge. Whether a
/// leaf fits its entry is the journal's own check.
pub fn check(
    dir: &Path,
    second_place: Option<&Path>,
    known: Known<'_>,
    journal: &dyn Journal,
    progress: impl FnMut(u64, u64),
) -> Result<LedgerReport, Fault> {
    let frontier = journal.frontier().map_err(|error| Fault::of(error.to_string()))?;
    let mut report = LedgerReport { entries: frontier.size(), ..LedgerReport::default() };
    names::check(dir, &mut report)?;
    let checkpoints = Checkpoints::at(dir.join("checkpoints"));
    let mut signed = notes::check(&checkpoints, known, &mut report)?;
    notes::check_copy(&dir.join("latest"), known, &mut signed, &report)?;
    if let Some(path) = second_place {
        notes::check_copy(path, known, &mut signed, &report)?;
    }
    let newest = signed.last_key_value().map_or(0, |(size, _)| *size);
    let shelf = Shelf::at(dir.join("tiles"));
    names::check_tiles(shelf.root(), &mut report)?;
    let mut walk = Walk { edge: Edge::default(), full: Vec::new(), shelf, newest, report };
    walk.journal(journal, &signed, progress)?;
    if walk.edge.root() != frontier.root() {
        let what = "the journal's own edge is not that of its leaves";
        return Err(Fault::at(frontier.size(), what));
    }
    Ok(LedgerReport { root: frontier.root(), ..walk.report })
}

/// The way along the journal's leaves.
struct Walk {
    edge: Edge,
    full: Vec<FullTile>,
    shelf: Shelf,
    newest: u64,
    report: LedgerReport,
}

impl Walk {
    fn journal(
        &mut self,
        journal: &dyn Journal,
        signed: &Signed,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(), Fault> {
        let total = self.report.entries;
        while self.edge.size() < total {
            let left = usize::try_from(total - self.edge.size()).unwrap_or(LEAVES_PAGE);
            let leaves = journal.leaves(self.edge.size(), left.min(LEAVES_PAGE));
            let leaves = leaves.map_err(|error| Fault::of(error.to_string()))?;
            if leaves.is_empty() {
                let what = format!("the journal ends here, and its edge is over {total} entries");
                return Err(Fault::at(self.edge.size(), what));
            }
            for leaf in leaves {
                self.edge.append(leaf, &mut self.full);
                self.compare_tiles()?;
                self.compare_root(signed)?;
            }
            progress(self.edge.size(), total);
        }
        Ok(())
    }

    fn compare_root(&self, signed: &Signed) -> Result<(), Fault> {
        let size = self.edge.size();
        let Some(notes) = signed.get(&size) else { return Ok(()) };
        let root = self.edge.root();
        match notes.iter().find(|(signed, _)| *signed != root) {
            None => Ok(()),
            Some((_, place)) => {
                let what = format!("the entries up to here have another root than {place} states");
                Err(Fault::at(size, what))
            }
        }
    }

    /// Compares the tiles that have just become full with their files.
    fn compare_tiles(&mut self) -> Result<(), Fault> {
        for tile in std::mem::take(&mut self.full) {
            let place = self.shelf.place(tile.path);
            let limit = u64::try_from(TILE_BYTES).unwrap_or(u64::MAX);
            let Some(stored) = files::read(&place, limit)? else {
                // Above the newest checkpoint no tile is needed yet.
                let needed = tile.path.index < full_tiles(tile.path.level, self.newest);
                self.report.tiles_missing += u64::from(needed);
                continue;
            };
            if let Some(differs) = first_difference(&tile.hashes, &stored) {
                let hash = (tile.path.index << 8) + u64::try_from(differs).unwrap_or(0);
                let first = (hash << (8 * u32::from(tile.path.level))) + 1;
                let what = format!("{} is not that of the journal's leaves", tile.path);
                return Err(Fault::at(first, what));
            }
            self.report.tiles += 1;
        }
        Ok(())
    }
}

/// The first hash that the stored bytes do not hold as it must be; bytes too many or too few count.
pub(crate) fn first_difference(hashes: &[Hash], stored: &[u8]) -> Option<usize> {
    if stored == hashes.as_flattened() {
        return None;
    }
    let pairs = hashes.iter().zip(stored.as_chunks::<32>().0);
    Some(pairs.take_while(|(ours, its)| ours == its).count())
}
