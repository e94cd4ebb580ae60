//! Versioned rows on the writing side: changes are folded in memory, and each version is written once.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::at::{OPEN, number, sql};
use crate::error::Result;
use crate::list::each;

/// How many bytes of documents a table keeps at hand between batches.
const KEPT_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What a row at hand takes beside its document.
const ROW_BYTES: usize = 256;

/// A document with its key columns: one row a version.
pub(crate) trait Row: Serialize + DeserializeOwned + 'static {
    /// Its table.
    const TABLE: &'static str;
    /// Its key columns with their types, beside `id`, `revision`, `doc`, `from_pos` and `to_pos`.
    const COLUMNS: &'static [(&'static str, &'static str)];
    /// Its indexes, as what stands between `ON table` and the end; `?open` means open rows only.
    const INDEXES: &'static [&'static str];
    /// The values of its key columns, in their order.
    fn columns(&self) -> Vec<Value>;
    /// Words to be found by, where a full-text index goes with the table.
    fn indexed(&self) -> Option<String> {
        None
    }
    /// Where its rows are kept while they change.
    fn kept(tables: &mut Tables) -> &mut Kept<Self>;
}

/// Which revision a row gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The fact is of the row's own stream: its revision becomes the row's.
    Own,
    /// The fact is of another stream: the row keeps its revision.
    Other,
}

/// One version of a row, ready to be written.
#[derive(Debug)]
struct Version {
    from: u64,
    to: Option<u64>,
    revision: u64,
    columns: Vec<Value>,
    doc: String,
    indexed: Option<String>,
}

#[derive(Debug)]
struct Open<R> {
    row: R,
    doc: String,
    from: u64,
    revision: u64,
}

/// What is known of one row: its open version, and what is still to be written.
#[derive(Debug)]
struct Slot<R> {
    open: Option<Open<R>>,
    /// Since when the version that stands open in the file holds.
    stored: Option<u64>,
    /// When the version that stands open in the file ended.
    ended: Option<u64>,
    pending: Vec<Version>,
    dirty: bool,
}

/// The rows of one table at hand.
#[derive(Debug)]
pub(crate) struct Kept<R> {
    slots: HashMap<Uuid, Slot<R>>,
    dirty: Vec<Uuid>,
    bytes: usize,
}

impl<R> Default for Kept<R> {
    fn default() -> Self {
        Self { slots: HashMap::new(), dirty: Vec::new(), bytes: 0 }
    }
}

macro_rules! tables {
    ($($field:ident: $row:ty),* $(,)?) => {
        /// The rows at hand of every table.
        #[derive(Debug, Default)]
        pub(crate) struct Tables {
            $(pub(crate) $field: Kept<$row>,)*
        }

        impl Tables {
            /// Writes everything that changed.
            pub(crate) fn flush(&mut self, conn: &Connection) -> Result<()> {
                $(self.$field.flush(conn)?;)*
                Ok(())
            }

            /// Forgets everything, written or not.
            pub(crate) fn clear(&mut self) {
                *self = Self::default();
            }
        }

        /// The tables and indexes of the file.
        pub(crate) struct Schema;

        impl Schema {
            /// Every versioned table.
            pub(crate) const VERSIONED: &'static [&'static str] = &[$(<$row as Row>::TABLE),*];

            /// Makes the tables, with what writing needs.
            pub(crate) fn tables() -> String {
                let versioned = [$(table_of::<$row>()),*].concat();
                let (history, search) = (crate::history::TABLE, crate::search::TABLE);
                format!("{META}{versioned}{history}{}{search}", crate::adoptions::ORIGINS)
            }

            /// Makes the indexes that only reading needs.
            pub(crate) fn indexes() -> String {
                let versioned = [$(indexes_of::<$row>()),*].concat();
                format!("{versioned}{}", crate::history::INDEXES)
            }
        }
    };
}

tables! {
    users: crate::users::UserDoc,
    cases: crate::cases::CaseDoc,
    members: crate::members::MemberDoc,
    sources: crate::sources::SourceDoc,
    reports: crate::reports::ReportDoc,
    renditions: crate::renditions::RenditionDoc,
    claims: crate::claims::ClaimDoc,
    assertions: crate::assertions::AssertionRow,
    links: crate::links::LinkDoc,
    contradictions: crate::contradictions::ContradictionDoc,
    queue: crate::queue::QueueDoc,
    findings: crate::findings::FindingDoc,
    reads: crate::reads::ReadDoc,
    replays: crate::replays::ReplayDoc,
    erasures: crate::erasures::ErasureDoc,
    adoptions: crate::adoptions::AdoptionDoc,
    log_keys: crate::log_keys::LogKeyDoc,
    search_rows: crate::search::SearchRow,
}

