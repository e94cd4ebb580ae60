//! The members of a bundle and the archive around them.

use std::io::{self, Seek, SeekFrom, Write};

use assay_ledger::{Hash, SignedCheckpoint, VerifierKey};
use assay_store::vault::{Key, KeyId};
use sha2::{Digest as _, Sha256};
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Order, Survey, Written, each_line};
use crate::README;
use crate::container::{
    CHECKPOINT_NAME, CONSISTENCY_NAME, KEYS_NAME, MANIFEST_NAME, README_NAME, timestamp_name,
};
use crate::error::BundleError;
use crate::keys::key_line;
use crate::limits::{RATIO_MAX, packs_honestly};
use crate::manifest::{FORMAT, Manifest, Member};
use crate::text::{base64, count};

/// From this size on a member may need the large form of ZIP files, which is then used.
const LARGE_BYTES: u64 = 4_000_000_000;

/// A member of the archive: its bytes, or none for the entries, which come from the journal.
pub(super) struct Packed {
    name: String,
    size_bytes: u64,
    bytes: Option<Vec<u8>>,
}

/// Everything that goes into the file, in its order.
pub(super) fn members(
    order: &Order<'_>,
    note: &SignedCheckpoint,
    keys: &[(KeyId, Key)],
    survey: Survey,
) -> Result<Vec<Packed>, BundleError> {
    let mut before: Vec<(String, Vec<u8>)> = vec![
        (README_NAME.to_owned(), README.into()),
        (CHECKPOINT_NAME.to_owned(), note.to_text().into()),
    ];
    for (timestamp, number) in order.timestamps.iter().zip(1..) {
        before.push((timestamp_name(number), timestamp.clone()));
    }
    if let Some((old_size, proof)) = &order.consistency {
        before.push((CONSISTENCY_NAME.to_owned(), consistency_text(*old_size, proof).into()));
    }
    let mut key_lines = Vec::new();
    for (id, key) in keys {
        key_lines.extend(key_line(*id, key).map_err(io::Error::from)?);
        key_lines.push(b'\n');
    }
    let mut files: Vec<Member> = before.iter().map(|(name, bytes)| listed(name, bytes)).collect();
    let entries = survey.entries;
    files.push(entries.clone());
    files.push(listed(KEYS_NAME, &key_lines));
    let manifest = manifest(order, note, survey.written, files);
    let manifest = manifest.to_bytes().map_err(io::Error::from)?;
    before.insert(1, (MANIFEST_NAME.to_owned(), manifest));

    let whole = |(name, bytes): (String, Vec<u8>)| Packed {
        name,
        size_bytes: count(bytes.len()),
        bytes: Some(bytes),
    };
    let mut members: Vec<Packed> = before.into_iter().map(whole).collect();
    members.push(Packed { name: entries.name, size_bytes: entries.size_bytes, bytes: None });
    members.push(whole((KEYS_NAME.to_owned(), key_lines)));
    Ok(members)
}

fn manifest(
    order: &Order<'_>,
    note: &SignedCheckpoint,
    written: Written,
    files: Vec<Member>,
) -> Manifest {
    let (about, checkpoint) = (&order.about, note.checkpoint());
    Manifest {
        format: FORMAT.to_owned(),
        case: about.case,
        origin: checkpoint.origin.clone(),
        log_keys: order.log_keys.iter().map(VerifierKey::to_text).collect(),
        size: checkpoint.size,
        root: base64(&checkpoint.root),
        as_of: about.as_of,
        made_at: about.made_at,
        made_by: about.made_by,
        recipient: about.recipient.clone(),
        entries: written.entries,
        keys: written.keys,
        withheld: order.withheld.clone(),
        files,
    }
}

fn listed(name: &str, bytes: &[u8]) -> Member {
    let sha256 = hex::encode(Sha256::digest(bytes));
    Member { name: name.to_owned(), size_bytes: count(bytes.len()), sha256 }
}

/// The text of `consistency.txt`: `old N`, then a hash a line.
pub(crate) fn consistency_text(old_size: u64, proof: &[Hash]) -> String {
    let lines = proof.iter().flat_map(|hash| [base64(hash), "\n".to_owned()]);
    [format!("old {old_size}\n")].into_iter().chain(lines).collect()
}

/// Packs the members; the entries are read from the journal once more.
pub(super) fn pack<W: Write + Seek>(
    out: W,
    order: &Order<'_>,
    note: &SignedCheckpoint,
    members: Vec<Packed>,
    step: &mut dyn FnMut(),
) -> Result<(), BundleError> {
    let mut end = 0;
    let mut zip = ZipWriter::new(Measured { inner: out, end: &mut end });
    for member in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .large_file(member.size_bytes >= LARGE_BYTES);
        let before = zip.get_ref().map_or(0, |out| *out.end);
        zip.start_file(member.name, options).map_err(packing)?;
        if let Some(bytes) = member.bytes {
            zip.write_all(&bytes)?;
            continue;
        }
        each_line(order, note, &mut |_, bytes| {
            zip.write_all(bytes)?;
            step();
            Ok(())
        })?;
        zip.flush()?;
        // What is still in the packer is little; the limit has room for it.
        let packed = zip.get_ref().map_or(0, |out| *out.end).saturating_sub(before);
        if !packs_honestly(member.size_bytes, packed) {
            return Err(BundleError::TooLarge { what: "how tightly it packs", limit: RATIO_MAX });
        }
    }
    zip.finish().map_err(packing)?.inner.flush()?;
    Ok(())
}

fn packing(error: ZipError) -> BundleError {
    match error {
        ZipError::Io(error) => BundleError::Io(error),
        other => BundleError::Pack(other.to_string()),
    }
}

/// A file that knows how far it was written.
struct Measured<'a, W> {
    inner: W,
    end: &'a mut u64,
}

impl<W: Write + Seek> Write for Measured<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        *self.end += count(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write + Seek> Seek for Measured<'_, W> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
