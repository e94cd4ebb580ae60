//! Proofs that a leaf is in the tree and that the tree only grew: made from subtrees, checked by anybody.

use crate::hash::{Hash, empty_root, node_hash};

/// Why a proof proves nothing. Source: RFC 9162, sections 2.1.3.2 and 2.1.4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf's index, counted from 0, lies outside the tree.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    NoSuchLeaf {
        /// Which leaf, counted from 0.
        index: u64,
        /// How many leaves the tree has.
        size: u64,
    },
    /// The newer tree has fewer leaves than the older one.
    #[error("a tree of {old_size} leaves cannot have grown into one of {new_size}")]
    Shrunk {
        /// Leaves of the older tree.
        old_size: u64,
        /// Leaves of the newer tree.
        new_size: u64,
    },
    /// The proof ends before the root is reached.
    #[error("the proof has too few hashes for these sizes")]
    TooShort,
    /// The proof goes on after the root is reached.
    #[error("the proof has more hashes than these sizes call for")]
    TooLong,
    /// The proof leads from the leaf to a root other than the tree's.
    #[error("the proof leads to another root: this leaf is not at this place of this tree")]
    OtherRoot,
    /// The proof does not hold the older tree.
    #[error("the proof does not lead to the older root")]
    OtherOldRoot,
    /// The proof does not lead to the newer tree.
    #[error("the proof does not lead to the newer root: the older tree is no beginning of it")]
    OtherNewRoot,
}

/// Checks that a leaf's hash stands at `index` (counted from 0) of the tree with this size and root.
///
/// Size and root belong together and come from a signed checkpoint: a root alone does not say how many leaves
/// it stands for. Source: RFC 9162, section 2.1.3.2.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let mut climb = Climb { node: index, last: size - 1 };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match climb.up()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    climb.arrived()?;
    if hash == *root { Ok(()) } else { Err(ProofError::OtherRoot) }
}

/// Checks that the older tree is the beginning of the newer one.
///
/// Trees of equal size need equal roots; the empty tree is the beginning of every tree; either needs an
/// empty proof. The root of an empty tree must be [`empty_root`]. Source: RFC 9162, section 2.1.4.2.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Hash,
    new_size: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::Shrunk { old_size, new_size });
    }
    if old_size == 0 && *old_root != empty_root() {
        return Err(ProofError::OtherOldRoot);
    }
    if old_size == 0 || old_size == new_size {
        return match proof {
            [] if old_size == new_size && old_root != new_root => Err(ProofError::OtherNewRoot),
            [] => Ok(()),
            _ => Err(ProofError::TooLong),
        };
    }
    let (mut old, rest) = if old_size.is_power_of_two() {
        (*old_root, proof)
    } else {
        proof.split_first().map(|(first, rest)| (*first, rest)).ok_or(ProofError::TooShort)?
    };
    let mut new = old;
    let whole = (old_size - 1).trailing_ones();
    let mut climb = Climb { node: (old_size - 1) >> whole, last: (new_size - 1) >> whole };
    for sibling in rest {
        match climb.up()? {
            Side::Left => {
                old = node_hash(sibling, &old);
                new = node_hash(sibling, &new);
            }
            Side::Right => new = node_hash(&new, sibling),
        }
    }
    climb.arrived()?;
    if old != *old_root {
        return Err(ProofError::OtherOldRoot);
    }
    if new == *new_root { Ok(()) } else { Err(ProofError::OtherNewRoot) }
}

/// On which side of our node the next hash of the proof stands.
enum Side {
    Left,
    Right,
}

/// The way from a node up to the root: our node's and the last node's index on the level reached.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Goes up to the next level where our node has a sibling.
    fn up(&mut self) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::TooLong);
        }
        let side = if self.node % 2 == 1 || self.node == self.last {
            // The last node of a level may be promoted without a sibling, several levels at once.
            let alone = self.node.trailing_zeros();
            self.node = self.node.checked_shr(alone).unwrap_or(0);
            self.last = self.last.checked_shr(alone).unwrap_or(0);
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Ok(side)
    }

    fn arrived(&self) -> Result<(), ProofError> {
        if self.last == 0 { Ok(()) } else { Err(ProofError::TooShort) }
    }
}

/// Whoever knows the roots of complete subtrees; all proofs are made of these.
pub trait Subtrees {
    /// Why a subtree could not be had.
    type Error;

    /// The root of the complete subtree over the `2^level` leaves from `index * 2^level` on.
    fn subtree(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The hashes from the leaf's sibling up to the root's child: proves leaf `index` of the tree of `size` leaves.
///
/// Outside the tree (`index >= size`) there is nothing to prove: the answer is empty, and
/// [`verify_inclusion`] refuses it. Source: RFC 9162, section 2.1.3.1.
pub fn inclusion_proof<S: Subtrees + ?Sized>(
    tree: &S,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, S::Error> {
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, if index < size { size } else { 0 });
    while end - start > 1 {
        let split = start + left_width(end - start);
        if index < split {
            proof.push(range_root(tree, split, end)?);
            end = split;
        } else {
            proof.push(range_root(tree, start, split)?);
            start = split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The hashes that prove the tree of `old_size` leaves to be the beginning of the one of `new_size` leaves.
///
/// Empty where none are needed (`old_size` is 0 or `new_size`) and where there is nothing to prove
/// (`old_size > new_size`), which [`verify_consistency`] refuses. Source: RFC 9162, section 2.1.4.1.
pub fn consistency_proof<S: Subtrees + ?Sized>(
    tree: &S,
    old_size: u64,
    new_size: u64,
) -> Result<Vec<Hash>, S::Error> {
    if old_size == 0 || old_size >= new_size {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new_size);
    while end != old_size {
        let split = start + left_width(end - start);
        if old_size <= split {
            proof.push(range_root(tree, split, end)?);
            end = split;
        } else {
            proof.push(range_root(tree, start, split)?);
            start = split;
        }
    }
    // From 0 on it is the older tree itself, whose root the reader already has.
    if start > 0 {
        proof.push(range_root(tree, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root the tree had when it had `size` leaves. Source: RFC 9162, section 2.1.1.
pub fn root_at<S: Subtrees + ?Sized>(tree: &S, size: u64) -> Result<Hash, S::Error> {
    range_root(tree, 0, size)
}

/// How many of two or more leaves go to the left: the largest power of two smaller than their number.
fn left_width(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The root over the leaves `start..end`, where `start` is a multiple of a power of two not below their number.
fn range_root<S: Subtrees + ?Sized>(tree: &S, mut start: u64, end: u64) -> Result<Hash, S::Error> {
    let mut subtrees = Vec::new();
    for level in (0..64_u8).rev() {
        if ((end - start) >> level) & 1 == 1 {
            subtrees.push(tree.subtree(level, start >> level)?);
            start += 1 << level;
        }
    }
    let root = subtrees.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(root.unwrap_or_else(empty_root))
}
