//! Records in one file: each behind its length, up to 256 of them.

use crate::tile::TILE_WIDTH;

/// Why records make no tile, or bytes no records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntriesError {
    /// A record has more than 65 535 bytes.
    #[error("record {index} has more than 65535 bytes")]
    TooLong {
        /// Which record, counted from 0.
        index: usize,
    },
    /// A tile holds 1 to 256 records.
    #[error("a tile of records holds 1 to 256 of them")]
    Count,
    /// The last record ends before its length says.
    #[error("the tile of records is cut short")]
    Cut,
}

/// The records as bytes: a big-endian 16-bit length, then the record, for each. Source: C2SP tlog-tiles.
pub fn entries_tile<R: AsRef<[u8]>>(records: &[R]) -> Result<Vec<u8>, EntriesError> {
    if !(1..=usize::from(TILE_WIDTH)).contains(&records.len()) {
        return Err(EntriesError::Count);
    }
    let mut tile = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let record = record.as_ref();
        let length = u16::try_from(record.len()).map_err(|_| EntriesError::TooLong { index })?;
        tile.extend_from_slice(&length.to_be_bytes());
        tile.extend_from_slice(record);
    }
    Ok(tile)
}

/// Reads what [`entries_tile`] wrote.
pub fn parse_entries_tile(mut tile: &[u8]) -> Result<Vec<Vec<u8>>, EntriesError> {
    let mut records = Vec::new();
    while !tile.is_empty() {
        if records.len() == usize::from(TILE_WIDTH) {
            return Err(EntriesError::Count);
        }
        let (length, rest) = tile.split_first_chunk().ok_or(EntriesError::Cut)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (record, rest) = rest.split_at_checked(length).ok_or(EntriesError::Cut)?;
        records.push(record.to_vec());
        tile = rest;
    }
    if records.is_empty() { Err(EntriesError::Count) } else { Ok(records) }
}
