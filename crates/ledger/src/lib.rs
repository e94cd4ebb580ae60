//! The ledger: a Merkle tree over the journal's entries, by the book (RFC 6962), so that others can check it.
//!
//! Read in this order: [`hash`] (leaves and nodes), [`frontier`] (the growing edge of the tree).

pub mod frontier;
pub mod hash;

pub use frontier::{Frontier, FrontierError, root_of};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
