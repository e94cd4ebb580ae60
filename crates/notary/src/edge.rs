//! The growing edge of the tree, in tiles: what each level's unfinished tile holds so far.

use assay_ledger::tile::TILE_WIDTH;
use assay_ledger::{Hash, TilePath, empty_root, node_hash};

/// How many levels of tiles a tree of 64-bit size can have.
pub(crate) const LEVELS: u8 = 8;

/// A tile that has just become full, and never changes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FullTile {
    pub(crate) path: TilePath,
    pub(crate) hashes: Vec<Hash>,
}

/// The unfinished tiles of a tree, level by level from the leaves up: at most 64 KiB, however long the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// An edge out of its rows, which the caller has read from full tiles and from the journal.
    pub(crate) const fn new(size: u64, rows: Vec<Vec<Hash>>) -> Self {
        Self { size, rows }
    }

    /// How many leaves the tree has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// The unfinished tile of a level; empty where there is none.
    pub(crate) fn row(&self, level: u8) -> &[Hash] {
        self.rows.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// Appends the next leaf's hash; tiles that become full by it are added to `full`, the lowest first.
    pub(crate) fn append(&mut self, leaf: Hash, full: &mut Vec<FullTile>) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..LEVELS {
            let row = usize::from(level);
            if self.rows.len() == row {
                self.rows.push(Vec::new());
            }
            let Some(hashes) = self.rows.get_mut(row) else { return };
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let hashes = std::mem::take(hashes);
            hash = fold(&hashes);
            let index = full_tiles(level, self.size).saturating_sub(1);
            full.push(FullTile { path: TilePath { level, index, width: TILE_WIDTH }, hashes });
        }
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let peaks: Vec<Hash> = self.rows.iter().rev().flat_map(|row| peaks(row)).collect();
        let root = peaks.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        root.unwrap_or_else(empty_root)
    }
}

/// How many full tiles a level of a tree of `size` leaves has.
pub(crate) fn full_tiles(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0)
}

/// How many hashes the tiles of a level hold together.
pub(crate) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The root over a full tile's hashes, or over any power of two of them.
pub(crate) fn fold(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// The roots of the complete subtrees a row of fewer than 256 hashes is made of, largest first.
fn peaks(mut row: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    for bit in (0..8).rev() {
        if let Some((subtree, rest)) = row.split_at_checked(1 << bit) {
            peaks.push(fold(subtree));
            row = rest;
        }
    }
    peaks
}

#[cfg(test)]
mod tests {
    use assay_ledger::{Frontier, leaf_hash, new_full_tiles};

    use super::*;

    #[test]
    fn the_edge_has_the_root_of_the_frontier_at_every_size() {
        let (mut edge, mut frontier) = (Edge::default(), Frontier::new());
        assert_eq!(edge.root(), frontier.root());
        for number in 0..70_000_u64 {
            let leaf = leaf_hash(&number.to_be_bytes());
            edge.append(leaf, &mut Vec::new());
            frontier.append(leaf);
            if number < 1_000 || number % 251 == 0 || (65_500..65_560).contains(&number) {
                assert_eq!(edge.root(), frontier.root(), "{number}");
            }
        }
        assert_eq!(edge.size(), 70_000);
    }

    #[test]
    fn every_tile_comes_out_once_when_it_is_full() {
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        (0..70_000_u64).for_each(|n| edge.append(leaf_hash(&n.to_be_bytes()), &mut full));
        let mut found: Vec<TilePath> = full.iter().map(|tile| tile.path).collect();
        found.sort_unstable();
        assert_eq!(found, new_full_tiles(0, 70_000).collect::<Vec<_>>());
        let above = full.iter().find(|tile| tile.path.level == 1).unwrap();
        let below = full.iter().filter(|tile| tile.path.level == 0).take(256);
        assert_eq!(above.hashes, below.map(|tile| fold(&tile.hashes)).collect::<Vec<_>>());
    }
}
