//! Files of a backup: found, copied for the owner alone, digested, and brought to disk.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use crate::data_dir::private_dir;

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// What SQLite and the journal's owner put beside a file while it is open.
pub(super) const BESIDE: [&str; 5] =
    ["journal.db-wal", "journal.db-shm", "journal.db.lock", "vault.db-wal", "vault.db-shm"];
/// The endings of files that are being written; found later, they mean nothing.
const UNFINISHED: [&str; 3] = ["tmp", "part", "partial"];

/// The directory in which something is made that is not whole yet.
pub(super) fn partial(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// All finished files below a folder, as paths from there, in order; nothing where there is no such folder.
pub(super) fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(dir) = left.pop() {
        let shown = || format!("looking into {}", dir.display());
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            other => other.with_context(shown)?,
        };
        for entry in entries {
            let entry = entry.with_context(shown)?;
            let (path, kind) = (entry.path(), entry.file_type().with_context(shown)?);
            if kind.is_dir() {
                left.push(path);
            } else if !kind.is_file() {
                bail!("{} is neither a file nor a folder", path.display());
            } else if !is_unfinished(&path) {
                found.push(path.strip_prefix(folder)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_unfinished(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| UNFINISHED.contains(&ending))
}

/// Copies a file, for the owner alone, down to the disk; what is there is never overwritten.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if let Some(folder) = to.parent() {
        private_dir(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut source = File::open(from).with_context(|| format!("reading {}", from.display()))?;
    let mut options = File::options();
    let shown = || format!("writing {}", to.display());
    let made = options.write(true).create_new(true).mode(0o600).open(to);
    let mut made = made.with_context(shown)?;
    std::io::copy(&mut source, &mut made).and_then(|_| made.sync_all()).with_context(shown)
}

/// Writes a new file for the owner alone, down to the disk.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = File::options();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .with_context(|| format!("writing {}", path.display()))
}

/// How long a file is, and its SHA-256 in hex; `read` hears how many bytes were read each time.
pub(super) fn digest(path: &Path, read: &mut dyn FnMut(u64)) -> anyhow::Result<(u64, String)> {
    let shown = || format!("reading {}", path.display());
    let mut file = File::open(path).with_context(shown)?;
    let (mut sha, mut bytes, mut chunk) = (Sha256::new(), 0_u64, vec![0; CHUNK_BYTES]);
    loop {
        let count = file.read(&mut chunk).with_context(shown)?;
        let Some(part) = chunk.get(..count).filter(|part| !part.is_empty()) else { break };
        sha.update(part);
        let count = u64::try_from(count)?;
        bytes = bytes.saturating_add(count);
        read(count);
    }
    Ok((bytes, hex::encode(sha.finalize())))
}

/// Removes what opening a journal and a vault left beside them; refuses where it holds anything.
pub(super) fn clear_beside(dir: &Path) -> anyhow::Result<()> {
    for name in BESIDE {
        let path = dir.join(name);
        match fs::metadata(&path) {
            Ok(found) if name.ends_with("-wal") && found.len() > 0 => {
                bail!("{} holds something still", path.display());
            }
            Ok(_) => fs::remove_file(&path).with_context(|| path.display().to_string())?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        }
    }
    Ok(())
}

/// Gives a directory its name once all of it is on disk.
pub(super) fn put_in_place(partial: &Path, whole: &Path) -> anyhow::Result<()> {
    let mut left = vec![partial.to_owned()];
    while let Some(dir) = left.pop() {
        let shown = || format!("bringing {} to disk", dir.display());
        for entry in fs::read_dir(&dir).with_context(shown)? {
            let entry = entry.with_context(shown)?;
            if entry.file_type().with_context(shown)?.is_dir() {
                left.push(entry.path());
            } else {
                File::open(entry.path()).and_then(|file| file.sync_all()).with_context(shown)?;
            }
        }
        sync(&dir).with_context(shown)?;
    }
    fs::rename(partial, whole).with_context(|| format!("giving {} its name", whole.display()))?;
    let parent = whole.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync(parent.unwrap_or(Path::new("."))).context("bringing the name to disk")
}

fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_copied_is_private_and_whole_and_unfinished_files_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        private_dir(&from.join("deep/er")).unwrap();
        for name in ["a", "deep/er/b", "deep/c.tmp", "x.part"] {
            fs::write(from.join(name), name).unwrap();
        }
        let found = below(&from).unwrap();
        assert_eq!(found, [PathBuf::from("a"), PathBuf::from("deep/er/b")]);
        private_dir(&partial(&to)).unwrap();
        for name in &found {
            copy(&from.join(name), &partial(&to).join(name)).unwrap();
        }
        put_in_place(&partial(&to), &to).unwrap();
        assert_eq!(below(&to).unwrap(), found);
        let mode = fs::metadata(to.join("a")).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert!(copy(&from.join("a"), &to.join("a")).is_err(), "nothing is overwritten");
        let (bytes, sha256) = digest(&to.join("a"), &mut |_| ()).unwrap();
        assert_eq!(bytes, 1);
        assert!(sha256.starts_with("ca978112ca1bbdcafac231b39a23dc4d"), "{sha256}");
    }
}
