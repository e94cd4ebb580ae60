//! The three hashes of the tree: of nothing, of a leaf and of two subtrees (RFC 6962, section 2.1).

use sha2::{Digest, Sha256};

/// A SHA-256 hash of a leaf, a subtree or the whole tree.
pub type Hash = [u8; 32];

/// Hashes a leaf: SHA-256 of `0x00` and the record.
pub fn leaf_hash(record: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(record).finalize().into()
}

/// Hashes two subtrees: SHA-256 of `0x01`, the left and the right one.
///
/// The first byte differs from a leaf's, so that nobody can pass a node off as a leaf.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([0x01]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}
