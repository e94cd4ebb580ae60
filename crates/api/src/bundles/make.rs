//! The file itself: proved against a checkpoint that covers it, bounded, and digested.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek, SeekFrom, Write};
use std::sync::Arc;

use assay_bundle::{Disclosure, Order};
use assay_ledger::Hash;
use assay_notary::{Notary, NotaryError};
use assay_store::journal::Journal;
use sha2::{Digest as _, Sha256};

use super::choice::Chosen;
use super::proofs::Proofs;
use super::spool::{Bundles, Room, nameless};
use crate::door::Asking;
use crate::problem::Problem;

/// How much of the file is read at once for its digest, in bytes.
const PART_BYTES: usize = 256 * 1024;

/// A bundle that is ready to leave.
pub(super) struct Made {
    /// The file, at its beginning.
    pub(super) file: File,
    /// How long it is, in bytes.
    pub(super) size_bytes: u64,
    /// Its SHA-256.
    pub(super) sha256: [u8; 32],
    /// As of which position.
    pub(super) as_of: u64,
    /// How many entries are in it.
    pub(super) entries: u64,
    /// How many keys are disclosed in it.
    pub(super) keys: u64,
    /// The room it takes until it is sent.
    pub(super) room: Room,
}

/// Makes the file off the threads that answer; the room is held also where nobody waits any more.
pub(super) async fn file(asking: &Asking, chosen: Chosen, room: Room) -> Result<Made, Problem> {
    let app = &asking.app;
    let journal = Arc::clone(app.house.journal());
    let (notary, bundles) = (Arc::clone(&app.notary), Arc::clone(&app.bundles));
    let making =
        tokio::task::spawn_blocking(move || made(&*journal, &notary, &bundles, chosen, room));
    making.await.map_err(Problem::fault)?
}

fn made(
    journal: &dyn Journal,
    notary: &Notary,
    bundles: &Bundles,
    chosen: Chosen,
    room: Room,
) -> Result<Made, Problem> {
    let as_of = chosen.about.as_of;
    let published = notary.covering(as_of)?;
    let size = published.checkpoint.size;
    let consistency = chosen.since.map(|since| since_then(notary, since, size)).transpose()?;
    let proofs = Proofs::of(notary, size);
    let proof = |index: u64| proofs.inclusion(index).map_err(Into::into);
    let disclosure = if chosen.with_data { Disclosure::Full } else { Disclosure::NoData };
    let order = Order {
        journal,
        positions: chosen.positions,
        checkpoint: &published.note,
        log_keys: notary.verifiers(),
        proof: &proof,
        keys: chosen.keys,
        withhold: &|_| disclosure,
        withheld: chosen.withheld,
        consistency,
        timestamps: published.timestamps.clone(),
        about: chosen.about,
    };
    let file = nameless(bundles.spool()).map_err(Problem::spool)?;
    let mut bounded =
        Bounded { out: BufWriter::new(file), at: 0, max: bundles.bytes_max(), over: false };
    let written = assay_bundle::write(&mut bounded, &order, |_, _| ());
    if bounded.over {
        let max = bundles.bytes_max();
        return Err(Problem::too_large(format!("a bundle has at most {max} bytes")));
    }
    let written = written?;
    let file = bounded.out.into_inner().map_err(|error| Problem::spool(error.into_error()))?;
    let (file, size_bytes, sha256) = digested(file).map_err(Problem::spool)?;
    let (entries, keys) = (written.entries, written.keys);
    Ok(Made { file, size_bytes, sha256, as_of, entries, keys, room })
}

/// The proof that the log continues what the recipient holds.
fn since_then(notary: &Notary, since: u64, size: u64) -> Result<(u64, Vec<Hash>), Problem> {
    let wrong = || {
        let detail = format!("a checkpoint the recipient holds is over 1 to {size} entries");
        Problem::field("/since".to_owned(), "bundle_since_invalid", detail)
    };
    match notary.consistency(since, size) {
        _ if since == 0 => Err(wrong()),
        Err(NotaryError::Beyond { .. }) => Err(wrong()),
        other => Ok((since, other?)),
    }
}

/// The file at its beginning, its size and its digest.
fn digested(mut file: File) -> io::Result<(File, u64, [u8; 32])> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Sha256::new();
    let mut part = vec![0; PART_BYTES];
    let mut size = 0_u64;
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            break;
        }
        hasher.update(part.get(..read).unwrap_or_default());
        size = size.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok((file, size, hasher.finalize().into()))
}

/// A file that does not grow beyond its limit.
struct Bounded {
    out: BufWriter<File>,
    at: u64,
    max: u64,
    over: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if self.at.saturating_add(length) > self.max {
            self.over = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let written = self.out.write(bytes)?;
        self.at = self.at.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.out.seek(to)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_its_limit_is_broken_off_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = nameless(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let mut bounded = Bounded { out: BufWriter::new(file), at: 0, max: 4, over: false };
        bounded.write_all(b"abcd").unwrap();
        bounded.seek(SeekFrom::Start(2)).unwrap();
        bounded.write_all(b"xy").unwrap();
        assert!(!bounded.over);
        assert!(bounded.write_all(b"z").is_err());
        assert!(bounded.over);
        let file = bounded.out.into_inner().unwrap();
        let (_, size, sha256) = digested(file).unwrap();
        assert_eq!((size, sha256), (4, Sha256::digest(b"abxy").into()));
    }
}
