//! Proofs of many entries of one tree: tiles are read once and kept while the file is made.

use std::cell::RefCell;
use std::collections::HashMap;

use assay_ledger::{Hash, TilePath, TileTree, Tiles, inclusion_proof};
use assay_notary::{Notary, NotaryError};

/// The most tiles that are kept: 8 KiB each.
const TILES_MAX: usize = 1_024;

/// Makes proofs against one size of the notary's tree.
///
/// Whoever writes them into a file checks each against the signed root first.
pub(super) struct Proofs<'a> {
    notary: &'a Notary,
    size: u64,
    kept: RefCell<HashMap<TilePath, Vec<Hash>>>,
}

impl<'a> Proofs<'a> {
    pub(super) fn of(notary: &'a Notary, size: u64) -> Self {
        Self { notary, size, kept: RefCell::default() }
    }

    /// The proof of a leaf, counted from 0.
    pub(super) fn inclusion(&self, index: u64) -> Result<Vec<Hash>, NotaryError> {
        let tree = TileTree::new(self, self.size);
        Ok(inclusion_proof(&tree, index, self.size)?)
    }
}

impl Tiles for Proofs<'_> {
    type Error = NotaryError;

    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, NotaryError> {
        if let Some(kept) = self.kept.borrow().get(&path) {
            return Ok(kept.clone());
        }
        let hashes = Tiles::tile(self.notary, path)?;
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= TILES_MAX {
            // Entries come in order: what was needed long ago is not needed again soon.
            kept.clear();
        }
        kept.insert(path, hashes.clone());
        Ok(hashes)
    }
}
