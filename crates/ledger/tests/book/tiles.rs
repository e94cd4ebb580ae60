//! Tiles: their names, which there are, and that proofs out of them are the proofs.

use std::collections::BTreeSet;

use assay_ledger::tile::TILE_WIDTH;
use assay_ledger::*;
use proptest::prelude::*;

use crate::reference::{Reference, leaf};

fn path(level: u8, index: u64, width: u16) -> TilePath {
    TilePath { level, index, width }
}

#[test]
fn the_published_names_are_read_and_written() {
    let names = [
        ("tile/0/x001/x234/067", path(0, 1_234_067, 256)),
        ("tile/0/x001/234.p/5", path(0, 1234, 5)),
        ("tile/0/000", path(0, 0, 256)),
        ("tile/0/000.p/255", path(0, 0, 255)),
        ("tile/0/255", path(0, 255, 256)),
        ("tile/0/256", path(0, 256, 256)),
        ("tile/1/000.p/1", path(1, 0, 1)),
        ("tile/0/999", path(0, 999, 256)),
        ("tile/0/x001/000", path(0, 1000, 256)),
        ("tile/0/x065/536", path(0, 65_536, 256)),
        ("tile/63/x018/x446/x744/x073/x709/x551/615.p/1", path(63, u64::MAX, 1)),
    ];
    for (name, path) in names {
        assert_eq!(path.to_string(), name);
        assert_eq!(name.parse(), Ok(path));
    }
    let entries = EntriesPath { index: 1_234_067, width: 256 };
    assert_eq!(entries.to_string(), "tile/entries/x001/x234/067");
    assert_eq!("tile/entries/x001/x234/067".parse(), Ok(entries));
    let partial = EntriesPath { index: 1234, width: 7 };
    assert_eq!("tile/entries/x001/234.p/7".parse(), Ok(partial));
    assert!(!partial.is_full() && entries.is_full());
}

#[test]
fn every_other_spelling_is_refused() {
    let wrong = [
        "",
        "/",
        "tile",
        "tile/0",
        "tile/0/",
        "tile//000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/00/000",
        "tile/64/000",
        "tile/256/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/01/000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/000",
        "tile/0/x000/001",
        "tile/0/001/000",
        "tile/0/x1/000",
        "tile/0/x001/x002",
        "tile/0/x001/",
        "tile/0/X001/000",
        "tile/0/x001//000",
        "tile/0/+01",
        "tile/0/ 01",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/05",
        "tile/0/000.p/+5",
        "tile/0/000.p/5.p/5",
        "tile/0/000.p/65537",
        "tile/0/000.p/5/",
        "tile/0/x001.p/5",
        "tile/0/000.P/5",
        "tile/0/000 ",
        "tile/0/000\n",
        "tile/entries/000",
        "tile/data/000",
        "tile/0/٠٠٠",
        "tile/0/x018/x446/x744/x073/x709/x551/616",
        "tile/0/x018/x446/x744/x073/x709/x552/000",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        "checkpoint",
        "tile/0/../000",
    ];
    for name in wrong {
        assert_eq!(name.parse::<TilePath>(), Err(TilePathError), "{name:?}");
    }
    for name in [
        "tile/0/000",
        "tile/entries/",
        "tile/entries/0",
        "tile/entries/x000/000",
        "tile/entries/000.p/0",
    ] {
        assert_eq!(name.parse::<EntriesPath>(), Err(TilePathError), "{name:?}");
    }
}

/// How many full tiles a level has, and how wide its partial one is.
fn row(size: u64, level: u8) -> (usize, Option<u16>) {
    let tiles: Vec<_> = tiles_of(size).filter(|tile| tile.level == level).collect();
    let full = tiles.iter().filter(|tile| tile.is_full()).count();
    (full, tiles.into_iter().find(|tile| !tile.is_full()).map(|tile| tile.width))
}

