//! Every way to spoil a proof is refused, and verifiers with a planted bug are caught by the same spoiling.

use assay_ledger::*;

use crate::reference::{Reference, leaf};

/// All a verifier of inclusion is given: leaf, index, size, proof, root.
#[derive(Clone, Debug, PartialEq)]
struct Inclusion {
    leaf: Hash,
    index: u64,
    size: u64,
    proof: Vec<Hash>,
    root: Hash,
}

impl Inclusion {
    fn holds(&self) -> bool {
        verify_inclusion(&self.leaf, self.index, self.size, &self.proof, &self.root).is_ok()
    }
}

/// All a verifier of consistency is given.
#[derive(Clone, Debug, PartialEq)]
struct Consistency {
    old: (u64, Hash),
    new: (u64, Hash),
    proof: Vec<Hash>,
}

impl Consistency {
    fn holds(&self) -> bool {
        verify_consistency(self.old.0, &self.old.1, self.new.0, &self.new.1, &self.proof).is_ok()
    }
}

fn inclusion(tree: &Reference, index: u64, size: u64) -> Inclusion {
    let proof = inclusion_proof(tree, index, size).unwrap();
    Inclusion { leaf: leaf(index), index, size, proof, root: tree.root(size) }
}

fn consistency(tree: &Reference, old: u64, new: u64) -> Consistency {
    let proof = consistency_proof(tree, old, new).unwrap();
    Consistency { old: (old, tree.root(old)), new: (new, tree.root(new)), proof }
}

