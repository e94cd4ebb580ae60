//! The growing edge of the tree: all that must be kept to append the next leaf and to know the root.

use crate::hash::{Hash, empty_root, node_hash};

/// The roots of the complete subtrees that cover all leaves, largest first: one per set bit of the size.
///
/// Also called a compact range. It holds at most 64 hashes, however long the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

/// Stored bytes are no frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontierError;

impl std::fmt::Display for FrontierError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("these bytes are no frontier of a tree")
    }
}

impl std::error::Error for FrontierError {}

impl Frontier {
    /// The frontier of the empty tree.
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Appends the next leaf's hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        // As in binary counting: every trailing one is a complete subtree as large as ours, to its left.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                subtree = node_hash(&left, &subtree);
            }
        }
        self.peaks.push(subtree);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let folded =
            self.peaks.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(empty_root)
    }

    /// The complete subtrees' roots, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// For storing: the size as 8 bytes big-endian, then the peaks, largest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + 32 * self.peaks.len());
        out.extend_from_slice(&self.size.to_be_bytes());
        self.peaks.iter().for_each(|peak| out.extend_from_slice(peak));
        out
    }

    /// Reads what [`Self::to_bytes`] wrote; anything else is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(FrontierError)?;
        let size = u64::from_be_bytes(*size);
        let (peaks, left_over) = rest.as_chunks::<32>();
        let wanted = usize::try_from(size.count_ones()).map_err(|_| FrontierError)?;
        if !left_over.is_empty() || peaks.len() != wanted {
            return Err(FrontierError);
        }
        Ok(Self { size, peaks: peaks.to_vec() })
    }
}

/// The root of the tree over these leaves' hashes.
pub fn root_of(leaves: impl IntoIterator<Item = Hash>) -> Hash {
    let mut frontier = Frontier::new();
    leaves.into_iter().for_each(|leaf| frontier.append(leaf));
    frontier.root()
}
