//! A row as an entry, and the numbers of Rust as those of SQLite.

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::journal::Entry;
use assay_store::log::Token;
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use uuid::Uuid;

/// Every column of an entry, with the names that its numbers stand for.
///
/// CROSS JOIN keeps SQLite from reading the small tables first: always entries in their order,
/// then one lookup in each.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT e.position, s.name, e.revision, e.id, n.name, e.recorded_at, e.actor, ",
            "e.actor_kind, e.on_behalf_of, e.session, e.command, e.causation, e.correlation, ",
            "e.case_id, e.request_mac, e.leaf, e.data, e.sid FROM entries e ",
            "CROSS JOIN streams s ON s.sid = e.sid CROSS JOIN names n ON n.nid = e.nid ",
            $rest
        )
    };
}
pub(crate) use select_entries;

/// A count or a position, which SQLite keeps as a signed number.
#[derive(Clone, Copy)]
pub(crate) struct Count(pub(crate) u64);

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // Nothing counted here comes near 2^63; a reader that asks beyond it asks beyond the end.
        Ok(ToSqlOutput::from(i64::try_from(self.0).unwrap_or(i64::MAX)))
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number).map(Self).map_err(|_| FromSqlError::OutOfRange(number))
    }
}

/// 16 bytes that stand in a BLOB: an id.
#[derive(Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_bytes().as_slice()))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(|bytes| Self(Uuid::from_bytes(bytes)))
    }
}

/// Reads a row of [`select_entries`].
pub(crate) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let position = row.get::<_, Count>(0)?.0;
    let kind = row.get::<_, u8>(7)?;
    let optional = |column| row.get::<_, Option<Id>>(column).map(|id| id.map(|id| id.0));
    let envelope = Envelope {
        recorded_at: row.get(5)?,
        actor: row.get::<_, Id>(6)?.0,
        actor_kind: ActorKind::from_code(kind).ok_or_else(|| unreadable(7, "actor kind"))?,
        on_behalf_of: optional(8)?,
        session: optional(9)?,
        command: row.get::<_, Id>(10)?.0,
        causation: optional(11)?,
        correlation: row.get::<_, Id>(12)?.0,
        case: optional(13)?,
        request_mac: row.get(14)?,
    };
    let fact = NewFact {
        id: row.get::<_, Id>(3)?.0,
        name: row.get(4)?,
        envelope,
        data: row.get::<_, Vec<u8>>(16)?.into(),
    };
    let revision = row.get::<_, Count>(2)?.0;
    let recorded = Recorded { stream: row.get(1)?, revision, token: Token(position), fact };
    Ok(Entry { position, leaf_hash: row.get(15)?, recorded })
}

fn unreadable(column: usize, what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, what.into())
}
