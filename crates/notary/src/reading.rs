//! What the notary shows: checkpoints, tiles and proofs, each checked before it is given away.

use std::cmp::Ordering;
use std::sync::Arc;

use assay_ledger::tile::TILE_WIDTH;
use assay_ledger::{
    EntriesPath, Hash, TilePath, TileTree, Tiles, consistency_proof, entries_tile, inclusion_proof,
    leaf_hash, root_at, verify_consistency, verify_inclusion,
};
use assay_store::leaf::leaf_record;

use crate::edge::{LEVELS, full_tiles, hashes_at};
use crate::error::NotaryError;
use crate::notary::{Notary, Published, read};

type Result<T> = std::result::Result<T, NotaryError>;

/// The most checkpoints on a page.
pub(crate) const PAGE_MAX: usize = 500;

impl Notary {
    /// The checkpoint over exactly `size` entries; nothing where none was signed at that size.
    pub fn at_size(&self, size: u64) -> Result<Option<Published>> {
        if size > self.published_size() || read(&self.sizes).binary_search(&size).is_err() {
            return Ok(None);
        }
        self.checkpoints.load(size)
    }

    /// Checkpoints, the newest first, those over fewer than `before` entries; at most `limit`, and never above 500.
    pub fn page(&self, before: Option<u64>, limit: usize) -> Result<Vec<Published>> {
        let below = before.unwrap_or(u64::MAX).min(self.published_size().saturating_add(1));
        let wanted: Vec<u64> = {
            let sizes = read(&self.sizes);
            let end = sizes.partition_point(|size| *size < below);
            let older = sizes.get(..end).unwrap_or_default();
            older.iter().rev().take(limit.min(PAGE_MAX)).copied().collect()
        };
        let lost =
            |size| NotaryError::Damaged(format!("the checkpoint over {size} entries is gone"));
        wanted
            .into_iter()
            .map(|size| self.checkpoints.load(size)?.ok_or_else(|| lost(size)))
            .collect()
    }

    /// A tile's bytes, 32 for each hash; nothing where the newest checkpoint's tree has no such tile.
    pub fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>> {
        let there = path.level < LEVELS
            && is_within(path.index, path.width, hashes_at(path.level, self.published_size()));
        if !there {
            return Ok(None);
        }
        Ok(Some(Tiles::tile(self, path)?.into_flattened()))
    }

    /// The records of entries as a tile's bytes; nothing where the newest checkpoint's tree has no such tile.
    ///
    /// # Errors
    /// [`NotaryError::Damaged`] where a record is not the one that was signed.
    pub fn entries_tile(&self, path: EntriesPath) -> Result<Option<Vec<u8>>> {
        if !is_within(path.index, path.width, self.published_size()) {
            return Ok(None);
        }
        let hashes =
            Tiles::tile(self, TilePath { level: 0, index: path.index, width: path.width })?;
        let mut records = Vec::with_capacity(hashes.len());
        let first = path.index << 8;
        while records.len() < hashes.len() {
            let after = first + u64::try_from(records.len()).unwrap_or(0);
            let entries = self.journal.entries(after, hashes.len() - records.len())?;
            if entries.is_empty() {
                return Err(NotaryError::Damaged(format!(
                    "the journal has no entry {}",
                    after + 1
                )));
            }
            for entry in entries {
                let recorded = &entry.recorded;
                let record = leaf_record(
                    entry.position,
                    &recorded.stream,
                    recorded.revision,
                    &recorded.fact,
                );
                if hashes.get(records.len()) != Some(&leaf_hash(&record)) {
                    let position = entry.position;
                    let what = format!("entry {position} is not the one that was signed");
                    return Err(NotaryError::Damaged(what));
                }
                records.push(record);
            }
        }
        let tile = entries_tile(&records);
        tile.map(Some).map_err(|error| NotaryError::Damaged(error.to_string()))
    }

