//! Proofs against the published vectors of Certificate Transparency and against the RFC's recursive definition.

use assay_ledger::*;
use proptest::prelude::*;

use crate::reference::{Reference, leaf};

/// The eight leaves of github.com/transparency-dev/merkle, `proof/verify_test.go`.
pub(crate) const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

/// The roots of the trees of the first 1 to 8 leaves, same source.
pub(crate) const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const G: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const H: &str = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f";

/// Leaf (counted from 1), size and proof, same source.
const INCLUSION: [(u64, u64, &[&str]); 5] = [
    (1, 1, &[]),
    (1, 8, &[A, B, C]),
    (6, 8, &[D, E, F]),
    (3, 3, &[ROOTS[1]]),
    (2, 5, &[ROOTS[0], B, D]),
];

/// Old size, new size and proof, same source.
const CONSISTENCY: [(u64, u64, &[&str]); 5] =
    [(1, 1, &[]), (1, 8, &[A, B, C]), (6, 8, &[G, E, F]), (2, 5, &[B, D]), (6, 7, &[G, H, F])];

pub(crate) fn hash(hex: &str) -> Hash {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn hashes(hexes: &[&str]) -> Vec<Hash> {
    hexes.iter().map(|hex| hash(hex)).collect()
}

fn root_of_first(size: u64) -> Hash {
    hash(ROOTS[usize::try_from(size).unwrap() - 1])
}

fn published_leaf(number: u64) -> Hash {
    leaf_hash(&hex::decode(LEAVES[usize::try_from(number).unwrap() - 1]).unwrap())
}

/// The published leaves as subtrees.
struct Published;

impl Subtrees for Published {
    type Error = std::convert::Infallible;

    fn subtree(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let leaves = (index << level)..((index + 1) << level);
        Ok(root_of(leaves.map(|index| published_leaf(index + 1))))
    }
}

#[test]
fn the_published_inclusion_proofs_are_made_and_hold() {
    for (number, size, proof) in INCLUSION {
        let proof = hashes(proof);
        assert_eq!(inclusion_proof(&Published, number - 1, size).unwrap(), proof);
        let root = root_of_first(size);
        assert_eq!(
            verify_inclusion(&published_leaf(number), number - 1, size, &proof, &root),
            Ok(())
        );
    }
}

#[test]
fn the_published_consistency_proofs_are_made_and_hold() {
    for (old, new, proof) in CONSISTENCY {
        let proof = hashes(proof);
        assert_eq!(consistency_proof(&Published, old, new).unwrap(), proof);
        let (old_root, new_root) = (root_of_first(old), root_of_first(new));
        assert_eq!(verify_consistency(old, &old_root, new, &new_root, &proof), Ok(()));
    }
}

#[test]
fn the_published_cases_at_the_edges_hold() {
    let (one, other) = ([1; 32], [2; 32]);
    let nothing = empty_root();
    for (index, size) in [(0, 0), (1, 0), (1, 1), (2, 1), (u64::MAX, u64::MAX)] {
        let refused = Err(ProofError::NoSuchLeaf { index, size });
        assert_eq!(verify_inclusion(&one, index, size, &[], &one), refused);
    }
    assert_eq!(verify_consistency(0, &nothing, 0, &nothing, &[]), Ok(()));
    assert_eq!(verify_consistency(0, &nothing, 1, &one, &[]), Ok(()));
    assert_eq!(verify_consistency(1, &one, 1, &one, &[]), Ok(()));
    let too_long = Err(ProofError::TooLong);
    assert_eq!(verify_consistency(0, &nothing, 0, &nothing, &[nothing]), too_long);
    assert_eq!(verify_consistency(0, &nothing, 1, &one, &[one]), too_long);
    assert_eq!(verify_consistency(1, &one, 1, &one, &[one]), too_long);
    assert_eq!(verify_consistency(1, &one, 1, &other, &[]), Err(ProofError::OtherNewRoot));
    assert_eq!(verify_consistency(0, &nothing, 0, &one, &[]), Err(ProofError::OtherNewRoot));
    assert_eq!(verify_consistency(0, &one, 1, &one, &[]), Err(ProofError::OtherOldRoot));
    assert_eq!(verify_consistency(1, &one, 2, &other, &[]), Err(ProofError::TooShort));
    assert_eq!(verify_consistency(3, &one, 4, &other, &[]), Err(ProofError::TooShort));
    let shrunk = Err(ProofError::Shrunk { old_size: 2, new_size: 1 });
    assert_eq!(verify_consistency(2, &one, 1, &one, &[]), shrunk);
}

#[test]
fn every_proof_of_every_small_tree_is_the_definitions_and_holds() {
    let tree = Reference::default();
    for size in 0..=300 {
        let root = tree.root(size);
        assert_eq!(root_at(&tree, size).unwrap(), root);
        for index in 0..size {
            let proof = inclusion_proof(&tree, index, size).unwrap();
            assert_eq!(proof, tree.path(index, 0, size), "leaf {index} of {size}");
            assert_eq!(verify_inclusion(&leaf(index), index, size, &proof, &root), Ok(()));
        }
        for old in 0..=size {
            let proof = consistency_proof(&tree, old, size).unwrap();
            assert_eq!(proof, tree.proof(old, size), "{old} to {size}");
            assert_eq!(verify_consistency(old, &tree.root(old), size, &root, &proof), Ok(()));
        }
    }
}

#[test]
fn where_there_is_nothing_to_prove_the_proof_is_empty() {
    let tree = Reference::default();
    for (index, size) in [(0, 0), (3, 3), (9, 3), (u64::MAX, 3)] {
        assert_eq!(inclusion_proof(&tree, index, size).unwrap(), Vec::<Hash>::new());
    }
    for (old, new) in [(0, 0), (0, 9), (5, 5), (9, 5), (u64::MAX, 0)] {
        assert_eq!(consistency_proof(&tree, old, new).unwrap(), Vec::<Hash>::new());
    }
}

/// Stands for a tree too large to hash: every subtree's root is its own name.
struct Huge;

impl Subtrees for Huge {
    type Error = std::convert::Infallible;

    fn subtree(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let end = (u128::from(index) + 1) << level;
        assert!(end <= u128::from(u64::MAX), "level {level}, index {index}");
        Ok(leaf_hash(format!("{level} {index}").as_bytes()))
    }
}

#[test]
fn the_largest_tree_has_proofs_too() {
    let size = u64::MAX;
    let root = root_at(&Huge, size).unwrap();
    for index in [0, 1, size / 2, size / 2 + 1, size - 2, size - 1] {
        let proof = inclusion_proof(&Huge, index, size).unwrap();
        assert!(proof.len() <= 64, "{}", proof.len());
        // The stand-in's leaf and its nodes do not hash up to one root, the lengths and sides still count.
        let verdict = verify_inclusion(&leaf(index), index, size, &proof, &root);
        assert_eq!(verdict, Err(ProofError::OtherRoot));
    }
    for old in [1, size / 2, size / 2 + 1, size - 1] {
        let proof = consistency_proof(&Huge, old, size).unwrap();
        let verdict = verify_consistency(old, &root, size, &root, &proof);
        assert!(matches!(verdict, Err(ProofError::OtherOldRoot | ProofError::OtherNewRoot)));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_verifier_panic_or_agree(
        index: u64, size: u64, proof in prop::collection::vec(any::<Hash>(), 0..70), root: Hash,
    ) {
        prop_assert!(verify_inclusion(&leaf(0), index, size, &proof, &root).is_err());
        prop_assert!(verify_consistency(index, &leaf(1), size, &root, &proof).is_err());
    }
}
