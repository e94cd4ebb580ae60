//! The tree as RFC 6962 defines it, recursively and slowly, and tiles as C2SP tlog-tiles defines them.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;

use assay_ledger::{Hash, Subtrees, TilePath, Tiles, empty_root, leaf_hash, node_hash};

pub(crate) fn leaf(n: u64) -> Hash {
    leaf_hash(format!("record {n}").as_bytes())
}

/// A log whose `n`th leaf is [`leaf`] of `n`; remembers what it has hashed.
#[derive(Default)]
pub(crate) struct Reference {
    hashed: RefCell<HashMap<(u64, u64), Hash>>,
}

/// The largest power of two smaller than `n`: "k" in the RFC.
fn k(n: u64) -> u64 {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

impl Reference {
    /// MTH(D[start:end]), section 2.1.
    pub(crate) fn mth(&self, start: u64, end: u64) -> Hash {
        if let Some(hash) = self.hashed.borrow().get(&(start, end)) {
            return *hash;
        }
        let n = end - start;
        let hash = match n {
            0 => empty_root(),
            1 => leaf(start),
            _ => node_hash(&self.mth(start, start + k(n)), &self.mth(start + k(n), end)),
        };
        self.hashed.borrow_mut().insert((start, end), hash);
        hash
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        self.mth(0, size)
    }

    /// PATH(m, D[start:end]), section 2.1.1.
    pub(crate) fn path(&self, m: u64, start: u64, end: u64) -> Vec<Hash> {
        let n = end - start;
        if n == 1 {
            return vec![];
        }
        let split = start + k(n);
        let (mut path, sibling) = if m < k(n) {
            (self.path(m, start, split), self.mth(split, end))
        } else {
            (self.path(m - k(n), split, end), self.mth(start, split))
        };
        path.push(sibling);
        path
    }

    /// PROOF(m, D[n]), section 2.1.2.
    pub(crate) fn proof(&self, m: u64, n: u64) -> Vec<Hash> {
        if m == 0 || m == n { vec![] } else { self.subproof(m, 0, n, true) }
    }

    /// SUBPROOF(m, D[start:end], b), section 2.1.2.
    fn subproof(&self, m: u64, start: u64, end: u64, b: bool) -> Vec<Hash> {
        let n = end - start;
        if m == n {
            return if b { vec![] } else { vec![self.mth(start, end)] };
        }
        let split = start + k(n);
        let (mut proof, other) = if m <= k(n) {
            (self.subproof(m, start, split, b), self.mth(split, end))
        } else {
            (self.subproof(m - k(n), split, end, false), self.mth(start, split))
        };
        proof.push(other);
        proof
    }
}

impl Subtrees for Reference {
    type Error = Infallible;

    fn subtree(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(self.mth(index << level, (index + 1) << level))
    }
}

/// Tiles by their definition: MTH(D[(n * 256 + i) * 256**l : (n * 256 + i + 1) * 256**l]).
impl Tiles for Reference {
    type Error = Infallible;

    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, Infallible> {
        let span = 256_u64.pow(u32::from(path.level));
        let hash = |i: u64| {
            let start = (path.index * 256 + i) * span;
            self.mth(start, start + span)
        };
        Ok((0..u64::from(path.width)).map(hash).collect())
    }
}

/// Numbers that look random and are the same at every run (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// What becomes of a text when `times` times one byte is changed, dropped or added, or one line changed, dropped,
/// doubled or moved: each outcome once, the text itself and what is no text left out.
pub(crate) fn mutations(text: &str, times: usize) -> BTreeSet<String> {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut all: BTreeSet<_> = (0..times).filter_map(|_| mutated(text, &mut dice)).collect();
    all.remove(text);
    all
}

fn mutated(text: &str, dice: &mut Dice) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    let at = dice.below(bytes.len());
    let byte = u8::try_from(dice.below(256)).unwrap();
    match dice.below(7) {
        0 => bytes[at] = byte,
        1 => bytes[at] ^= 1 << dice.below(8),
        2 => {
            bytes.remove(at);
        }
        3 => bytes.insert(at, byte),
        4 => bytes.truncate(at),
        _ => return Some(mutated_lines(text, dice)),
    }
    String::from_utf8(bytes).ok()
}

fn mutated_lines(text: &str, dice: &mut Dice) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (from, to) = (dice.below(lines.len()), dice.below(lines.len()));
    match dice.below(4) {
        0 => {
            lines.remove(from);
        }
        1 => lines.insert(to, lines[from]),
        2 => lines.swap(from, to),
        _ => lines.insert(to, "\n"),
    }
    lines.concat()
}
