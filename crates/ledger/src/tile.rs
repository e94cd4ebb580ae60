//! The tree in tiles: plain files of up to 256 hashes each, which a web server can hand out as they are.
//!
//! Read in this order: [`TilePath`] (how a tile is called), [`tiles_of`] (which ones there are),
//! [`TileTree`] (proofs out of tiles), [`entries_tile`] (the records themselves). Source: C2SP tlog-tiles.

mod entries;
mod path;
mod set;
mod tree;

pub use entries::{EntriesError, entries_tile, parse_entries_tile};
pub use path::{EntriesPath, TilePath, TilePathError};
pub use set::{entries_tiles_of, new_full_tiles, tiles_of};
pub use tree::{TileTree, TileTreeError, Tiles};

/// How many hashes or records a full tile holds.
pub const TILE_WIDTH: u16 = 256;

/// How many levels of the tree one level of tiles spans: `2^8` is 256.
pub const TILE_HEIGHT: u8 = 8;
