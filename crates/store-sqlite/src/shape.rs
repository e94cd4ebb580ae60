//! What a file's tables, indexes and triggers are, word for word: is everything there as it was made?

use std::collections::BTreeMap;

use rusqlite::Connection;

/// The statements a file was made by, by kind and name; those that SQLite makes itself have none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shape(BTreeMap<(String, String), (String, Option<String>)>);

impl Shape {
    /// The shape of the file behind a connection.
    pub(crate) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement =
            connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
        let rows = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?))))?;
        rows.collect::<rusqlite::Result<_>>().map(Self)
    }

    /// The first thing in which it is not as wanted, for a reader.
    pub(crate) fn differs(&self, wanted: &Self) -> Option<String> {
        let wrong = wanted.0.iter().find_map(|(key @ (kind, name), made)| match self.0.get(key) {
            None => Some(format!("the {kind} {name} is missing")),
            Some(is) if is != made => Some(format!("the {kind} {name} is not as it was made")),
            Some(_) => None,
        });
        let more = || self.0.keys().find(|key| !wanted.0.contains_key(key));
        wrong.or_else(|| {
            more().map(|(kind, name)| format!("the {kind} {name} does not belong here"))
        })
    }
}

/// Asks SQLite itself: pages, indexes against tables, types. The short form of the question does
/// not compare indexes with tables. Answers what is wrong.
pub(crate) fn wrong_pages(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}
