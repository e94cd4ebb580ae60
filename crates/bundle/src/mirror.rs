//! A mirror of a whole log in tiles: its root recomputed from every leaf, every tile of every level compared.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use assay_ledger::{
    EntriesPath, Frontier, Hash, SignedCheckpoint, TilePath, leaf_hash, parse_entries_tile,
    root_of, tiles_of,
};

use crate::error::BundleError;
use crate::limits::NOTE_BYTES_MAX;
use crate::report::{CheckName, Report};
use crate::text::count;
use crate::trust::Trust;

/// How many hashes a full tile holds.
const WIDTH: usize = 256;
/// The most bytes of a tile of hashes.
const TILE_BYTES_MAX: u64 = 256 * 32;
/// The most bytes of a tile of records: each with its length before it.
const RECORDS_BYTES_MAX: u64 = 256 * (2 + 65_535);

/// What nobody should conclude from a mirror that holds.
const DOES_NOT_PROVE: [&str; 4] = [
    "that the log has not grown since: this is its state at the checkpoint",
    "that others were shown the same log: for that, give the checkpoints they hold, or witnesses",
    "what the entries say: the leaves commit to it, a case bundle shows it",
    "that what was recorded is true, and who a user id is in the flesh",
];

/// Wherever the files of a mirror are kept. **Shape** (C2SP tlog-tiles): `checkpoint`, `tile/0/…`, `tile/entries/…`.
pub trait MirrorFiles {
    /// The bytes of a file, none where it is not there; more than `bytes_max` is an error of kind `FileTooLarge`.
    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>>;
}

/// A mirror in a directory.
#[derive(Clone, Debug)]
pub struct Directory(pub PathBuf);

impl MirrorFiles for Directory {
    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.0.join(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // A full tile where a directory of partial ones was looked for, or the other way round.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        if count(bytes.len()) > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(Some(bytes))
    }
}

/// Verifies a mirror of a log's tiles; `progress` is told how many leaves are done, of how many.
///
/// Where the mirror holds `tile/entries/0…`, it must hold all records, and each must be what its leaf commits to.
///
/// # Errors
///
/// Where files cannot be read or there is no checkpoint, or the question has no keys. What does not hold stands
/// in the report.
pub fn verify_tiles<F: MirrorFiles + ?Sized>(
    files: &F,
    trust: &Trust,
    mut progress: impl FnMut(u64, u64),
) -> Result<Report, BundleError> {
    trust.check()?;
    let mut report = Report::new("A mirror of a log", &CheckName::MIRROR, &DOES_NOT_PROVE);
    let bytes = files.read("checkpoint", NOTE_BYTES_MAX)?;
    let bytes = bytes.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let note = match SignedCheckpoint::parse(&text) {
        Ok(note) => note,
        Err(error) => {
            report.fail(CheckName::Signature, error.to_string(), None);
            return Ok(report);
        }
    };
    let checkpoint = note.checkpoint();
    report.what = format!("A mirror of the log {} at size {}", checkpoint.origin, checkpoint.size);
    trust.vouch(&note, &mut report);
    let mut walk = Walk::new(files, checkpoint.size, trust);
    walk.run(&mut progress)?;
    walk.tell(&note, trust, &mut report);
    Ok(report)
}

/// Something that does not hold, and the first position it is about.
type Bad = (String, Option<u64>);

/// The walk over all leaves.
struct Walk<'a, F: ?Sized> {
    files: &'a F,
    size: u64,
    frontier: Frontier,
    /// The hashes of the unfinished tile of each level, leaves first.
    rows: Vec<Vec<Hash>>,
    /// The sizes whose roots are wanted, ascending, and those roots.
    wanted: Vec<u64>,
    roots: Vec<(u64, Hash)>,
    tiles: Option<Bad>,
    records: Option<Bad>,
    with_records: bool,
}

impl<'a, F: MirrorFiles + ?Sized> Walk<'a, F> {
    fn new(files: &'a F, size: u64, trust: &Trust) -> Self {
        let mut wanted: Vec<u64> = trust
            .older
            .iter()
            .map(|older| older.checkpoint().size)
            .filter(|old| *old <= size)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self {
            files,
            size,
            frontier: Frontier::new(),
            rows: Vec::new(),
            wanted,
            roots: Vec::new(),
            tiles: None,
            records: None,
            with_records: true,
        }
    }

    fn run(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), BundleError> {
        self.note_root();
        for path in tiles_of(self.size).take_while(|path| path.level == 0) {
            let Some(hashes) = self.hashes(path)? else {
                self.bad_tile(path, "is missing or has another size");
                return Ok(());
            };
            self.compare_records(path, &hashes)?;
            for hash in hashes {
                self.frontier.append(hash);
                self.note_root();
                self.push(0, hash)?;
            }
            progress(self.frontier.size(), self.size);
        }
        self.compare_edge()
    }

    /// Keeps the root of the tree as it is now, where an older checkpoint asks for it.
    fn note_root(&mut self) {
        let size = self.frontier.size();
        if self.wanted.binary_search(&size).is_ok() {
            self.roots.push((size, self.frontier.root()));
        }
    }

    /// Puts a hash into its row; a row of 256 becomes a hash of the row above, whose tile is then compared.
    fn push(&mut self, level: usize, hash: Hash) -> Result<(), BundleError> {
        if self.rows.len() == level {
            self.rows.push(Vec::new());
        }
        let Some(row) = self.rows.get_mut(level) else { return Ok(()) };
        row.push(hash);
        if row.len() < WIDTH {
            return Ok(());
        }
        let full = std::mem::take(row);
        // A full tile of level n spans 256^(n+1) leaves.
        let span = 1_u64.checked_shl(8 * (u32::try_from(level).unwrap_or(8) + 1)).unwrap_or(0);
        let index = self.frontier.size().checked_div(span).unwrap_or(0).saturating_sub(1);
        self.compare(level, index, &full)?;
        self.push(level + 1, root_of(full))
    }

