//! The file of the views: disposable, one writer, made anew beside itself and put in its own place while it is read.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock, RwLockReadGuard, Weak};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::Reader;
use crate::error::Result;
use crate::rows::Schema;

/// Raised with every change of a table or of a fold: an older file is made anew.
pub const VERSION: i64 = 2;
/// How many prepared statements a connection keeps.
pub(super) const STATEMENTS_MAX: usize = 128;
/// How long somebody waits for a lock before giving up.
pub(super) const BUSY: Duration = Duration::from_secs(10);
/// What SQLite keeps beside a file under its name.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

/// The views of one node, on disk.
#[derive(Clone, Debug)]
pub struct Views {
    path: PathBuf,
    place: Arc<Place>,
}

/// What everybody in this process shares who has the same file open.
#[derive(Debug, Default)]
struct Place {
    /// Counts how often the file was replaced by another since it was opened first.
    generation: AtomicU64,
    /// Held by those who open the file, and alone by who replaces it.
    gate: RwLock<()>,
}

/// The files that are open in this process, however often each was opened.
static PLACES: LazyLock<Mutex<HashMap<PathBuf, Weak<Place>>>> = LazyLock::new(Mutex::default);

impl Place {
    fn of(path: &Path) -> Result<Arc<Self>> {
        // The file itself may not be there yet.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new(".")))?;
        let path = folder.join(path.file_name().unwrap_or_default());
        // A panic of another thread in between leaves a table that is still right.
        let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        places.retain(|_, known| known.strong_count() > 0);
        if let Some(known) = places.get(&path).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let new = Arc::new(Self::default());
        places.insert(path, Arc::downgrade(&new));
        Ok(new)
    }
}

impl Views {
    /// Opens the file, making it where there is none or where it is of another version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let views = Self { place: Place::of(&path)?, path };
        let (_open, path) = (views.gate(), &views.path);
        let mut conn = writer(path)?;
        let found: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if found == VERSION {
            // Nothing was written: what stands beside the file is left to those who do write.
            leave(&conn)?;
            drop(conn);
            return Ok(views.clone());
        }
        if found != 0 {
            drop(conn);
            remove(path)?;
            conn = writer(path)?;
        }
        let made = conn.transaction()?;
        made.execute_batch(&Schema::tables())?;
        made.execute_batch(&Schema::indexes())?;
        made.execute_batch(&format!("PRAGMA user_version = {VERSION}"))?;
        made.commit()?;
        Ok(views.clone())
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A reader with a connection of its own; one a worker.
    pub fn reader(&self) -> Result<Reader> {
        let _open = self.gate();
        let mut reader = Reader::open(&self.path)?;
        // The first look opens what stands beside the file: of the same file, while nobody replaces it.
        reader.position()?;
        reader.generation = self.generation();
        Ok(reader)
    }

    /// How often the file was replaced by another, made anew, since this process opened it first.
    pub fn generation(&self) -> u64 {
        self.place.generation.load(Ordering::Acquire)
    }

    /// Whether a reader still reads the file that is in place; another is to be opened where not.
    pub fn current(&self, reader: &Reader) -> bool {
        reader.generation == self.generation()
    }

    fn gate(&self) -> RwLockReadGuard<'_, ()> {
        self.place.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a finished file in the place of this one and answers a writer on it.
    ///
    /// Readers of the old file go on with it until they open another. Where the new file cannot be
    /// put there, the old one is again where it was.
    pub(crate) fn replace(&self, fresh: &Path, old: Connection) -> Result<Connection> {
        let _alone = self.place.gate.write().unwrap_or_else(PoisonError::into_inner);
        leave(&old)?;
        drop(old);
        swap(fresh, &self.path)?;
        self.place.generation.fetch_add(1, Ordering::AcqRel);
        writer(&self.path)
    }

    /// A writer on the file as it is.
    pub(crate) fn writer(&self) -> Result<Connection> {
        let _open = self.gate();
        writer(&self.path)
    }
}

/// Has a connection close without touching what stands beside its file: under that name may stand
/// another file's by then.
pub(super) fn leave(conn: &Connection) -> Result<()> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// The writer's connection.
pub(crate) fn writer(path: &Path) -> Result<Connection> {
    let conn = Connection::open(path)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Plans do not look at bound values: a bound LIMIT would have each statement prepared anew.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(
        "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 2000;",
    )?;
    Ok(conn)
}

/// A path with something more at its end.
pub(crate) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Removes a file of views with what stands beside it.
pub(crate) fn remove(path: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm", "-journal"] {
        there_or_not(std::fs::remove_file(with_end(path, end)))?;
    }
    Ok(())
}

fn there_or_not(done: std::io::Result<()>) -> Result<()> {
    match done {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn moved(from: &Path, to: &Path) -> Result<()> {
    BESIDE
        .into_iter()
        .try_for_each(|end| there_or_not(std::fs::rename(with_end(from, end), with_end(to, end))))
}

/// Puts a finished file, closed and complete in itself, in the place of another.
///
/// The old file goes first, with its write-ahead log: at no moment does the log of one stand beside
/// the other. Where we are cut short there is no file, and the next start makes one.
pub(crate) fn swap(fresh: &Path, path: &Path) -> Result<()> {
    if let Ok(known) = std::fs::metadata(path) {
        std::fs::set_permissions(fresh, known.permissions())?;
    }
    File::open(fresh)?.sync_all()?;
    let old = with_end(path, ".old");
    remove(&old)?;
    moved(path, &old)?;
    if let Err(error) = std::fs::rename(fresh, path) {
        moved(&old, path)?;
        return Err(error.into());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    remove(&old)
}