const META: &str = "
    CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL,
        leaf BLOB NOT NULL, made_to INTEGER NOT NULL DEFAULT 0);";

fn table_of<R: Row>() -> String {
    let columns = each(R::COLUMNS, |(name, kind)| format!("{name} {kind}, "));
    let table = R::TABLE;
    format!(
        "CREATE TABLE {table}(key INTEGER PRIMARY KEY, id BLOB NOT NULL, {columns}\
         revision INTEGER NOT NULL, from_pos INTEGER NOT NULL, to_pos INTEGER NOT NULL, \
         doc TEXT NOT NULL);\
         CREATE UNIQUE INDEX {table}_id ON {table}(id, from_pos);"
    )
}

fn indexes_of<R: Row>() -> String {
    let table = R::TABLE;
    let open = format!("WHERE to_pos = {OPEN}");
    let index = |(n, what): (usize, &&str)| {
        format!("CREATE INDEX {table}_{n} ON {table}{};", what.replace("?open", &open))
    };
    R::INDEXES.iter().enumerate().map(index).collect()
}

/// Where folds write: the rows at hand, over the file, at one position.
pub(crate) struct Rows<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) tables: &'a mut Tables,
    pub(crate) position: u64,
    pub(crate) revision: u64,
}

impl Rows<'_> {
    /// The row as it is now.
    pub(crate) fn get<R: Row>(&mut self, id: Uuid) -> Result<Option<&R>> {
        let slot = R::kept(self.tables).slot(self.conn, id)?;
        Ok(slot.open.as_ref().map(|open| &open.row))
    }

    /// Changes a row; nothing where there is none. A change that changes nothing makes no version.
    pub(crate) fn change<R: Row>(
        &mut self,
        id: Uuid,
        of: Of,
        work: impl FnOnce(&mut R),
    ) -> Result<bool> {
        let (position, revision) = (self.position, self.revision);
        let kept = R::kept(self.tables);
        let slot = kept.slot(self.conn, id)?;
        let stored = slot.stored;
        let Some(open) = &mut slot.open else { return Ok(false) };
        // What the old version must still be written with; the file may have it already.
        let unwritten = open.from < position && stored != Some(open.from);
        let columns = if unwritten { open.row.columns() } else { Vec::new() };
        let indexed = if unwritten { open.row.indexed() } else { None };
        work(&mut open.row);
        let doc = serde_json::to_string(&open.row)?;
        let revision = if of == Of::Own { revision } else { open.revision };
        if doc == open.doc && revision == open.revision {
            return Ok(true);
        }
        let grown = doc.len();
        let before = std::mem::replace(&mut open.doc, doc);
        if open.from < position {
            let (from, old) = (open.from, open.revision);
            (open.from, open.revision) = (position, revision);
            slot.end(Version {
                from,
                to: Some(position),
                revision: old,
                columns,
                doc: before,
                indexed,
            });
        } else {
            open.revision = revision;
        }
        kept.soil(id, grown);
        Ok(true)
    }

    /// Opens a row, or replaces the one that is open.
    pub(crate) fn put<R: Row>(&mut self, id: Uuid, of: Of, row: R) -> Result<()> {
        let (position, revision) = (self.position, self.revision);
        if self.get::<R>(id)?.is_some() {
            return self.change::<R>(id, of, |known| *known = row).map(drop);
        }
        let doc = serde_json::to_string(&row)?;
        let revision = if of == Of::Own { revision } else { 0 };
        let kept = R::kept(self.tables);
        let grown = doc.len();
        let slot = kept.slot(self.conn, id)?;
        slot.open = Some(Open { row, doc, from: position, revision });
        kept.soil(id, grown);
        Ok(())
    }

    /// Ends a row, if it is open.
    pub(crate) fn close<R: Row>(&mut self, id: Uuid) -> Result<()> {
        let position = self.position;
        let kept = R::kept(self.tables);
        let slot = kept.slot(self.conn, id)?;
        let Some(Open { row, doc, from, revision }) = slot.open.take() else { return Ok(()) };
        if from < position {
            let (columns, indexed) = (row.columns(), row.indexed());
            slot.end(Version { from, to: Some(position), revision, columns, doc, indexed });
        }
        kept.soil(id, 0);
        Ok(())
    }
}

