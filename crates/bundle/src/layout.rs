//! The ZIP file to the byte: members one after the other, nothing before, between or behind them, nothing said twice.
//!
//! ZIP files can be written so that two programs see two different contents. A bundle has one content: whatever
//! could be read in two ways is refused. Source: APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.

use std::io::{self, Read, Seek, SeekFrom};

use crate::limits::{BUNDLE_BYTES_MAX, DIRECTORY_BYTES_MAX, MEMBERS_MAX, packs_honestly};

const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;

const END_BYTES: u64 = 22;
const END_64_BYTES: u64 = 56;
const LOCATOR_64_BYTES: u64 = 20;
const LOCAL_BYTES: usize = 30;

/// Flags that may be set: how hard deflate tried (bits 1 and 2), and names in UTF-8 (bit 11).
const FLAGS: u16 = 0x0806;

/// A member as the directory and its own header agree to describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) name: String,
    pub(crate) size_bytes: u64,
    packed_bytes: u64,
    starts: u64,
    flags: u16,
    method: u16,
    crc: u32,
}

/// Why a file is no bundle's container.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It could not be read at all.
    Io(io::Error),
    /// It can be read, and is not as it must be.
    Words(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return no("the file is cut short");
        }
        Self::Io(error)
    }
}

/// A refusal in words.
pub(crate) fn no(words: impl Into<String>) -> Refused {
    Refused::Words(words.into())
}

/// Where the central directory lies.
struct Directory {
    members: u64,
    starts: u64,
    size_bytes: u64,
}

/// The members in the order of the file, if it consists of them and of nothing else.
pub(crate) fn members<R: Read + Seek>(file: &mut R) -> Result<Vec<Placed>, Refused> {
    let length = file.seek(SeekFrom::End(0))?;
    if length > BUNDLE_BYTES_MAX {
        return Err(no(format!("the file has more than {BUNDLE_BYTES_MAX} bytes")));
    }
    let directory = find(file, length)?;
    let bytes = read_at(file, directory.starts, directory.size_bytes)?;
    let mut fields = Fields(&bytes);
    let mut placed = Vec::new();
    let mut next = 0;
    for _ in 0..directory.members {
        let member = central(&mut fields).ok_or_else(|| no("the directory is malformed"))?;
        if member.starts != next {
            return Err(no(format!("something hides before {}", member.name)));
        }
        next = local(file, &member)?;
        placed.push(member);
        if next > directory.starts {
            break;
        }
    }
    if !fields.0.is_empty() || next != directory.starts {
        return Err(no("something hides behind the last member"));
    }
    let total = placed.iter().try_fold(0_u64, |sum, one| sum.checked_add(one.size_bytes));
    if total.is_none_or(|total| total > BUNDLE_BYTES_MAX) {
        return Err(no(format!("unpacked it has more than {BUNDLE_BYTES_MAX} bytes")));
    }
    for one in &placed {
        if !packs_honestly(one.size_bytes, one.packed_bytes) {
            return Err(no(format!("{} is packed too tightly to be honest", one.name)));
        }
    }
    Ok(placed)
}

/// The directory must end where the end record begins, and that ends the file.
fn find<R: Read + Seek>(file: &mut R, length: u64) -> Result<Directory, Refused> {
    let not_a_zip = || no("this is no ZIP file that ends as one without a comment does");
    let end_at = length.checked_sub(END_BYTES).ok_or_else(not_a_zip)?;
    let bytes = read_at(file, end_at, END_BYTES)?;
    let mut end = Fields(&bytes);
    let head = (end.u32(), end.u32(), end.u16(), end.u16());
    let (size, starts, comment) = (end.u32(), end.u32(), end.u16());
    let (Some(END), Some(0), Some(here), Some(all)) = head else { return Err(not_a_zip()) };
    let (Some(size), Some(starts), Some(0)) = (size, starts, comment) else {
        return Err(not_a_zip());
    };
    let wide = here == u16::MAX || size == u32::MAX || starts == u32::MAX;
    let (directory, ends) = if wide {
        find_64(file, end_at)?
    } else {
        let members = u64::from(here);
        (Directory { members, starts: starts.into(), size_bytes: size.into() }, end_at)
    };
    if here != all || directory.starts.checked_add(directory.size_bytes) != Some(ends) {
        return Err(no("the directory is not where it should be"));
    }
    let many = usize::try_from(directory.members).map_or(true, |members| members > MEMBERS_MAX);
    if many || directory.size_bytes > DIRECTORY_BYTES_MAX {
        return Err(no(format!("there are more than {MEMBERS_MAX} members")));
    }
    Ok(directory)
}

