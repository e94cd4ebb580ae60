//! The tree against the published vectors of Certificate Transparency and against the RFC's own recursive definition.

use assay_ledger::{Frontier, Hash, empty_root, leaf_hash, node_hash, root_of};
use proptest::prelude::*;

const INPUTS: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_published_vectors_hold() {
    let mut frontier = Frontier::new();
    for (input, root) in INPUTS.iter().zip(ROOTS) {
        frontier.append(leaf_hash(&hex::decode(input).unwrap()));
        assert_eq!(hex::encode(frontier.root()), root, "at size {}", frontier.size());
    }
    assert_eq!(frontier.peaks().len(), 1, "eight leaves are one complete subtree");
}

#[test]
fn the_root_of_nothing_is_the_hash_of_nothing() {
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hex::encode(Frontier::new().root()), nothing);
    assert_eq!(root_of([]), empty_root());
}

#[test]
fn bytes_that_are_no_frontier_are_refused() {
    let mut frontier = Frontier::new();
    (0..5_u8).for_each(|n| frontier.append(leaf_hash(&[n])));
    let bytes = frontier.to_bytes();
    assert!(Frontier::from_bytes(&[]).is_err());
    assert!(Frontier::from_bytes(&bytes[..bytes.len() - 1]).is_err(), "a cut peak");
    assert!(Frontier::from_bytes(&bytes[..bytes.len() - 32]).is_err(), "a missing peak");
    assert!(Frontier::from_bytes(&[bytes.as_slice(), &[0; 32]].concat()).is_err(), "one too many");
}

/// RFC 6962, section 2.1, word by word.
fn merkle_tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            node_hash(&merkle_tree_hash(left), &merkle_tree_hash(right))
        }
    }
}

proptest! {
    #[test]
    fn the_frontier_agrees_with_the_definition(records in prop::collection::vec(any::<[u8; 4]>(), 0..200)) {
        let leaves: Vec<Hash> = records.iter().map(|record| leaf_hash(record)).collect();
        prop_assert_eq!(root_of(leaves.iter().copied()), merkle_tree_hash(&leaves));
    }

    #[test]
    fn a_stored_frontier_goes_on_as_if_never_stored(before in 0..300_u32, after in 0..300_u32) {
        let leaf = |n: u32| leaf_hash(&n.to_be_bytes());
        let mut kept = Frontier::new();
        (0..before).for_each(|n| kept.append(leaf(n)));
        let mut read = Frontier::from_bytes(&kept.to_bytes()).unwrap();
        prop_assert_eq!(&read, &kept);
        (before..before + after).for_each(|n| read.append(leaf(n)));
        prop_assert_eq!(read.root(), root_of((0..before + after).map(leaf)));
    }
}