#[test]
fn the_published_examples_have_the_tiles_they_state() {
    let of_70_000 = [(273, Some(112)), (1, Some(17)), (0, Some(1)), (0, None)];
    for (level, expected) in (0..).zip(of_70_000) {
        assert_eq!(row(70_000, level), expected, "level {level} of 70 000");
    }
    assert_eq!((row(256, 0), row(256, 1), row(256, 2)), ((1, None), (0, Some(1)), (0, None)));
    assert_eq!(
        (row(65_536, 0), row(65_536, 1), row(65_536, 2)),
        ((256, None), (1, None), (0, Some(1)))
    );
    assert_eq!((row(65_535, 0), row(65_535, 1)), ((255, Some(255)), (0, Some(255))));
    assert_eq!(tiles_of(0).count(), 0);
    assert_eq!(entries_tiles_of(70_000).count(), 274);
    assert_eq!(entries_tiles_of(70_000).last(), Some(EntriesPath { index: 273, width: 112 }));
}

#[test]
fn growing_completes_just_the_tiles_that_were_missing() {
    for (old, new) in [
        (0, 0),
        (0, 255),
        (0, 256),
        (255, 256),
        (256, 256),
        (300, 70_000),
        (65_000, 131_073),
        (9, 3),
    ] {
        let full = |size| tiles_of(size).filter(TilePath::is_full).collect::<BTreeSet<_>>();
        let grown: Vec<_> = new_full_tiles(old, new).collect();
        assert!(
            grown.is_sorted_by(|a, b| (a.level, a.index) < (b.level, b.index)),
            "{old} to {new}"
        );
        let expected: Vec<_> = full(new).difference(&full(old)).copied().collect();
        assert_eq!(grown, expected, "{old} to {new}");
    }
}

fn agrees(reference: &Reference, size: u64, index: u64, old: u64) {
    let tree = TileTree::new(reference, size);
    assert_eq!(root_at(&tree, size).unwrap(), reference.root(size), "size {size}");
    assert_eq!(root_at(&tree, old).unwrap(), reference.root(old), "size {old} in {size}");
    let proof = consistency_proof(&tree, old, size).unwrap();
    assert_eq!(proof, reference.proof(old, size), "{old} to {size}");
    if index < size {
        let proof = inclusion_proof(&tree, index, size).unwrap();
        assert_eq!(proof, reference.path(index, 0, size), "leaf {index} of {size}");
        assert_eq!(
            verify_inclusion(&leaf(index), index, size, &proof, &reference.root(size)),
            Ok(())
        );
    }
}

#[test]
fn proofs_out_of_tiles_are_the_definitions() {
    let reference = Reference::default();
    for size in (0..=66).chain([128, 255, 256, 257]) {
        for index in 0..=size {
            agrees(&reference, size, index, index);
        }
    }
}

