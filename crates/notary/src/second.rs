//! The second place: a file elsewhere with the last signed checkpoint, which an older copy of the data does not have.

use std::path::{Path, PathBuf};

use assay_ledger::{SignedCheckpoint, VerifierKey};

use crate::checkpoints::read_signed;
use crate::error::NotaryError;
use crate::files;
use crate::notary::Published;

/// Where the last signed checkpoint stands once more, if anywhere.
#[derive(Clone, Debug)]
pub(crate) struct SecondPlace {
    path: Option<PathBuf>,
}

impl SecondPlace {
    /// The second place in this file.
    pub(crate) const fn at(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// The checkpoint kept there, checked to be this log's and signed by one of these keys.
    pub(crate) fn read(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Option<SignedCheckpoint>, NotaryError> {
        let Some(path) = &self.path else { return Ok(None) };
        let dir = files::parent(path);
        if !dir.is_dir() {
            return Err(NotaryError::Refused(format!(
                "the second place cannot be looked at: {} is not there; is something not mounted?",
                dir.display()
            )));
        }
        let Some(note) = files::read_text(path)? else { return Ok(None) };
        let signed = read_signed(&note, origin, keys).map_err(|error| {
            NotaryError::Refused(format!(
                "the second place, {}, holds no checkpoint of this log: {error}",
                path.display()
            ))
        })?;
        Ok(Some(signed))
    }

    /// Keeps a checkpoint there: when this returns it is there.
    pub(crate) fn write(&self, published: &Published) -> Result<(), NotaryError> {
        let Some(path) = &self.path else { return Ok(()) };
        files::replace(path, published.note.as_bytes())
    }

    /// Where it is.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}