fn flipped(hash: &Hash, bit: usize) -> Hash {
    let mut flipped = *hash;
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

/// The list with one hash flipped in some bit, dropped, doubled, added or swapped with its neighbour.
fn spoiled(proof: &[Hash], foreign: &Hash) -> Vec<Vec<Hash>> {
    let mut out = Vec::new();
    let mut with = |change: &dyn Fn(&mut Vec<Hash>)| {
        let mut changed = proof.to_vec();
        change(&mut changed);
        if changed != proof {
            out.push(changed);
        }
    };
    for at in 0..proof.len() {
        for bit in 0..256 {
            with(&|proof| proof[at] = flipped(&proof[at], bit));
        }
        with(&|proof| {
            proof.remove(at);
        });
        with(&|proof| proof.insert(at, proof[at]));
        with(&|proof| proof[at] = *foreign);
        with(&|proof| proof.truncate(at));
        with(&|proof| proof.rotate_left(at));
        if at > 0 {
            with(&|proof| proof.swap(at - 1, at));
        }
    }
    for at in 0..=proof.len() {
        with(&|proof| proof.insert(at, *foreign));
    }
    with(&|proof| proof.reverse());
    out
}

fn spoiled_inclusions(tree: &Reference, good: &Inclusion) -> Vec<Inclusion> {
    let mut out: Vec<_> = spoiled(&good.proof, &good.root)
        .into_iter()
        .map(|proof| Inclusion { proof, ..good.clone() })
        .collect();
    for bit in 0..256 {
        out.push(Inclusion { leaf: flipped(&good.leaf, bit), ..good.clone() });
        out.push(Inclusion { root: flipped(&good.root, bit), ..good.clone() });
    }
    for index in (0..good.size + 3).filter(|index| *index != good.index) {
        out.push(Inclusion { index, ..good.clone() });
        out.push(Inclusion { leaf: leaf(index), ..good.clone() });
        if index < good.size {
            let proof = inclusion(tree, index, good.size).proof;
            out.push(Inclusion { proof, ..good.clone() });
        }
    }
    for size in [0, good.size * 2, good.size / 2] {
        out.push(Inclusion { size, ..good.clone() });
    }
    for size in (0..good.size + 3).filter(|size| *size != good.size) {
        out.push(Inclusion { root: tree.root(size), ..good.clone() });
    }
    out
}

fn spoiled_consistencies(tree: &Reference, good: &Consistency) -> Vec<Consistency> {
    let (old, new) = (good.old, good.new);
    let mut out: Vec<_> = spoiled(&good.proof, &new.1)
        .into_iter()
        .map(|proof| Consistency { proof, ..good.clone() })
        .collect();
    for bit in 0..256 {
        out.push(Consistency { old: (old.0, flipped(&old.1, bit)), ..good.clone() });
        out.push(Consistency { new: (new.0, flipped(&new.1, bit)), ..good.clone() });
    }
    for size in 0..new.0 + 3 {
        if size != old.0 {
            out.push(Consistency { old: (size, old.1), ..good.clone() });
            out.push(Consistency { old: (old.0, tree.root(size)), ..good.clone() });
        }
        if size != new.0 {
            out.push(Consistency { new: (new.0, tree.root(size)), ..good.clone() });
        }
    }
    out.push(Consistency { old: (old.0, new.1), new: (new.0, old.1), ..good.clone() });
    out.push(Consistency { old: new, new: old, ..good.clone() });
    out.push(Consistency { new: (new.0 * 2, new.1), ..good.clone() });
    out.push(Consistency { new: (new.0 / 2, new.1), ..good.clone() });
    out
}

#[test]
fn a_spoiled_inclusion_proof_is_refused() {
    let tree = Reference::default();
    for size in 1..=17 {
        for index in 0..size {
            let good = inclusion(&tree, index, size);
            assert!(good.holds());
            for bad in spoiled_inclusions(&tree, &good) {
                assert!(!bad.holds(), "{bad:?} instead of {good:?}");
            }
        }
    }
}

#[test]
fn a_spoiled_consistency_proof_is_refused() {
    let tree = Reference::default();
    for new in 2..=17 {
        for old in 1..new {
            let good = consistency(&tree, old, new);
            assert!(good.holds());
            for bad in spoiled_consistencies(&tree, &good) {
                assert!(!bad.holds(), "{bad:?} instead of {good:?}");
            }
        }
    }
}

#[test]
fn another_history_of_the_same_size_is_no_continuation() {
    let tree = Reference::default();
    for (old, new) in [(3, 7), (4, 8), (5, 8), (7, 8)] {
        let mut forked = Frontier::new();
        (0..new).for_each(|n| forked.append(if n == 2 { leaf(99) } else { leaf(n) }));
        let mut bad = consistency(&tree, old, new);
        bad.new.1 = forked.root();
        assert!(!bad.holds());
    }
}

#[test]
fn a_verifier_that_ignores_a_node_is_caught() {
    let tree = Reference::default();
    let good = inclusion(&tree, 5, 13);
    let grown = consistency(&tree, 6, 13);
    for ignored in 0..good.proof.len() {
        let buggy = |given: &Inclusion| {
            let mut proof = given.proof.clone();
            if let Some(node) = proof.get_mut(ignored) {
                *node = good.proof[ignored];
            }
            Inclusion { proof, ..given.clone() }.holds()
        };
        assert!(spoiled_inclusions(&tree, &good).iter().any(buggy), "node {ignored}");
    }
    for ignored in 0..grown.proof.len() {
        let buggy = |given: &Consistency| {
            let mut proof = given.proof.clone();
            if let Some(node) = proof.get_mut(ignored) {
                *node = grown.proof[ignored];
            }
            Consistency { proof, ..given.clone() }.holds()
        };
        assert!(spoiled_consistencies(&tree, &grown).iter().any(buggy), "node {ignored}");
    }
}

#[test]
fn a_verifier_that_ignores_length_or_a_root_is_caught() {
    let tree = Reference::default();
    let good = inclusion(&tree, 5, 13);
    let lengthless = |given: &Inclusion| {
        let mut given = given.clone();
        given.proof.truncate(good.proof.len());
        given.holds()
    };
    assert!(spoiled_inclusions(&tree, &good).iter().any(lengthless));
    let grown = consistency(&tree, 6, 13);
    let no_old_root = |given: &Consistency| Consistency { old: grown.old, ..given.clone() }.holds();
    assert!(spoiled_consistencies(&tree, &grown).iter().any(no_old_root));
    let no_new_root = |given: &Consistency| Consistency { new: grown.new, ..given.clone() }.holds();
    assert!(spoiled_consistencies(&tree, &grown).iter().any(no_new_root));
}
