//! Mirrors of every size around the edges of tiles hold, and every tile of every level counts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use assay_bundle::fixtures::{Chance, ORIGIN, Outcome, World};
use assay_bundle::{BundleError, CheckName, MirrorFiles, State, Trust, verify_tiles};
use assay_ledger::{Checkpoint, Hash, root_of, tiles_of};

/// A mirror in memory.
#[derive(Default)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    asked: RefCell<Vec<String>>,
}

impl MirrorFiles for Memory {
    fn read(&self, path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        self.asked.borrow_mut().push(path.to_owned());
        match self.files.get(path) {
            Some(bytes) if u64::try_from(bytes.len()).is_ok_and(|length| length > bytes_max) => {
                Err(io::ErrorKind::FileTooLarge.into())
            }
            other => Ok(other.cloned()),
        }
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    let mut chance = Chance::new(5);
    (0..count).map(|_| chance.bytes()).collect()
}

/// The mirror of a tree over these leaves, without records.
fn mirror(leaves: &[Hash], size: u64) -> Outcome<Memory> {
    let leaves = leaves.get(..usize::try_from(size)?).ok_or("too few leaves")?;
    let mut memory = Memory::default();
    let mut rows: Vec<Vec<Hash>> = vec![leaves.to_vec()];
    while rows.last().is_some_and(|row| row.len() >= 256) {
        let below = rows.last().ok_or("a row")?;
        rows.push(below.chunks_exact(256).map(|tile| root_of(tile.iter().copied())).collect());
    }
    for path in tiles_of(size) {
        let row = rows.get(usize::from(path.level)).ok_or("a row")?;
        let first = usize::try_from(path.index * 256)?;
        let tile = row.get(first..first + usize::from(path.width)).ok_or("a tile")?.concat();
        memory.files.insert(path.to_string(), tile);
    }
    let root = root_of(leaves.iter().copied());
    let note = World::signed(&Checkpoint::new(ORIGIN, size, root))?;
    memory.files.insert("checkpoint".to_owned(), note.to_text().into());
    Ok(memory)
}

fn trust() -> Outcome<Trust> {
    World::new(0, 0)?.trust(None)
}

#[test]
fn mirrors_of_all_sizes_hold() -> Outcome<()> {
    let leaves = leaves(66_000);
    let sizes = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 66_000];
    for size in sizes {
        let memory = mirror(&leaves, size)?;
        let mut last = (0, size);
        let report = verify_tiles(&memory, &trust()?, |done, total| last = (done, total))?;
        assert!(report.holds(), "{size}:\n{report}");
        assert_eq!(last, (size, size));
        let asked = memory.asked.borrow();
        let unread: Vec<_> = memory.files.keys().filter(|path| !asked.contains(path)).collect();
        assert!(unread.is_empty(), "{size}: not looked at: {unread:?}");
    }
    Ok(())
}

#[test]
fn a_flipped_bit_in_any_tile_is_found() -> Outcome<()> {
    let leaves = leaves(1_100);
    let good = mirror(&leaves, 1_100)?;
    let mut chance = Chance::new(9);
    for path in good.files.keys().filter(|path| path.starts_with("tile/")) {
        for _ in 0..8 {
            let mut bad = Memory { files: good.files.clone(), ..Memory::default() };
            let tile = bad.files.get_mut(path).ok_or("a tile")?;
            let at = chance.below(tile.len());
            tile[at] ^= 1 << chance.below(8);
            let report = verify_tiles(&bad, &trust()?, |_, _| ())?;
            assert_eq!(report.state_of(CheckName::Tiles), Some(State::Fails), "{path} at {at}");
        }
    }
    Ok(())
}

#[test]
fn a_partial_tile_may_be_read_from_the_full_one_it_grew_into() -> Outcome<()> {
    let leaves = leaves(600);
    let (grown, mut memory) = (mirror(&leaves, 512)?, mirror(&leaves, 300)?);
    let full = grown.files.get("tile/0/001").ok_or("a full tile")?.clone();
    memory.files.remove("tile/0/001.p/44");
    memory.files.insert("tile/0/001".to_owned(), full);
    assert!(verify_tiles(&memory, &trust()?, |_, _| ())?.holds());
    Ok(())
}

#[test]
fn older_checkpoints_are_recomputed() -> Outcome<()> {
    let leaves = leaves(600);
    let memory = mirror(&leaves, 600)?;
    let note = |size: u64, leaves: &[Hash]| -> Outcome<_> {
        let first = &leaves[..usize::try_from(size)?];
        World::signed(&Checkpoint::new(ORIGIN, size, root_of(first.iter().copied())))
    };
    let mut others = leaves.clone();
    others[3][0] ^= 1;
    let asked = [
        (
            vec![note(0, &leaves)?, note(1, &leaves)?, note(257, &leaves)?, note(600, &leaves)?],
            true,
        ),
        (vec![note(257, &leaves)?, note(300, &others)?], false),
        (vec![World::signed(&Checkpoint::new(ORIGIN, 601, [1; 32]))?], false),
        (vec![World::signed(&Checkpoint::new("elsewhere", 1, leaves[0]))?], false),
    ];
    for (older, holds) in asked {
        let report = verify_tiles(&memory, &Trust { older, ..trust()? }, |_, _| ())?;
        let wanted = if holds { State::Holds } else { State::Fails };
        assert_eq!(report.state_of(CheckName::Older), Some(wanted), "{report}");
    }
    Ok(())
}

#[test]
fn without_a_checkpoint_or_a_key_there_is_nothing_to_say() -> Outcome<()> {
    let leaves = leaves(3);
    let mut memory = mirror(&leaves, 3)?;
    let nobody = Trust::default();
    assert!(matches!(verify_tiles(&memory, &nobody, |_, _| ()), Err(BundleError::NoKey)));
    memory.files.remove("checkpoint");
    assert!(matches!(verify_tiles(&memory, &trust()?, |_, _| ()), Err(BundleError::Io(_))));
    Ok(())
}