    /// The unfinished tiles above the leaves.
    fn compare_edge(&mut self) -> Result<(), BundleError> {
        for (level, row) in std::mem::take(&mut self.rows).into_iter().enumerate() {
            if !row.is_empty() {
                let hashes = self.size >> (8 * level);
                self.compare(level, hashes / count(WIDTH), &row)?;
            }
        }
        Ok(())
    }

    /// The tile must hold these hashes; those of level 0 are where they come from.
    fn compare(&mut self, level: usize, index: u64, hashes: &[Hash]) -> Result<(), BundleError> {
        let (Ok(level), Ok(width)) = (u8::try_from(level), u16::try_from(hashes.len())) else {
            return Ok(());
        };
        let path = TilePath { level, index, width };
        if level == 0 || self.tiles.is_some() {
            return Ok(());
        }
        match self.hashes(path)? {
            None => self.bad_tile(path, "is missing or has another size"),
            Some(found) => {
                if let Some(place) = found.iter().zip(hashes).position(|(one, other)| one != other)
                {
                    let below = (index * count(WIDTH) + count(place)) << (8 * u32::from(level));
                    let words = format!("{path} differs from the leaves below it");
                    self.tiles = Some((words, Some(below + 1)));
                }
            }
        }
        Ok(())
    }

    fn bad_tile(&mut self, path: TilePath, what: &str) {
        let first = (path.index * count(WIDTH)) << (8 * u32::from(path.level));
        self.tiles.get_or_insert((format!("{path} {what}"), Some(first + 1)));
    }

    /// The hashes of a tile; a partial one may have been replaced by the full one that it grew into.
    fn hashes(&self, path: TilePath) -> Result<Option<Vec<Hash>>, BundleError> {
        let width = usize::from(path.width);
        for path in [path, TilePath { width: 256, ..path }] {
            if let Some(bytes) = self.file(&path.to_string(), TILE_BYTES_MAX)? {
                let (hashes, rest) = bytes.as_chunks::<32>();
                let fits = rest.is_empty() && hashes.len() == usize::from(path.width);
                return Ok(hashes.get(..width).filter(|_| fits).map(<[Hash]>::to_vec));
            }
        }
        Ok(None)
    }

    /// A file; one over its limit is as good as none.
    fn file(&self, path: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, BundleError> {
        match self.files.read(path, bytes_max) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(Some(Vec::new())),
            other => Ok(other?),
        }
    }

    /// The records of the leaves of a tile, where the mirror has any.
    fn compare_records(&mut self, path: TilePath, hashes: &[Hash]) -> Result<(), BundleError> {
        if !self.with_records || self.records.is_some() {
            return Ok(());
        }
        let first = path.index * count(WIDTH) + 1;
        let partial = EntriesPath { index: path.index, width: path.width };
        let full = EntriesPath { index: path.index, width: 256 };
        let mut bytes = self.file(&partial.to_string(), RECORDS_BYTES_MAX)?;
        let mut wanted = partial;
        if bytes.is_none() && partial != full {
            bytes = self.file(&full.to_string(), RECORDS_BYTES_MAX)?;
            wanted = full;
        }
        let Some(bytes) = bytes else {
            self.with_records = path.index > 0;
            if self.with_records {
                self.records = Some((format!("{partial} is missing"), Some(first)));
            }
            return Ok(());
        };
        let records = parse_entries_tile(&bytes).unwrap_or_default();
        if records.len() != usize::from(wanted.width) {
            self.records = Some((format!("{wanted} is malformed"), Some(first)));
            return Ok(());
        }
        let wrong =
            records.iter().zip(hashes).position(|(record, hash)| leaf_hash(record) != *hash);
        if let Some(place) = wrong {
            let words = "the record is not what its leaf commits to".to_owned();
            self.records = Some((words, Some(first + count(place))));
        }
        Ok(())
    }

    fn tell(self, note: &SignedCheckpoint, trust: &Trust, report: &mut Report) {
        let checkpoint = note.checkpoint();
        let complete = self.frontier.size() == self.size;
        if let Some((words, position)) = self.tiles {
            report.fail(CheckName::Tiles, words, position);
        } else if self.frontier.root() == checkpoint.root {
            let words = format!("{} leaves lead to the signed root, through every tile", self.size);
            report.hold(CheckName::Tiles, words);
        } else {
            report.fail(
                CheckName::Tiles,
                "the leaves lead to another root than the signed one",
                None,
            );
        }
        if let Some((words, position)) = self.records {
            report.fail(CheckName::Records, words, position);
        } else if self.with_records && complete && self.size > 0 {
            report.hold(CheckName::Records, "every record is what its leaf commits to");
        } else if self.with_records && self.size > 0 {
            report.skip(CheckName::Records, "not looked at to the end, because tiles are missing");
        } else {
            report.skip(CheckName::Records, "the mirror holds no records");
        }
        let roots = self.roots;
        trust.continues(note, report, |old_size, old_root| {
            let found = roots.iter().find(|(size, _)| *size == old_size).map(|(_, root)| root);
            match found {
                Some(root) if root == old_root => Ok(()),
                Some(_) => {
                    Err(format!("the first {old_size} leaves are not those of your checkpoint"))
                }
                None => Err(format!("the mirror does not reach your checkpoint of {old_size}")),
            }
        });
    }
}
