//! The names of tiles: `tile/0/x001/x234/067` is number 1 234 067, `tile/0/x001/234.p/5` has 5 hashes so far.

use std::fmt;
use std::str::FromStr;

use crate::text::decimal;
use crate::tile::TILE_WIDTH;

/// The name of a tile of hashes. **Shape**: `tile/<level>/<index>[.p/<width>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// The level of tiles, 0 to 63; at level 0 the hashes are the leaves'.
    pub level: u8,
    /// Which tile of its level, counted from 0.
    pub index: u64,
    /// How many hashes it has: 256 when full, 1 to 255 at the growing edge.
    pub width: u16,
}

/// The name of a tile of records. **Shape**: `tile/entries/<index>[.p/<width>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntriesPath {
    /// Which tile, counted from 0.
    pub index: u64,
    /// How many records it has: 256 when full, 1 to 255 at the growing edge.
    pub width: u16,
}

/// The text is no name of a tile, or not its one right spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no path of a tile")]
pub struct TilePathError;

impl TilePath {
    /// Whether nothing can be added to the tile any more.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl EntriesPath {
    /// Whether nothing can be added to the tile any more.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/", self.level)?;
        write_place(f, self.index, self.width)
    }
}

impl fmt::Display for EntriesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tile/entries/")?;
        write_place(f, self.index, self.width)
    }
}

impl FromStr for TilePath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let (level, place) = text
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or(TilePathError)?;
        let level = decimal(level).and_then(|level| u8::try_from(level).ok());
        let level = level.filter(|level| *level < 64).ok_or(TilePathError)?;
        let (index, width) = read_place(place).ok_or(TilePathError)?;
        Ok(Self { level, index, width })
    }
}

impl FromStr for EntriesPath {
    type Err = TilePathError;

    fn from_str(text: &str) -> Result<Self, TilePathError> {
        let place = text.strip_prefix("tile/entries/").ok_or(TilePathError)?;
        let (index, width) = read_place(place).ok_or(TilePathError)?;
        Ok(Self { index, width })
    }
}

/// Three digits a directory, all but the last after an `x`.
fn write_place(f: &mut fmt::Formatter<'_>, index: u64, width: u16) -> fmt::Result {
    let mut groups = vec![index % 1000];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    for (place, group) in groups.iter().enumerate().rev() {
        if place > 0 { write!(f, "x{group:03}/")? } else { write!(f, "{group:03}")? }
    }
    if width == TILE_WIDTH { Ok(()) } else { write!(f, ".p/{width}") }
}

fn read_place(place: &str) -> Option<(u64, u16)> {
    let (digits, width) = match place.split_once(".p/") {
        None => (place, TILE_WIDTH),
        Some((digits, width)) => (digits, u16::try_from(decimal(width)?).ok()?),
    };
    let partial = digits.len() < place.len();
    if partial && !(1..TILE_WIDTH).contains(&width) {
        return None;
    }
    let mut directories = digits.split('/');
    let last = group(directories.next_back()?)?;
    let mut index = 0_u64;
    for (depth, directory) in directories.enumerate() {
        let value = group(directory.strip_prefix('x')?)?;
        if depth == 0 && value == 0 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(value)?;
    }
    Some((index.checked_mul(1000)?.checked_add(last)?, width))
}

fn group(text: &str) -> Option<u64> {
    (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}
