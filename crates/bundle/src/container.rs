//! The members of a bundle: which there may be, in which order, and that each is what the manifest says.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use crate::error::BundleError;
use crate::layout::{self, Placed, Refused, no};
use crate::limits::{LINE_BYTES_MAX, TIMESTAMPS_MAX};
use crate::manifest::Manifest;
use crate::text::{count, hex_of};

pub(crate) const README_NAME: &str = "README.txt";
pub(crate) const MANIFEST_NAME: &str = "manifest.json";
pub(crate) const CHECKPOINT_NAME: &str = "checkpoint.txt";
pub(crate) const CONSISTENCY_NAME: &str = "consistency.txt";
pub(crate) const ENTRIES_NAME: &str = "entries.ndjson";
pub(crate) const KEYS_NAME: &str = "keys.ndjson";
pub(crate) const EVIDENCE: &str = "evidence/";

/// The name of a timestamp, counted from 1.
pub(crate) fn timestamp_name(number: usize) -> String {
    format!("timestamps/{number}.tsr")
}

/// How many bytes are hashed at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// A file whose bytes are all accounted for.
pub(crate) struct Container<R> {
    archive: ZipArchive<Watched<R>>,
    pub(crate) members: Vec<Placed>,
    failed: Arc<AtomicBool>,
}

/// A file that remembers whether it could not be read, so that damage in it is told apart from a broken disk.
pub(crate) struct Watched<R> {
    inner: R,
    failed: Arc<AtomicBool>,
}

impl<R> Watched<R> {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        self.noted(result)
    }
}

impl<R: Seek> Seek for Watched<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.inner.seek(to);
        self.noted(result)
    }
}

/// The bytes of a member, unpacked; their number and digest are kept by the reader of it.
pub(crate) type MemberReader<'a, R> = BufReader<zip::read::ZipFile<'a, Watched<R>>>;

impl<R: Read + Seek> Container<R> {
    /// Looks at the file's shape and at the names of its members.
    pub(crate) fn open(mut file: R) -> Result<Self, Refused> {
        let members = layout::members(&mut file)?;
        names_fit(&members)?;
        let failed = Arc::new(AtomicBool::new(false));
        let watched = Watched { inner: file, failed: Arc::clone(&failed) };
        let archive = ZipArchive::new(watched).map_err(|error| refused(&failed, error.into()))?;
        Ok(Self { archive, members, failed })
    }

    /// The bytes of a small member; none where there is no such member.
    pub(crate) fn read(&mut self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, Refused> {
        let Some(index) = self.members.iter().position(|member| member.name == name) else {
            return Ok(None);
        };
        if self.members.get(index).is_none_or(|member| member.size_bytes > bytes_max) {
            return Err(no(format!("{name} has more than {bytes_max} bytes")));
        }
        let mut bytes = Vec::new();
        let read = self.reader(index)?.take(bytes_max).read_to_end(&mut bytes);
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) => Err(refused(&self.failed, error)),
        }
    }

    /// Reads the member of this name, which must be there.
    pub(crate) fn named(&mut self, name: &str) -> Result<MemberReader<'_, R>, Refused> {
        let index = self.members.iter().position(|member| member.name == name);
        self.reader(index.ok_or_else(|| no(format!("{name} is missing")))?)
    }

    fn reader(&mut self, index: usize) -> Result<MemberReader<'_, R>, Refused> {
        match self.archive.by_index(index) {
            Ok(member) => Ok(BufReader::new(member)),
            Err(error) => Err(refused(&self.failed, error.into())),
        }
    }

    /// Whether an error while reading a member came from the disk.
    pub(crate) fn failed(&self) -> &Arc<AtomicBool> {
        &self.failed
    }

    /// Compares every member but the manifest with what the manifest says.
    pub(crate) fn compare(
        &mut self,
        manifest: &Manifest,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), Refused> {
        let names = self.members.iter().map(|member| &member.name);
        let listed = manifest.files.iter().map(|file| &file.name);
        if !names.filter(|name| *name != MANIFEST_NAME).eq(listed) {
            return Err(no("the manifest lists other members than there are"));
        }
        for file in &manifest.files {
            let (size_bytes, digest) = self.digest(&file.name, file.size_bytes, progress)?;
            if size_bytes != file.size_bytes || hex_of(&file.sha256) != Some(digest) {
                return Err(no(format!("{} is not what the manifest says", file.name)));
            }
        }
        Ok(())
    }

    fn digest(
        &mut self,
        name: &str,
        bytes_max: u64,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(u64, [u8; 32]), Refused> {
        let failed = Arc::clone(&self.failed);
        // One byte more than announced is enough to see that there is more.
        let mut member = self.named(name)?.take(bytes_max.saturating_add(1));
        let (mut hasher, mut size_bytes) = (Sha256::new(), 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = member.read(&mut chunk).map_err(|error| refused(&failed, error))?;
            if length == 0 {
                return Ok((size_bytes, hasher.finalize().into()));
            }
            hasher.update(chunk.get(..length).unwrap_or_default());
            size_bytes += count(length);
            progress(count(length));
        }
    }
}

/// A broken disk is an error; a broken file is an answer.
pub(crate) fn refused(failed: &AtomicBool, error: io::Error) -> Refused {
    if failed.load(Ordering::Relaxed) {
        return Refused::Io(error);
    }
    no(format!("a member cannot be unpacked: {error}"))
}

/// Exactly the known members, in their order.
fn names_fit(members: &[Placed]) -> Result<(), Refused> {
    let mut names = members.iter().map(|member| member.name.as_str()).peekable();
    for wanted in [README_NAME, MANIFEST_NAME, CHECKPOINT_NAME] {
        must_be(names.next(), wanted)?;
    }
    for number in 1..=TIMESTAMPS_MAX {
        names.next_if(|name| *name == timestamp_name(number));
    }
    names.next_if(|name| *name == CONSISTENCY_NAME);
    for wanted in [ENTRIES_NAME, KEYS_NAME] {
        must_be(names.next(), wanted)?;
    }
    let mut last = "";
    for name in names {
        let digest = name.strip_prefix(EVIDENCE).and_then(hex_of::<32>);
        if digest.is_none() || name <= last {
            return Err(no(format!("{name} is no member of a bundle, or not at its place")));
        }
        last = name;
    }
    Ok(())
}

fn must_be(found: Option<&str>, wanted: &str) -> Result<(), Refused> {
    match found {
        Some(found) if found == wanted => Ok(()),
        Some(found) => Err(no(format!("{found} stands where {wanted} should"))),
        None => Err(no(format!("{wanted} is missing"))),
    }
}

/// The next line without its newline; none at the end. A line too long or without newline is refused.
pub(crate) fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    failed: &AtomicBool,
) -> Result<bool, Refused> {
    line.clear();
    let limit = count(LINE_BYTES_MAX);
    let length = reader.by_ref().take(limit).read_until(b'\n', line);
    if length.map_err(|error| refused(failed, error))? == 0 {
        return Ok(false);
    }
    if line.pop() == Some(b'\n') {
        return Ok(true);
    }
    Err(no(format!("a line has no end, or more than {LINE_BYTES_MAX} bytes")))
}

/// What cannot be read is an error; what does not hold goes into the report as words.
pub(crate) fn words(refused: Refused) -> Result<String, BundleError> {
    match refused {
        Refused::Io(error) => Err(BundleError::Io(error)),
        Refused::Words(words) => Ok(words),
    }
}
