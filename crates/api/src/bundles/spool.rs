//! Where bundles are put together: a folder of files without names, and room for so many at once.

use std::fs::{File, OpenOptions, create_dir_all, remove_file};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::problem::Problem;
use crate::settings::Settings;

/// The folder, and who is in it.
#[derive(Debug)]
pub struct Bundles {
    spool: PathBuf,
    bytes_max: u64,
    room: Arc<Semaphore>,
}

/// Room for one bundle, until it is sent.
pub(super) type Room = OwnedSemaphorePermit;

impl Bundles {
    /// Bundles are put together in this folder, which is made if need be.
    ///
    /// Their files have no name from the moment they are open, so that nothing of them stays behind,
    /// not even after a crash.
    pub fn new(spool: impl Into<PathBuf>, settings: &Settings) -> io::Result<Self> {
        let spool = spool.into();
        create_dir_all(&spool)?;
        let room = Arc::new(Semaphore::new(settings.bundles_at_once));
        Ok(Self { spool, bytes_max: settings.bundle_bytes_max, room })
    }

    /// Room for one more.
    pub(super) fn room(&self) -> Result<Room, Problem> {
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Problem::busy("bundles_busy", "too many cases leave the house at once; ask again")
        })
    }

    pub(super) fn spool(&self) -> &Path {
        &self.spool
    }

    /// The most bytes a bundle may have.
    pub(super) const fn bytes_max(&self) -> u64 {
        self.bytes_max
    }
}

/// A file without a name: gone when it is closed, however the process ends.
pub(super) fn nameless(spool: &Path) -> io::Result<File> {
    let path = spool.join(format!("{}.part", Uuid::from_u128(rand::random())));
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    remove_file(path)?;
    Ok(file)
}
