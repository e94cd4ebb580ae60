//! The signed checkpoints on disk: a note each, when it was signed, and the timestamps over it.

use std::fs;
use std::path::{Path, PathBuf};

use assay_ledger::{SignedCheckpoint, VerifierKey};
use assay_timestamp::REPLY_BYTES_MAX;

use crate::error::NotaryError;
use crate::files;
use crate::notary::Published;

type Result<T> = std::result::Result<T, NotaryError>;

/// The most timestamps kept for one checkpoint.
pub(crate) const TIMESTAMPS_MAX: u32 = 64;

/// The directory of checkpoints.
///
/// **Shape**: for each size, in 20 digits, `<size>.note` (the signed note), `<size>.at` (when it was signed, in
/// microseconds since 1970) and `<size>.1.tsr`, `<size>.2.tsr` … (replies of time-stamping authorities).
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    dir: PathBuf,
}

/// What a name in the directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    /// A signed note.
    Note(u64),
    /// When it was signed.
    At(u64),
    /// A timestamp over it, counted from 1.
    Timestamp(u64, u32),
}

impl Name {
    /// Reads a name in its one right spelling.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (digits, ending) = text.split_once('.')?;
        let size = digits.parse().ok()?;
        let name = match ending.split_once('.') {
            None if ending == "note" => Self::Note(size),
            None if ending == "at" => Self::At(size),
            Some((number, "tsr")) => Self::Timestamp(size, number.parse().ok()?),
            _ => return None,
        };
        (name.to_string() == text).then_some(name)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Note(size) => write!(f, "{size:020}.note"),
            Self::At(size) => write!(f, "{size:020}.at"),
            Self::Timestamp(size, number) => write!(f, "{size:020}.{number}.tsr"),
        }
    }
}

impl Checkpoints {
    /// The checkpoints in this directory, which exists.
    pub(crate) fn at(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The directory itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where something stands.
    pub(crate) fn place(&self, name: Name) -> PathBuf {
        self.dir.join(name.to_string())
    }

    /// The sizes of all checkpoints, ascending. What a crash left unfinished is cleared away; a name that is not
    /// ours is told.
    pub(crate) fn sizes(&self) -> Result<Vec<u64>> {
        let mut sizes = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(NotaryError::at(&self.dir))? {
            let path = entry.map_err(NotaryError::at(&self.dir))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).and_then(Name::parse);
            match name {
                Some(Name::Note(size)) => sizes.push(size),
                Some(_) => {}
                None if files::is_unfinished(&path) => {
                    fs::remove_file(&path).map_err(NotaryError::at(&path))?;
                }
                None => {
                    tracing::warn!(file = %path.display(), "this is none of the notary's files");
                }
            }
        }
        sizes.sort_unstable();
        Ok(sizes)
    }

    /// The checkpoint of this size with all that belongs to it; nothing where there is none.
    pub(crate) fn load(&self, size: u64) -> Result<Option<Published>> {
        let place = self.place(Name::Note(size));
        let Some(note) = files::read_text(&place)? else { return Ok(None) };
        let signed = SignedCheckpoint::parse(&note)?;
        let checkpoint = signed.checkpoint().clone();
        if checkpoint.size != size {
            let found = checkpoint.size;
            let what = format!("{} holds a checkpoint over {found} entries", place.display());
            return Err(NotaryError::Damaged(what));
        }
        let signed_at = self.signed_at(size)?;
        Ok(Some(Published { checkpoint, note, signed_at, timestamps: self.timestamps(size)? }))
    }

    /// When the checkpoint of this size was signed, in microseconds since 1970.
    pub(crate) fn signed_at(&self, size: u64) -> Result<i64> {
        let place = self.place(Name::At(size));
        let text = files::read_text(&place)?;
        let micros = text.and_then(|text| text.strip_suffix('\n')?.parse().ok());
        micros.ok_or_else(|| {
            NotaryError::Damaged(format!("{} does not say when it was signed", place.display()))
        })
    }

    /// Puts a checkpoint on disk: when this returns it is there. Nobody has been given it yet.
    pub(crate) fn store(&self, published: &Published) -> Result<()> {
        let size = published.checkpoint.size;
        // The note last: where it stands, its time stands too.
        let at = format!("{}\n", published.signed_at);
        files::replace(&self.place(Name::At(size)), at.as_bytes())?;
        self.store_note(published)
    }

    /// Writes the note anew, with the signatures that came since.
    pub(crate) fn store_note(&self, published: &Published) -> Result<()> {
        let place = self.place(Name::Note(published.checkpoint.size));
        files::replace(&place, published.note.as_bytes())
    }

    /// Puts one more timestamp beside a checkpoint.
    pub(crate) fn store_timestamp(&self, size: u64, number: u32, reply: &[u8]) -> Result<()> {
        files::replace(&self.place(Name::Timestamp(size, number)), reply)
    }

    fn timestamps(&self, size: u64) -> Result<Vec<Vec<u8>>> {
        let limit = u64::try_from(REPLY_BYTES_MAX).unwrap_or(u64::MAX);
        let mut timestamps = Vec::new();
        for number in 1..=TIMESTAMPS_MAX {
            match files::read(&self.place(Name::Timestamp(size, number)), limit)? {
                Some(reply) => timestamps.push(reply),
                None => break,
            }
        }
        Ok(timestamps)
    }
}

/// Reads a note and refuses one of another log, or one that none of these keys has signed.
pub(crate) fn read_signed(
    note: &str,
    origin: &str,
    keys: &[VerifierKey],
) -> Result<SignedCheckpoint> {
    let signed = SignedCheckpoint::parse(note)?;
    signed.verify_for(origin, keys)?;
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let names = [Name::Note(7), Name::At(u64::MAX), Name::Timestamp(0, 12)];
        for name in names {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        for wrong in ["7.note", "00000000000000000007.tsr", "00000000000000000007.01.tsr", "x", ""]
        {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }
}
