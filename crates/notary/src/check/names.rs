//! What lies in the directory: nothing but what the notary puts there.

use std::fs::{self, DirEntry};
use std::path::Path;

use assay_ledger::TilePath;

use crate::check::{Fault, LedgerReport};
use crate::edge::{LEVELS, full_tiles};
use crate::files;

/// Looks at the names in the directory itself; those in `checkpoints` are looked at where the notes are read.
pub(super) fn check(dir: &Path, report: &mut LedgerReport) -> Result<(), Fault> {
    for entry in entries(dir)? {
        let path = entry.path();
        let folder = is_dir(&entry)?;
        match path.file_name().and_then(|name| name.to_str()) {
            Some("checkpoints" | "tiles") if folder => {}
            Some("latest" | "anchors.json") if is_file(&entry)? => {}
            Some(_) if files::is_unfinished(&path) && is_file(&entry)? => report.leftovers += 1,
            _ => return Err(unknown(&path)),
        }
    }
    crate::anchor::read_memory(dir)?;
    Ok(())
}

/// Looks at the names of tiles: full ones, of the journal's tree, each in its one right place.
pub(super) fn check_tiles(root: &Path, report: &mut LedgerReport) -> Result<(), Fault> {
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in entries(&dir)? {
            let path = entry.path();
            if is_dir(&entry)? {
                dirs.push(path);
            } else if is_file(&entry)? && files::is_unfinished(&path) {
                report.leftovers += 1;
            } else if !(is_file(&entry)? && is_tile(root, &path, report.entries)) {
                return Err(unknown(&path));
            }
        }
    }
    Ok(())
}

fn is_tile(root: &Path, path: &Path, entries: u64) -> bool {
    let name = path.strip_prefix(root).ok().and_then(Path::to_str);
    let tile: Option<TilePath> = name.and_then(|name| name.parse().ok());
    tile.is_some_and(|tile| {
        let full = tile.level < LEVELS && tile.index < full_tiles(tile.level, entries);
        tile.is_full() && full
    })
}

/// What a directory holds; one that is not there holds nothing.
pub(super) fn entries(dir: &Path) -> Result<Vec<DirEntry>, Fault> {
    let failed = |error| Fault::of(format!("{}: {error}", dir.display()));
    match fs::read_dir(dir) {
        Ok(entries) => entries.collect::<Result<_, _>>().map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

pub(super) fn is_file(entry: &DirEntry) -> Result<bool, Fault> {
    let kind = entry.file_type();
    kind.map(|kind| kind.is_file()).map_err(|error| Fault::of(error.to_string()))
}

fn is_dir(entry: &DirEntry) -> Result<bool, Fault> {
    let kind = entry.file_type();
    kind.map(|kind| kind.is_dir()).map_err(|error| Fault::of(error.to_string()))
}

pub(super) fn unknown(path: &Path) -> Fault {
    Fault::of(format!("{} is none of the notary's files", path.display()))
}
