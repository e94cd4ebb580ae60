//! Turning single bits of a closed file, and judging what became of it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};

/// Every row of every table, the schema's own among them.
type Rows = Vec<(String, Vec<Vec<Value>>)>;

/// What a check says of a file: the place of the first wrong thing in words, or that it is right.
pub(crate) type Check = fn(&Path) -> Result<(), String>;

/// A good file whose bits are turned.
pub(crate) struct Specimen {
    path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    rows: Rows,
    check: Check,
}

/// What became of a turned bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The check found it, and said this.
    Found(String),
    /// Every row reads as before.
    Harmless,
}

/// How many turned bits had which outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) found: usize,
    pub(crate) harmless: usize,
}

impl Tally {
    pub(crate) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Found(_) => self.found += 1,
            Outcome::Harmless => self.harmless += 1,
        }
    }
}

impl Specimen {
    /// Takes a closed file over; it must be right and all in the main file.
    pub(crate) fn new(path: PathBuf, check: Check) -> Self {
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        Connection::open(&path).unwrap().query_row(truncate, [], |_| Ok(())).unwrap();
        assert_eq!(check(&path), Ok(()));
        let rows = rows(&path).unwrap();
        Self { bytes: std::fs::read(&path).unwrap(), path, rows, check }
    }

    /// Turns one bit and judges; the next call begins with the good file again.
    ///
    /// # Panics
    ///
    /// Where the check is content although a row changed.
    pub(crate) fn flip(&self, at: usize, bit: usize) -> Outcome {
        let mut bytes = self.bytes.clone();
        bytes[at] ^= 1 << bit;
        self.judge(&bytes, &format!("byte {at}, bit {bit}"))
    }

    fn judge(&self, bytes: &[u8], what: &str) -> Outcome {
        for end in ["-wal", "-shm"] {
            let _none = std::fs::remove_file(format!("{}{end}", self.path.display()));
        }
        std::fs::write(&self.path, bytes).unwrap();
        if let Err(said) = (self.check)(&self.path) {
            return Outcome::Found(said);
        }
        let now = rows(&self.path).unwrap_or_else(|error| panic!("{what}: unreadable: {error}"));
        for ((table, now), (_, before)) in now.iter().zip(&self.rows) {
            let changed = before.iter().zip(now).position(|(before, now)| before != now);
            assert_eq!(
                changed, None,
                "{what}: the check is content, but this row of {table} changed"
            );
        }
        assert_eq!(now, self.rows, "{what}: the check is content, but a row is gone");
        Outcome::Harmless
    }

    /// Turns every bit of a range, each by itself.
    pub(crate) fn flip_all(&self, range: Range<usize>) -> Vec<Outcome> {
        range.flat_map(|at| (0..8).map(move |bit| self.flip(at, bit))).collect()
    }

    /// Whether anybody reads what stands at a place: SQLite leaves copies in free space when it splits
    /// a page.
    pub(crate) fn is_live(&self, place: usize) -> bool {
        self.flip_all(place..place + 1).iter().any(|outcome| *outcome != Outcome::Harmless)
    }

    /// Turns every bit of every place where these bytes are live: each must be found.
    pub(crate) fn flip_value(&self, name: &str, value: &[u8]) -> Vec<String> {
        let places = self.places(value);
        assert!(!places.is_empty(), "{name} stands nowhere");
        let mut said = Vec::new();
        let mut live = 0;
        for place in &places {
            if !self.is_live(*place) {
                continue;
            }
            live += 1;
            for outcome in self.flip_all(*place..place + value.len()) {
                let Outcome::Found(fault) = outcome else {
                    panic!("{name}: a bit of what is live was not found");
                };
                said.push(fault);
            }
        }
        assert!(live > 0, "{name} is nowhere live");
        println!("{name}: {} places, {live} live, {} bits found", places.len(), said.len());
        said
    }

    /// Where these bytes stand in the file.
    pub(crate) fn places(&self, value: &[u8]) -> Vec<usize> {
        let windows = self.bytes.windows(value.len()).enumerate();
        windows.filter(|(_, found)| *found == value).map(|(at, _)| at).collect()
    }

    /// Where the rows of a page stand, with what was freed between them.
    pub(crate) fn cells(&self, page: usize) -> Range<usize> {
        let start = (page - 1) * PAGE_BYTES;
        let first = u16::from_be_bytes([self.bytes[start + 5], self.bytes[start + 6]]);
        start + usize::from(first)..start + PAGE_BYTES
    }

    /// What each page belongs to.
    pub(crate) fn pages(&self) -> BTreeMap<usize, String> {
        std::fs::write(&self.path, &self.bytes).unwrap();
        let connection = Connection::open(&self.path).unwrap();
        let mut statement = connection.prepare("SELECT pageno, name FROM dbstat").unwrap();
        let pages = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
        let page = |page: rusqlite::Result<(i64, String)>| {
            page.map(|(number, name)| (usize::try_from(number).unwrap(), name)).unwrap()
        };
        pages.unwrap().map(page).collect()
    }

    /// One bit in every stretch of 64 bytes, chosen by a seed; answers a tally for each part.
    pub(crate) fn walk(&self, seed: u64) -> BTreeMap<String, Tally> {
        let pages = self.pages();
        let mut random = Random(seed);
        let mut tallies = BTreeMap::<String, Tally>::new();
        for stretch in (0..self.bytes.len()).step_by(64) {
            let at = stretch + random.below(64.min(self.bytes.len() - stretch));
            let outcome = self.flip(at, random.below(8));
            let part = match at / PAGE_BYTES + 1 {
                1 if at < HEADER_BYTES => "the file's header".to_owned(),
                page => pages.get(&page).cloned().unwrap_or_else(|| "free pages".to_owned()),
            };
            tallies.entry(part).or_default().count(&outcome);
        }
        tallies
    }
}

/// What the connections of this crate make.
pub(crate) const PAGE_BYTES: usize = 8192;
/// SQLite's header before the first page's own.
pub(crate) const HEADER_BYTES: usize = 100;

fn rows(path: &Path) -> rusqlite::Result<Rows> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut tables =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names =
        tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let names = names.into_iter().chain(["sqlite_schema".to_owned()]);
    names
        .map(|name| {
            // Not from an index that happens to hold the same columns.
            let mut all = connection.prepare(&format!("SELECT * FROM \"{name}\" NOT INDEXED"))?;
            let columns = all.column_count();
            let rows = all.query_map([], |row| (0..columns).map(|at| row.get(at)).collect())?;
            Ok((name, rows.collect::<rusqlite::Result<_>>()?))
        })
        .collect()
}

/// `SplitMix64`: the same seed gives the same bits on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.next() % 256).unwrap())
    }
}
