//! Which tiles a tree of some size has, and which become full when it grows.

use crate::tile::{EntriesPath, TILE_HEIGHT, TILE_WIDTH, TilePath};

/// The tiles of a tree of `size` leaves, full and partial: level by level from the leaves up, each from left to right.
pub fn tiles_of(size: u64) -> impl Iterator<Item = TilePath> {
    levels().flat_map(move |level| {
        row(hashes_at(level, size)).map(move |(index, width)| TilePath { level, index, width })
    })
}

/// The tiles of records of a tree of `size` leaves, full and partial, from left to right.
pub fn entries_tiles_of(size: u64) -> impl Iterator<Item = EntriesPath> {
    row(size).map(|(index, width)| EntriesPath { index, width })
}

/// The full tiles that a tree of `new_size` leaves has and one of `old_size` has not: level by level, ascending.
///
/// Empty if the tree did not grow.
pub fn new_full_tiles(old_size: u64, new_size: u64) -> impl Iterator<Item = TilePath> {
    let width = TILE_WIDTH;
    levels().flat_map(move |level| {
        let full = |size| hashes_at(level, size) / u64::from(width);
        (full(old_size)..full(new_size)).map(move |index| TilePath { level, index, width })
    })
}

/// How many hashes the tiles of this level hold together: one for each full tile below.
pub(super) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0)
}

/// The levels a tree of 64-bit size can have.
fn levels() -> std::ops::Range<u8> {
    0..8
}

/// Index and width of the tiles that hold this many hashes.
fn row(hashes: u64) -> impl Iterator<Item = (u64, u16)> {
    let width = u64::from(TILE_WIDTH);
    let full = hashes / width;
    let rest = u16::try_from(hashes % width).ok().filter(|rest| *rest > 0);
    (0..full).map(|index| (index, TILE_WIDTH)).chain(rest.map(move |rest| (full, rest)))
}