    /// The proof that leaf `index` (entry `index + 1`) is in the tree of `size` leaves.
    ///
    /// # Errors
    /// [`NotaryError::Beyond`] where the leaf is not in that tree or the tree beyond the newest checkpoint;
    /// [`NotaryError::Damaged`] where the journal's leaf is not the one that was signed.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>> {
        self.must_hold(size)?;
        if index >= size {
            return Err(NotaryError::Beyond { asked: index, has: size });
        }
        let tree = TileTree::new(self, size);
        let proof = inclusion_proof(&tree, index, size)?;
        let position = index + 1;
        let leaf = self.journal.leaves(index, 1)?.first().copied();
        let leaf = leaf
            .ok_or_else(|| NotaryError::Damaged(format!("the journal has no entry {position}")))?;
        let root = self.root_at(size)?;
        verify_inclusion(&leaf, index, size, &proof, &root).map_err(|error| {
            NotaryError::Damaged(format!(
                "entry {position} is not the one that was signed: {error}"
            ))
        })?;
        Ok(proof)
    }

    /// The proof that the tree of `new` leaves continues the one of `old`.
    ///
    /// # Errors
    /// [`NotaryError::Beyond`] where `old` is above `new` or `new` beyond the newest checkpoint.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>> {
        self.must_hold(new)?;
        if old > new {
            return Err(NotaryError::Beyond { asked: old, has: new });
        }
        let proof = consistency_proof(&TileTree::new(self, new), old, new)?;
        let (old_root, new_root) = (self.root_at(old)?, self.root_at(new)?);
        verify_consistency(old, &old_root, new, &new_root, &proof).map_err(|error| {
            NotaryError::Damaged(format!("the tiles do not fit together: {error}"))
        })?;
        Ok(proof)
    }

    /// The root the tree had at this size.
    ///
    /// # Errors
    /// [`NotaryError::Beyond`] beyond the newest checkpoint.
    pub fn root_at(&self, size: u64) -> Result<Hash> {
        self.must_hold(size)?;
        let root = root_at(&TileTree::new(self, size), size)?;
        let latest = self.latest();
        let signed = latest.filter(|latest| latest.checkpoint.size == size);
        if signed.is_some_and(|signed| signed.checkpoint.root != root) {
            return Err(NotaryError::Damaged(format!(
                "the tiles over {size} entries do not lead to the root that was signed"
            )));
        }
        Ok(root)
    }

    /// The root over the journal's first `size` entries, signed or not; nothing where it is not that long.
    ///
    /// # Errors
    /// Where the journal is no longer what was signed.
    pub fn root_over(&self, size: u64) -> Result<Option<Hash>> {
        if self.journal.head()? < size {
            return Ok(None);
        }
        let edge = Arc::clone(&read(&self.edge));
        if size < edge.size() {
            return Ok(Some(root_at(&TileTree::new(self, size), size)?));
        }
        Ok(Some(self.extend(&edge, size, &mut |_| Ok(()))?.root()))
    }

    pub(crate) fn published_size(&self) -> u64 {
        self.latest.borrow().as_ref().map_or(0, |latest| latest.checkpoint.size)
    }

    fn must_hold(&self, size: u64) -> Result<()> {
        let has = self.published_size();
        if size <= has { Ok(()) } else { Err(NotaryError::Beyond { asked: size, has }) }
    }

    /// A full tile, made anew with all others where its file is lost.
    fn full_tile(&self, level: u8, index: u64) -> Result<Vec<Hash>> {
        if let Some(hashes) = self.shelf.read(level, index)? {
            return Ok(hashes);
        }
        let edge = Arc::clone(&read(&self.edge));
        tracing::warn!(level, index, "a tile is lost: all are made anew from the journal");
        self.rebuild(edge.size(), &edge.root()).map_err(|error| match error {
            NotaryError::Refused(why) => self.refuse(why),
            other => other,
        })?;
        let lost = || NotaryError::Damaged(format!("tile {index} of level {level} is lost"));
        self.shelf.read(level, index)?.ok_or_else(lost)
    }
}

impl Tiles for Notary {
    type Error = NotaryError;

    /// The first hashes of a tile, of any tree up to the one last signed.
    fn tile(&self, path: TilePath) -> Result<Vec<Hash>> {
        let edge = Arc::clone(&read(&self.edge));
        let full = full_tiles(path.level, edge.size());
        let mut hashes = match path.index.cmp(&full) {
            Ordering::Less => self.full_tile(path.level, path.index)?,
            Ordering::Equal => edge.row(path.level).to_vec(),
            Ordering::Greater => Vec::new(),
        };
        hashes.truncate(usize::from(path.width));
        Ok(hashes)
    }
}

/// Whether a tile of this width is among so many hashes.
fn is_within(index: u64, width: u16, hashes: u64) -> bool {
    let start = index.checked_mul(u64::from(TILE_WIDTH));
    let end = start.and_then(|start| start.checked_add(u64::from(width)));
    (1..=TILE_WIDTH).contains(&width) && end.is_some_and(|end| end <= hashes)
}
