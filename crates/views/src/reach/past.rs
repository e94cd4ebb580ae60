//! Versions of a row in their order, and since when something has been so without a break.

use rusqlite::{Params, Row};

use crate::at::number;
use crate::db::Reader;
use crate::error::Result;

/// The versions of one row up to a moment, oldest first: since when, until when, what.
#[derive(Clone, Debug)]
pub(super) struct Past<T>(Vec<(u64, u64, T)>);

impl<T> Past<T> {
    /// Reads versions; the query gives `from_pos`, `to_pos` and what is made of the rest.
    pub(super) fn read(
        db: &Reader,
        query: &str,
        bound: impl Params,
        make: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Self> {
        let mut statement = db.conn().prepare_cached(query)?;
        let mut rows = statement.query(bound)?;
        let mut versions = Vec::new();
        while let Some(row) = rows.next()? {
            versions.push((number(row.get(0)?), number(row.get(1)?), make(row)?));
        }
        Ok(Self(versions))
    }

    /// What it was at a position.
    pub(super) fn at(&self, position: u64) -> Option<&T> {
        let held = |(from, to, _): &&(u64, u64, T)| *from <= position && *to > position;
        self.0.iter().rev().find(held).map(|(_, _, what)| what)
    }

    /// Where its versions begin and end.
    pub(super) fn edges(&self) -> impl Iterator<Item = u64> {
        self.0.iter().flat_map(|(from, to, _)| [*from, *to])
    }

    /// Since when something has been so of it up to a position, without a break; nothing where it
    /// is not so there.
    pub(super) fn since(&self, position: u64, holds: impl Fn(&T) -> bool) -> Option<u64> {
        let so = |position: u64| self.at(position).is_some_and(&holds);
        unbroken(self.edges().collect(), position, so)
    }
}

/// Since which of some positions something has been so up to a last one, without a break.
///
/// Between two neighbouring positions nothing changes.
pub(super) fn unbroken(mut edges: Vec<u64>, last: u64, so: impl Fn(u64) -> bool) -> Option<u64> {
    edges.retain(|edge| *edge <= last);
    edges.sort_unstable();
    edges.dedup();
    if !so(last) {
        return None;
    }
    edges.into_iter().rev().take_while(|edge| so(*edge)).last()
}
