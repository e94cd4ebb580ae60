//! A bundle that holds, opened to be taken over: its entries, its keys and what was said of it.

use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use assay_ledger::{Hash, SignedCheckpoint};
use assay_store::vault::{Key, KeyId};

use crate::container::{Container, ENTRIES_NAME, MemberReader, next_line, words};
use crate::error::BundleError;
use crate::keys::Keys;
use crate::line::Line;
use crate::manifest::Manifest;
use crate::report::Report;
use crate::trust::Trust;
use crate::verify::{Parts, examine};

/// A verified bundle.
pub struct Bundle<R> {
    container: Container<R>,
    manifest: Manifest,
    note: SignedCheckpoint,
    keys: Keys,
}

impl<R> fmt::Debug for Bundle<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

/// Verifies a bundle and opens it; `progress` as in [`crate::verify()`].
///
/// # Errors
///
/// [`BundleError::DoesNotHold`] with the report where a check fails; else as [`crate::verify()`].
pub fn open_verified<R: Read + Seek>(
    file: R,
    trust: &Trust,
    mut progress: impl FnMut(u64, u64),
) -> Result<(Bundle<R>, Report), BundleError> {
    let examined = examine(file, trust, &mut progress)?;
    match examined.parts {
        Some(Parts { container, manifest, note, keys }) if examined.report.holds() => {
            Ok((Bundle { container, manifest, note, keys }, examined.report))
        }
        _ => Err(BundleError::DoesNotHold(Box::new(examined.report))),
    }
}

impl<R: Read + Seek> Bundle<R> {
    /// The manifest.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The checkpoint that all proofs lead to.
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.note
    }

    /// The disclosed keys, by their ids.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, &Key)> {
        self.keys.iter()
    }

    /// The entries in their order, each proved once more as it is read: the file lies where others may write.
    pub fn entries(&mut self) -> Result<Entries<'_, R>, BundleError> {
        let failed = Arc::clone(self.container.failed());
        let checkpoint = self.note.checkpoint();
        let (size, root, left) = (checkpoint.size, checkpoint.root, self.manifest.entries);
        let reader = match self.container.named(ENTRIES_NAME) {
            Ok(reader) => reader,
            Err(refused) => {
                words(refused)?;
                return Err(BundleError::Changed { position: None });
            }
        };
        Ok(Entries { reader, failed, size, root, left, ended: false, last: 0, bytes: Vec::new() })
    }
}

/// The entries of a verified bundle.
pub struct Entries<'a, R: Read + Seek> {
    reader: MemberReader<'a, R>,
    failed: Arc<AtomicBool>,
    size: u64,
    root: Hash,
    left: u64,
    ended: bool,
    last: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> fmt::Debug for Entries<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({} left)", self.left)
    }
}

impl<R: Read + Seek> Entries<'_, R> {
    fn read(&mut self) -> Result<Option<Line>, BundleError> {
        let changed = |position| BundleError::Changed { position };
        let more = match next_line(&mut self.reader, &mut self.bytes, &self.failed) {
            Ok(more) => more,
            Err(refused) => {
                words(refused)?;
                return Err(changed(None));
            }
        };
        if more != (self.left > 0) {
            return Err(changed(None));
        }
        if !more {
            return Ok(None);
        }
        let line = Line::parse(&self.bytes).ok_or_else(|| changed(None))?;
        let held = line.position > self.last && line.verify(self.size, &self.root).is_ok();
        if !held {
            return Err(changed(Some(line.position)));
        }
        self.last = line.position;
        self.left -= 1;
        Ok(Some(line))
    }
}

impl<R: Read + Seek> Iterator for Entries<'_, R> {
    type Item = Result<Line, BundleError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read().transpose();
        // After an error nothing more is given out.
        self.ended = read.as_ref().is_none_or(Result::is_err);
        read
    }
}
