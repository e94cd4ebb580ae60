//! A text file elsewhere that every checkpoint is appended to, with the newest alone beside it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use assay_ledger::{Checkpoint, SignedCheckpoint};
use futures_util::future::{BoxFuture, FutureExt as _};

use crate::anchor::{Outlet, Prover, Receipt, Words, off};
use crate::files;
use crate::notary::Published;

/// **Shape**: signed notes, an empty line after each; `<path>.latest` holds the newest alone.
pub(super) struct FileOutlet {
    path: PathBuf,
    latest: PathBuf,
}

impl FileOutlet {
    pub(super) fn new(path: PathBuf) -> Self {
        let mut latest = path.clone().into_os_string();
        latest.push(".latest");
        Self { path, latest: PathBuf::from(latest) }
    }

    /// The newest checkpoint that stands there.
    async fn there(&self) -> Result<Option<Checkpoint>, Words> {
        let latest = self.latest.clone();
        let Some(note) = off(move || files::read_text(&latest)).await? else { return Ok(None) };
        let signed = SignedCheckpoint::parse(&note);
        let signed = signed.map_err(|error| format!("what stands there: {error}"))?;
        Ok(Some(signed.checkpoint().clone()))
    }

    async fn keep(&self, published: &Published, prover: &Prover) -> Result<Receipt, Words> {
        let (ours, there) = (&published.checkpoint, self.there().await?);
        if let Some(there) = there {
            if there.origin != ours.origin {
                return Err(format!("checkpoints of {} stand there", there.origin));
            }
            let (known, size) = (there.size, ours.size);
            if known > size {
                return Err(format!(
                    "a checkpoint over {known} entries stands there, and we have signed {size}: \
                     is this an older copy of the data?"
                ));
            }
            if prover.root_at(known).await? != there.root {
                return Err(format!("another tree of {known} entries stands there"));
            }
            if known == size {
                return Ok(Receipt::Taken);
            }
        }
        let (path, latest, note) = (self.path.clone(), self.latest.clone(), published.note.clone());
        let written = move || -> Result<(), Words> {
            append(&path, &note).map_err(|error| error.to_string())?;
            files::replace(&latest, note.as_bytes()).map_err(|error| error.to_string())
        };
        off(written).await.map(|()| Receipt::Taken)
    }
}

/// Appends a note and brings it to disk. After a crash in between a note may stand there twice, or cut short.
fn append(path: &Path, note: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let gap = if ends_whole(&mut file)? { "" } else { "\n\n" };
    file.write_all(format!("{gap}{note}\n").as_bytes())?;
    file.sync_all()?;
    File::open(files::parent(path))?.sync_all()
}

/// Whether the file is empty or ends as a note does: with an empty line.
fn ends_whole(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() < 2 {
        return Ok(file.metadata()?.len() == 0);
    }
    let mut end = [0; 2];
    file.seek(SeekFrom::End(-2))?;
    file.read_exact(&mut end)?;
    Ok(end == *b"\n\n")
}

impl Outlet for FileOutlet {
    fn send<'a>(
        &'a self,
        published: &'a Published,
        prover: &'a Prover,
    ) -> BoxFuture<'a, Result<Receipt, Words>> {
        self.keep(published, prover).boxed()
    }
}
