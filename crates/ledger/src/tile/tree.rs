//! Subtrees, and with them all proofs, out of tiles.

use crate::hash::{Hash, node_hash};
use crate::proof::Subtrees;
use crate::tile::set::hashes_at;
use crate::tile::{TILE_HEIGHT, TILE_WIDTH, TilePath};

/// Wherever tiles are kept: a table, a directory, a server.
pub trait Tiles {
    /// Why a tile could not be had.
    type Error;

    /// The hashes of the tile, exactly `path.width` of them.
    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, Self::Error>;
}

impl<T: Tiles + ?Sized> Tiles for &T {
    type Error = T::Error;

    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, Self::Error> {
        (**self).tile(path)
    }
}

/// A tree of a known size, read from tiles.
///
/// It asks for tiles a tree of this size has, and for no others. Tiles are taken at their word: what is
/// made of foreign ones proves something only once checked against a signed root.
#[derive(Clone, Debug)]
pub struct TileTree<T> {
    tiles: T,
    size: u64,
}

/// Why a subtree cannot be made from tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileTreeError<E> {
    /// The tile could not be had.
    #[error("the tile could not be read")]
    Tiles(#[source] E),
    /// The tile has fewer or more hashes than its name says.
    #[error("{path} has {hashes} hashes")]
    Width {
        /// The tile asked for.
        path: TilePath,
        /// How many hashes came.
        hashes: usize,
    },
    /// The subtree reaches beyond the tree.
    #[error("subtree {index} of level {level} is not complete in a tree of {size} leaves")]
    Outside {
        /// The subtree has `2^level` leaves.
        level: u8,
        /// Which subtree of its level, counted from 0.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
}

impl<T> TileTree<T> {
    /// The tree of `size` leaves that these tiles hold.
    pub const fn new(tiles: T, size: u64) -> Self {
        Self { tiles, size }
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The tiles.
    pub const fn tiles(&self) -> &T {
        &self.tiles
    }

    /// The tile that holds the subtree's lowest hashes, where they begin in it, and how many they are.
    fn locate(&self, level: u8, index: u64) -> Option<(TilePath, usize, usize)> {
        let row = level / TILE_HEIGHT;
        let count = 1_u64 << (level % TILE_HEIGHT);
        let full = u64::from(TILE_WIDTH);
        let first = index.checked_mul(count)?;
        let (tile, offset) = (first / full, first % full);
        let width = hashes_at(row, self.size).checked_sub(tile * full)?.min(full);
        let path = TilePath { level: row, index: tile, width: u16::try_from(width).ok()? };
        let inside = offset + count <= width;
        inside.then_some((path, usize::try_from(offset).ok()?, usize::try_from(count).ok()?))
    }
}

impl<T: Tiles> Subtrees for TileTree<T> {
    type Error = TileTreeError<T::Error>;

    fn subtree(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let outside = TileTreeError::Outside { level, index, size: self.size };
        let Some((path, offset, count)) = self.locate(level, index) else {
            return Err(outside);
        };
        let hashes = self.tiles.tile(path).map_err(TileTreeError::Tiles)?;
        if hashes.len() != usize::from(path.width) {
            return Err(TileTreeError::Width { path, hashes: hashes.len() });
        }
        fold(hashes.get(offset..offset + count).unwrap_or_default()).ok_or(outside)
    }
}

/// The root over a power of two of hashes.
fn fold(hashes: &[Hash]) -> Option<Hash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied()
}
