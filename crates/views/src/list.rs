//! Lists: rows of one table that held at a moment, in sight, filtered, sorted, a page at a time.

use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::at::At;
use crate::db::{Reader, moment};
use crate::doc::Instant;
use crate::error::{Result, ViewError};
use crate::page::{Cursor, Key, Limit, Page, Place};

/// A question for a list: the conditions of its rows, with `?` for what they bind.
#[derive(Debug)]
pub(crate) struct List {
    table: &'static str,
    /// The sort columns; the id comes last by itself.
    order: &'static [&'static str],
    descending: bool,
    conditions: Vec<String>,
    values: Vec<Value>,
}

/// One row of a list: its document, its keys, its id.
pub(crate) struct Item {
    pub(crate) doc: String,
    keys: Vec<Key>,
    id: Uuid,
}

impl List {
    pub(crate) const fn of(table: &'static str, order: &'static [&'static str]) -> Self {
        Self { table, order, descending: false, conditions: Vec::new(), values: Vec::new() }
    }

    /// Newest first, or whatever the keys' other end is.
    pub(crate) const fn descending(mut self, descending: bool) -> Self {
        self.descending = descending;
        self
    }

    /// Only rows of which this holds.
    pub(crate) fn only<I>(mut self, condition: impl Into<String>, values: I) -> Self
    where
        I: IntoIterator<Item = Value>,
    {
        self.conditions.push(condition.into());
        self.values.extend(values);
        self
    }

    /// Only rows of which this holds, where it is asked for at all.
    pub(crate) fn only_if(self, condition: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.only(condition, [value.into()]),
            None => self,
        }
    }

    /// One page, as documents.
    pub(crate) fn page(
        self,
        db: &Reader,
        at: At,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Page> {
        self.page_with(db, at, cursor, limit, |item| Ok(item.doc))
    }

    /// One page, each document made from its row.
    pub(crate) fn page_with(
        self,
        db: &Reader,
        at: At,
        cursor: Option<&Cursor>,
        limit: Limit,
        mut make: impl FnMut(Item) -> Result<String>,
    ) -> Result<Page> {
        let table = self.table;
        db.snapshot(|| {
            let head = db.position()?;
            let place = cursor.map(|cursor| cursor.place(table)).transpose()?;
            let position = match &place {
                Some(place) => place.position,
                None => db.resolve(at)?,
            };
            let at = if position >= head { At::Head } else { At::Position(position) };
            let mut items = self.rows(db, at, place.as_ref(), limit.get().saturating_add(1))?;
            let more = items.len() > limit.get();
            items.truncate(limit.get());
            let next = match items.last() {
                Some(last) if more => {
                    let (keys, id) = (last.keys.clone(), last.id);
                    Some(Cursor::of(&Place { list: table.to_owned(), position, keys, id })?)
                }
                _ => None,
            };
            let items = items.into_iter().map(|item| raw(make(item)?)).collect::<Result<_>>()?;
            Ok(Page { items, next, position })
        })
    }

    fn rows(self, db: &Reader, at: At, place: Option<&Place>, limit: usize) -> Result<Vec<Item>> {
        let alias = "t";
        let (held, mut values) = at.held(alias);
        let mut conditions = vec![held];
        conditions.extend(self.conditions);
        values.extend(self.values);
        if let Some((condition, value)) = not_later(db, at, alias, self.order, self.descending)? {
            conditions.push(condition);
            values.push(value);
        }
        let keys = each(self.order, |key| format!("{alias}.{key}, "));
        if let Some(place) = place {
            if place.keys.len() != self.order.len() {
                return Err(ViewError::BadCursor);
            }
            let side = if self.descending { '<' } else { '>' };
            let marks = "?, ".repeat(self.order.len());
            conditions.push(format!("({keys}{alias}.id) {side} ({marks}?)"));
            values.extend(place.keys.iter().map(|key| match key {
                Key::Number(number) => Value::Integer(*number),
                Key::Text(text) => Value::Text(text.clone()),
            }));
            values.push(crate::rows::blob(place.id));
        }
        let way = if self.descending { " DESC" } else { "" };
        let order = each(self.order, |key| format!("{alias}.{key}{way}, "));
        let sql = format!(
            "SELECT {alias}.id, {alias}.doc, {keys}0 FROM {table} {alias} WHERE {} \
             ORDER BY {order}{alias}.id{way} LIMIT {limit}",
            conditions.join(" AND "),
            table = self.table,
        );
        let mut statement = db.conn().prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let id: [u8; 16] = row.get(0)?;
            let keys = (2..self.order.len().saturating_add(2))
                .map(|at| Ok(key(row.get(at)?)))
                .collect::<Result<_>>()?;
            items.push(Item { doc: row.get(1)?, keys, id: Uuid::from_bytes(id) });
        }
        Ok(items)
    }
}

/// Where a list of a past moment begins with its newest: nothing of it is newer than that moment, and
/// what is newer need not be walked through. (Nothing is recorded before it happened here.)
fn not_later(
    db: &Reader,
    at: At,
    alias: &str,
    order: &[&str],
    descending: bool,
) -> Result<Option<(String, Value)>> {
    let (At::Position(position), Some(first), true) = (at, order.first(), descending) else {
        return Ok(None);
    };
    let latest = match *first {
        "from_pos" => Some(crate::at::sql(position)),
        // A reading's last time is its reader's word, not the entry's.
        "last_at" => None,
        key if key.ends_with("_at") => moment(db, at)?.recorded_at.map(Instant::micros),
        _ => None,
    };
    Ok(latest.map(|latest| (format!("{alias}.{first} <= ?"), latest.into())))
}

/// One piece of SQL for each of some words.
pub(crate) fn each<T: Copy>(words: &[T], piece: impl Fn(T) -> String) -> String {
    words.iter().copied().map(piece).collect::<Vec<_>>().concat()
}

fn key(value: Value) -> Key {
    match value {
        Value::Integer(number) => Key::Number(number),
        Value::Text(text) => Key::Text(text),
        Value::Null | Value::Real(_) | Value::Blob(_) => Key::Text(String::new()),
    }
}

/// A document as a part of a bigger one.
pub(crate) fn raw(json: String) -> Result<Box<RawValue>> {
    Ok(RawValue::from_string(json)?)
}

/// How many rows hold at a moment under one more condition.
pub(crate) fn count(
    db: &Reader,
    table: &str,
    at: At,
    condition: &str,
    values: Vec<Value>,
) -> Result<u64> {
    let (held, mut all) = at.held("t");
    all.extend(values);
    let sql = format!("SELECT count(*) FROM {table} t WHERE {held} AND {condition}");
    let count: i64 =
        db.conn().prepare_cached(&sql)?.query_row(params_from_iter(all), |row| row.get(0))?;
    Ok(crate::at::number(count))
}
