//! A copy of a journal or a vault while a server writes to it: one moment, in one private file.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::connection;
use crate::error::OpenError;
use crate::summary::summary;

/// How many pages are copied between two tellings of progress: 2 MiB.
const STEP_PAGES: i32 = 256;
/// How often a step is tried again that found a file busy; each try waits as long as a statement does.
const BUSY_TRIES_MAX: u32 = 12;

/// Copies a journal as it is at the moment at which the copying begins; `progress` hears how many
/// pages of how many are done.
///
/// The journal may be in use, also by another process, which goes on writing meanwhile: its WAL
/// grows for as long as this takes. The copy is one file, readable by its owner alone, and on the
/// disk when this returns. It appears whole or not at all; a process that is killed meanwhile
/// leaves a hidden file beside it whose name ends in `.partial`.
///
/// # Errors
///
/// `Exists` where the target is there already, `Inconsistent` where the source is no whole journal.
pub fn backup_journal(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    let is_journal = |source: &Connection| summary(source).map(|_| ());
    backup(from, to, is_journal, progress)
}

/// Copies a vault in the same way as [`backup_journal`]. No key is needed: what it holds stays
/// wrapped by the master key, which is not in it.
///
/// Destroying a key meanwhile asks to be done again, since the copying still reads what was there.
/// **The copy keeps the keys that are destroyed after it**, until it is destroyed itself.
///
/// # Errors
///
/// `Exists` where the target is there already, `Inconsistent` where the source is no vault.
pub fn backup_vault(
    from: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    let is_vault = |source: &Connection| {
        let word = "SELECT 1 FROM meta WHERE name = 'check'";
        let found = source.query_row(word, [], |_| Ok(())).optional()?;
        found.ok_or_else(|| OpenError::Inconsistent("the vault's check word is gone".to_owned()))
    };
    backup(from, to, is_vault, progress)
}

fn backup(
    from: &Path,
    to: &Path,
    is_right: impl FnOnce(&Connection) -> Result<(), OpenError>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    refuse_existing(to)?;
    let source = connection::for_reading(from)?;
    // Held to the end: the copy is of this moment, and a commit does not begin it anew.
    source.execute_batch("BEGIN")?;
    is_right(&source)?;
    let partial = Partial::make(to)?;
    copy(&source, &partial.path, progress)?;
    File::options().write(true).open(&partial.path)?.sync_all()?;
    refuse_existing(to)?;
    partial.become_whole(to)
}

fn refuse_existing(path: &Path) -> Result<(), OpenError> {
    // Also a link that leads nowhere is somebody's.
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(OpenError::Exists { path: path.to_owned() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn copy(
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // Nobody reads it before it is whole, so nothing has to be taken back.
    target.pragma_update(None, "journal_mode", "off")?;
    let backup = Backup::new(source, &mut target)?;
    let mut busy = 0;
    loop {
        let step = backup.step(STEP_PAGES)?;
        let done = backup.progress();
        let pages = |number: i32| u64::try_from(number).unwrap_or_default();
        progress(pages(done.pagecount - done.remaining), pages(done.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => busy = 0,
            _ if busy < BUSY_TRIES_MAX => busy += 1,
            _ => return Err(OpenError::InUse { path: to.to_owned() }),
        }
    }
}

/// A copy that is not whole yet: gone with the handle.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn make(target: &Path) -> Result<Self, OpenError> {
        let name = target.file_name().ok_or_else(|| {
            let what = format!("{} does not name a file", target.display());
            std::io::Error::new(std::io::ErrorKind::InvalidInput, what)
        })?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{:016x}.partial", rand::random::<u64>()));
        let path = target.with_file_name(hidden);
        drop(connection::private(&path)?);
        Ok(Self { path })
    }

    /// Gives it its name, durably.
    fn become_whole(self, target: &Path) -> Result<(), OpenError> {
        std::fs::rename(&self.path, target)?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After it became whole there is nothing left by this name.
        if let Err(error) = std::fs::remove_file(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "an unfinished copy is left behind");
        }
    }
}
