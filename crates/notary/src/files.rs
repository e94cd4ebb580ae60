//! How a file is written so that it is there whole or not at all, whatever happens meanwhile.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::error::NotaryError;

type Result<T> = std::result::Result<T, NotaryError>;

/// The ending of a file that is being written; one that is found later was left by a crash and means nothing.
pub(crate) const UNFINISHED: &str = "tmp";

/// The most bytes a small file of ours may have: 1 MiB, as a signed note.
pub(crate) const SMALL_BYTES_MAX: u64 = 1 << 20;

/// Makes a directory and those above it, for the owner alone.
pub(crate) fn private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(NotaryError::at(path))
}

/// Writes a file in the place of what was there: a reader, or a crash, finds the old or the new, never a part.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = write_beside(path, bytes)?;
    settle(&beside, path)?;
    sync_parent(path)
}

/// Writes the unfinished file beside `path`; it is not on disk yet.
pub(crate) fn write_beside(path: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let beside = unfinished(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&beside).map_err(NotaryError::at(&beside))?;
    if let Err(error) = step() {
        // What a crash leaves: a part.
        let part = bytes.get(..bytes.len() / 2).unwrap_or_default();
        return file.write_all(part).and(Err(error)).map_err(NotaryError::at(&beside));
    }
    file.write_all(bytes).map_err(NotaryError::at(&beside))?;
    Ok(beside)
}

/// Brings an unfinished file to disk and gives it its name; the directory is the caller's to bring to disk.
pub(crate) fn settle(beside: &Path, path: &Path) -> Result<()> {
    File::open(beside).and_then(|file| file.sync_all()).map_err(NotaryError::at(beside))?;
    step().map_err(NotaryError::at(path))?;
    fs::rename(beside, path).map_err(NotaryError::at(path))
}

/// Brings the names in a directory to disk.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    step().and_then(|()| File::open(dir)?.sync_all()).map_err(NotaryError::at(dir))
}

/// The directory a file stands in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The bytes of a file of at most `limit` bytes; nothing where there is no such file.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(NotaryError::at(path)(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(NotaryError::at(path))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(NotaryError::Damaged(format!("{} is too large", path.display())));
    }
    Ok(Some(bytes))
}

/// The text of a small file; nothing where there is no such file.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>> {
    let not_text = |_| NotaryError::Damaged(format!("{} is not text", path.display()));
    read(path, SMALL_BYTES_MAX)?.map(|bytes| String::from_utf8(bytes).map_err(not_text)).transpose()
}

/// Whether a name is that of an unfinished file.
pub(crate) fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == UNFINISHED)
}

fn sync_parent(path: &Path) -> Result<()> {
    sync_dir(parent(path))
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".");
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// A step on the way to disk: whatever stops here, stops as a crash does. Only tests stop here.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
const fn step() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
use crash::step;

/// Crashes at a chosen step, for the thread that chose.
#[cfg(test)]
pub(crate) mod crash {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
    }

    /// After so many more steps nothing reaches the disk any more; `None` lets everything through.
    pub(crate) fn after(steps: Option<u32>) {
        LEFT.set(steps);
    }

    pub(super) fn step() -> io::Result<()> {
        match LEFT.get() {
            Some(0) => Err(io::Error::other("crashed")),
            Some(left) => {
                LEFT.set(Some(left - 1));
                Ok(())
            }
            None => Ok(()),
        }
    }
}