/// For large files: the locator and the end record of 64 bits stand right before the other one.
fn find_64<R: Read + Seek>(file: &mut R, end_at: u64) -> Result<(Directory, u64), Refused> {
    let malformed = || no("the end of the ZIP file is malformed");
    let tail = END_64_BYTES + LOCATOR_64_BYTES;
    let at = end_at.checked_sub(tail).ok_or_else(malformed)?;
    let bytes = read_at(file, at, tail)?;
    let mut end = Fields(&bytes);
    // Its own length, the versions and the two disk numbers.
    let head = (end.u32(), end.u64(), end.u32(), end.u64());
    let (here, all, size_bytes, starts) = (end.u64(), end.u64(), end.u64(), end.u64());
    let locator = (end.u32(), end.u32(), end.u64(), end.u32());
    let sound = matches!(head, (Some(END_64), Some(44), Some(_), Some(0)))
        && locator == (Some(LOCATOR_64), Some(0), Some(at), Some(1))
        && here == all;
    match (here, size_bytes, starts) {
        (Some(members), Some(size_bytes), Some(starts)) if sound => {
            Ok((Directory { members, starts, size_bytes }, at))
        }
        _ => Err(malformed()),
    }
}

/// The next entry of the directory.
fn central(fields: &mut Fields<'_>) -> Option<Placed> {
    let signature = fields.u32()?;
    let _versions = fields.u32()?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    let _modified = fields.u32()?;
    let (crc, packed, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let (disk, _internal, external) = (fields.u16()?, fields.u16()?, fields.u32()?);
    let starts = fields.u32()?;
    let name = String::from_utf8(fields.take(name.into())?.to_vec()).ok()?;
    let mut wide = Wide::of(fields.take(extra.into())?)?;
    let size_bytes = wide.value(size)?;
    let packed_bytes = wide.value(packed)?;
    let starts = wide.value(starts)?;
    let kind = (external >> 16) & 0o170_000;
    let plain = kind == 0 || kind == 0o100_000;
    let known = (method == 0 || method == 8) && flags & !FLAGS == 0;
    let sound = signature == CENTRAL && comment == 0 && disk == 0 && plain && known;
    let placed = Placed { name, size_bytes, packed_bytes, starts, flags, method, crc };
    (sound && wide.is_used_up()).then_some(placed)
}

/// Compares the member's own header; answers where its bytes end.
fn local<R: Read + Seek>(file: &mut R, member: &Placed) -> Result<u64, Refused> {
    let differs = || no(format!("the header of {} differs from the directory", member.name));
    let fixed = read_at(file, member.starts, u64_of(LOCAL_BYTES))?;
    let mut fields = Fields(&fixed);
    let head = (fields.u32(), fields.u16(), fields.u16(), fields.u16(), fields.u32());
    let rest = (fields.u32(), fields.u32(), fields.u32(), fields.u16(), fields.u16());
    let (Some(crc), Some(packed), Some(size), Some(name), Some(extra)) = rest else {
        return Err(differs());
    };
    let (flags, method) = (Some(member.flags), Some(member.method));
    let same = head.0 == Some(LOCAL) && head.2 == flags && head.3 == method && crc == member.crc;
    let behind = u64::from(name) + u64::from(extra);
    let text = read_at(file, member.starts + u64_of(LOCAL_BYTES), behind)?;
    let mut fields = Fields(&text);
    let same = same && fields.take(name.into()) == Some(member.name.as_bytes());
    let mut wide = Wide::of(fields.0).ok_or_else(differs)?;
    let sizes = (wide.value(size), wide.value(packed));
    let same = same && sizes == (Some(member.size_bytes), Some(member.packed_bytes));
    if !same || !wide.is_used_up() {
        return Err(differs());
    }
    let ends = (member.starts + u64_of(LOCAL_BYTES) + behind).checked_add(member.packed_bytes);
    ends.ok_or_else(differs)
}

fn read_at<R: Read + Seek>(file: &mut R, at: u64, length: u64) -> Result<Vec<u8>, Refused> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if u64_of(bytes.len()) == length { Ok(bytes) } else { Err(no("the file is cut short")) }
}

fn u64_of(count: usize) -> u64 {
    crate::text::count(count)
}

/// The one extra field a member may have: numbers too large for 32 bits.
struct Wide<'a>(Fields<'a>);

impl<'a> Wide<'a> {
    fn of(extra: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(extra);
        if !extra.is_empty() {
            let (kind, length) = (fields.u16()?, fields.u16()?);
            if kind != 1 || usize::from(length) != fields.0.len() {
                return None;
            }
        }
        Some(Self(fields))
    }

    /// The number, from the extra field where 32 bits do not hold it.
    fn value(&mut self, narrow: u32) -> Option<u64> {
        if narrow == u32::MAX { self.0.u64() } else { Some(narrow.into()) }
    }

    const fn is_used_up(&self) -> bool {
        self.0.0.is_empty()
    }
}

/// Little-endian numbers, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}