#[test]
fn proofs_out_of_three_levels_of_tiles_are_the_definitions() {
    let reference = Reference::default();
    for size in [65_535, 65_536, 65_537, 70_000] {
        for index in [0, 255, 256, 65_279, 65_534, size - 1] {
            agrees(&reference, size, index, index + 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn proofs_out_of_tiles_of_any_tree_are_the_definitions(size in 1..5000_u64, a: u64, b: u64) {
        agrees(&Reference::default(), size, a % size, b % (size + 1));
    }

    #[test]
    fn every_name_reads_back(level in 0..64_u8, index: u64, shift in 0..64_u32, width in 1..=256_u16) {
        let path = path(level, index >> shift, width);
        prop_assert_eq!(path.to_string().parse(), Ok(path));
        let entries = EntriesPath { index: index >> shift, width };
        prop_assert_eq!(entries.to_string().parse(), Ok(entries));
    }

    #[test]
    fn whatever_is_read_as_a_name_is_written_the_same(name in "tile/[0-9x/.p]{0,24}") {
        if let Ok(path) = name.parse::<TilePath>() {
            prop_assert_eq!(path.to_string(), name);
        }
    }

    #[test]
    fn records_read_back(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..=256)) {
        let tile = entries_tile(&records).unwrap();
        prop_assert_eq!(parse_entries_tile(&tile), Ok(records));
    }

    #[test]
    fn bytes_that_read_as_records_are_written_the_same(bytes in prop::collection::vec(0..4_u8, 0..60)) {
        if let Ok(records) = parse_entries_tile(&bytes) {
            prop_assert_eq!(entries_tile(&records), Ok(bytes));
        }
    }
}

#[test]
fn a_tile_of_records_has_limits() {
    assert_eq!(entries_tile(&[b"ab".as_slice(), b""]).unwrap(), [0, 2, b'a', b'b', 0, 0]);
    assert_eq!(entries_tile::<Vec<u8>>(&[]), Err(EntriesError::Count));
    assert_eq!(entries_tile(&vec![[0_u8; 1]; 257]), Err(EntriesError::Count));
    assert_eq!(
        entries_tile(&[vec![], vec![0_u8; 65_536]]),
        Err(EntriesError::TooLong { index: 1 })
    );
    let longest = [vec![7_u8; 65_535]];
    assert_eq!(parse_entries_tile(&entries_tile(&longest).unwrap()).unwrap(), longest);
    assert_eq!(parse_entries_tile(&[]), Err(EntriesError::Count));
    assert_eq!(parse_entries_tile(&[0; 514]), Err(EntriesError::Count));
    assert_eq!(parse_entries_tile(&[0]), Err(EntriesError::Cut));
    assert_eq!(parse_entries_tile(&[0, 2, 1]), Err(EntriesError::Cut));
}

/// Gives one hash too few or too many, or none at all.
struct Sloppy(i8);

impl Tiles for Sloppy {
    type Error = &'static str;

    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, Self::Error> {
        let hashes = usize::from(path.width).checked_add_signed(isize::from(self.0));
        if self.0 == 0 { Err("no such tile") } else { Ok(vec![[0; 32]; hashes.unwrap()]) }
    }
}

#[test]
fn a_tile_of_the_wrong_width_is_an_error() {
    for (sloppy, hashes) in [(-1, 9), (1, 11)] {
        let refused = TileTreeError::Width { path: path(0, 0, 10), hashes };
        assert_eq!(root_at(&TileTree::new(Sloppy(sloppy), 10), 10), Err(refused));
    }
    let refused = Err(TileTreeError::Tiles("no such tile"));
    assert_eq!(root_at(&TileTree::new(Sloppy(0), 10), 10), refused);
}

#[test]
fn beyond_the_tree_nothing_is_asked_for() {
    let tree = TileTree::new(Sloppy(0), 300);
    for (level, index) in [
        (0, 300),
        (2, 75),
        (8, 1),
        (9, 0),
        (63, 0),
        (64, 0),
        (255, 0),
        (7, u64::MAX),
        (0, u64::MAX),
    ] {
        let refused = Err(TileTreeError::Outside { level, index, size: 300 });
        assert_eq!(tree.subtree(level, index), refused, "level {level}, index {index}");
    }
    assert!(matches!(
        root_at(&tree, 301),
        Err(TileTreeError::Tiles(_) | TileTreeError::Outside { .. })
    ));
}

/// Notes which tiles were asked for.
struct Asked(std::cell::RefCell<BTreeSet<TilePath>>, Reference);

impl Tiles for Asked {
    type Error = std::convert::Infallible;

    fn tile(&self, path: TilePath) -> Result<Vec<Hash>, Self::Error> {
        self.0.borrow_mut().insert(path);
        self.1.tile(path)
    }
}

#[test]
fn only_tiles_of_the_tree_are_asked_for() {
    let asked = Asked(std::cell::RefCell::default(), Reference::default());
    let size = 70_000;
    let tree = TileTree::new(&asked, size);
    for index in [0, 65_536, 69_999] {
        inclusion_proof(&tree, index, size).unwrap();
        consistency_proof(&tree, index, size).unwrap();
    }
    let all: BTreeSet<_> = tiles_of(size).collect();
    assert!(asked.0.borrow().is_subset(&all));
    assert!(asked.0.borrow().iter().all(|path| path.width <= TILE_WIDTH));
}