impl<R> Slot<R> {
    /// Notes that a version ended: one the file knows is closed there, another is written whole.
    fn end(&mut self, version: Version) {
        if self.stored == Some(version.from) {
            self.ended = version.to;
        } else {
            self.pending.push(version);
        }
    }
}

impl<R: Row> Kept<R> {
    fn slot(&mut self, conn: &Connection, id: Uuid) -> Result<&mut Slot<R>> {
        use std::collections::hash_map::Entry;
        match self.slots.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(vacant) => {
                let open: Option<Open<R>> = load(conn, id)?;
                let stored = open.as_ref().map(|open| open.from);
                let bytes = open
                    .as_ref()
                    .map_or(ROW_BYTES, |open| ROW_BYTES.saturating_add(open.doc.len()));
                self.bytes = self.bytes.saturating_add(bytes);
                let slot = Slot { open, stored, ended: None, pending: Vec::new(), dirty: false };
                Ok(vacant.insert(slot))
            }
        }
    }

    fn soil(&mut self, id: Uuid, grown: usize) {
        self.bytes = self.bytes.saturating_add(grown);
        if let Some(slot) = self.slots.get_mut(&id)
            && !slot.dirty
        {
            slot.dirty = true;
            self.dirty.push(id);
        }
    }

    fn flush(&mut self, conn: &Connection) -> Result<()> {
        for id in std::mem::take(&mut self.dirty) {
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            slot.dirty = false;
            if let (Some(from), Some(to)) = (slot.stored, slot.ended.take()) {
                let close =
                    format!("UPDATE {} SET to_pos = ? WHERE id = ? AND from_pos = ?", R::TABLE);
                let mut close = conn.prepare_cached(&close)?;
                close.execute((sql(to), id.as_bytes().as_slice(), sql(from)))?;
                slot.stored = None;
            }
            for version in slot.pending.drain(..) {
                insert::<R>(conn, id, version)?;
            }
            if let Some(open) = &slot.open
                && slot.stored != Some(open.from)
            {
                let (from, to, revision) = (open.from, None, open.revision);
                let (columns, indexed) = (open.row.columns(), open.row.indexed());
                let doc = open.doc.clone();
                insert::<R>(conn, id, Version { from, to, revision, columns, doc, indexed })?;
                slot.stored = Some(open.from);
            }
        }
        if self.bytes > KEPT_BYTES_MAX {
            *self = Self::default();
        }
        Ok(())
    }
}

fn load<R: Row>(conn: &Connection, id: Uuid) -> Result<Option<Open<R>>> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT doc, revision, from_pos, to_pos FROM {} WHERE id = ? ORDER BY from_pos DESC LIMIT 1",
        R::TABLE
    ))?;
    let found = statement.query_row([id.as_bytes().as_slice()], |row| {
        let version: (String, i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(version)
    });
    let Some((doc, revision, from, to)) = found.optional()? else { return Ok(None) };
    if to != OPEN {
        return Ok(None);
    }
    let row = serde_json::from_str(&doc)?;
    Ok(Some(Open { row, doc, from: number(from), revision: number(revision) }))
}

fn insert<R: Row>(conn: &Connection, id: Uuid, version: Version) -> Result<()> {
    let names = each(R::COLUMNS, |(name, _)| format!("{name}, "));
    let marks = "?, ".repeat(R::COLUMNS.len());
    let mut statement = conn.prepare_cached(&format!(
        "INSERT INTO {}(id, {names}revision, from_pos, to_pos, doc) VALUES (?, {marks}?, ?, ?, ?)",
        R::TABLE
    ))?;
    let mut values: Vec<Value> = Vec::with_capacity(version.columns.len().saturating_add(5));
    values.push(blob(id));
    values.extend(version.columns);
    values.push(sql(version.revision).into());
    values.push(sql(version.from).into());
    values.push(version.to.map_or(OPEN, sql).into());
    values.push(version.doc.into());
    let key = statement.insert(params_from_iter(values))?;
    if let Some(words) = version.indexed {
        let mut index = conn.prepare_cached(crate::search::INDEX_ROW)?;
        index.execute((key, crate::search::fold(&words)))?;
    }
    Ok(())
}

/// An id as SQLite keeps it.
pub(crate) fn blob(id: impl Into<Uuid>) -> Value {
    Value::Blob(id.into().as_bytes().to_vec())
}

/// A yes or no as SQLite keeps it.
pub(crate) fn flag(yes: bool) -> Value {
    Value::Integer(yes.into())
}

/// The wire word of a plain enum, for a key column.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}
