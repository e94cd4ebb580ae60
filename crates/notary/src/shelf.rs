//! The full tiles on disk, one file each, which are written once and never change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assay_ledger::tile::TILE_WIDTH;
use assay_ledger::{Hash, TilePath};

use crate::edge::FullTile;
use crate::error::NotaryError;
use crate::files;

/// How many bytes the file of a full tile has.
pub(crate) const TILE_BYTES: usize = 32 * 256;

/// How many tiles are brought to disk together.
pub(crate) const BATCH_TILES: usize = 64;

/// The directory of full tiles. **Shape**: `tile/<level>/<index>` beneath it, 256 hashes of 32 bytes each.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    root: PathBuf,
}

impl Shelf {
    /// The shelf in this directory, which need not exist yet.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a tile stands.
    pub(crate) fn place(&self, path: TilePath) -> PathBuf {
        self.root.join(path.to_string())
    }

    /// The hashes of a full tile; nothing where there is no file of the right length.
    pub(crate) fn read(&self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, NotaryError> {
        let place = self.place(TilePath { level, index, width: TILE_WIDTH });
        let limit = u64::try_from(TILE_BYTES).unwrap_or(u64::MAX);
        let bytes = match files::read(&place, limit) {
            Err(NotaryError::Damaged(what)) => {
                tracing::error!(%what, "a tile is damaged");
                None
            }
            other => other?,
        };
        let hashes = bytes.filter(|bytes| bytes.len() == TILE_BYTES);
        Ok(hashes.map(|bytes| bytes.as_chunks().0.to_vec()))
    }

    /// Brings tiles to disk, in batches: when this returns they are there, whatever happens next.
    pub(crate) fn write(&self, tiles: &[FullTile]) -> Result<(), NotaryError> {
        for batch in tiles.chunks(BATCH_TILES) {
            self.write_batch(batch)?;
        }
        Ok(())
    }

    fn write_batch(&self, tiles: &[FullTile]) -> Result<(), NotaryError> {
        let (mut written, mut dirs) = (Vec::new(), BTreeSet::new());
        for tile in tiles {
            let place = self.place(tile.path);
            let dir = files::parent(&place).to_owned();
            if !dirs.contains(&dir) {
                files::private_dir(&dir)?;
            }
            // A new directory is a name in the one above it, up to the shelf.
            dirs.extend(
                dir.ancestors().take_while(|dir| dir.starts_with(&self.root)).map(Path::to_owned),
            );
            written.push((files::write_beside(&place, tile.hashes.as_flattened())?, place));
        }
        for (beside, place) in &written {
            files::settle(beside, place)?;
        }
        dirs.iter().try_for_each(|dir| files::sync_dir(dir))
    }
}
