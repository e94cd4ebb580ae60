//! A row as a fact, and the numbers of Rust as those of PostgreSQL.

use std::fmt;

use assay_store::fact::{ActorKind, Envelope, NewFact, Recorded};
use assay_store::log::{LogError, Token};
use bytes::{Bytes, BytesMut};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::told;

/// Every column that [`recorded`] reads; in this order they are written too, `leaf` before `data`.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT position, stream, revision, id, name, recorded_at, actor, actor_kind, ",
            "on_behalf_of, session, command, causation, correlation, case_id, request_mac, data ",
            $rest
        )
    };
}
pub(crate) use select_entries;

/// Bytes for a column; the driver prints what it sends, and these it must not.
#[derive(Clone, Copy)]
pub(crate) struct Hidden<'a>(pub(crate) &'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl ToSql for Hidden<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

/// A count or a position as PostgreSQL keeps it.
///
/// Nothing counted here comes near 2^63; who asks beyond it asks beyond the end.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count or a position out of its column.
pub(crate) fn count(row: &Row, column: usize) -> Result<u64, LogError> {
    let number: i64 = value(row, column)?;
    u64::try_from(number).map_err(|_| LogError::Corrupt(format!("{number} counts nothing")))
}

/// A column's value; one that does not fit its type is damage.
pub(crate) fn value<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, LogError> {
    row.try_get(column).map_err(|error| LogError::Corrupt(told(&error)))
}

/// Exactly so many bytes.
pub(crate) fn bytes<const N: usize>(row: &Row, column: usize) -> Result<[u8; N], LogError> {
    let bytes: &[u8] = value(row, column)?;
    <[u8; N]>::try_from(bytes)
        .map_err(|_| LogError::Corrupt(format!("{} bytes where {N} belong", bytes.len())))
}

/// Reads a row of [`select_entries`].
pub(crate) fn recorded(row: &Row) -> Result<Recorded, LogError> {
    let kind: i16 = value(row, 7)?;
    let kind = u8::try_from(kind).ok().and_then(ActorKind::from_code);
    let mac: Option<&[u8]> = value(row, 14)?;
    let envelope = Envelope {
        recorded_at: value(row, 5)?,
        actor: value(row, 6)?,
        actor_kind: kind.ok_or_else(|| LogError::Corrupt("an unknown actor kind".to_owned()))?,
        on_behalf_of: value(row, 8)?,
        session: value(row, 9)?,
        command: value(row, 10)?,
        causation: value(row, 11)?,
        correlation: value(row, 12)?,
        case: value(row, 13)?,
        request_mac: mac.map(|_| bytes(row, 14)).transpose()?,
    };
    let id: Uuid = value(row, 3)?;
    let data = Bytes::copy_from_slice(value(row, 15)?);
    let fact = NewFact { id, name: value(row, 4)?, envelope, data };
    let (position, revision) = (count(row, 0)?, count(row, 2)?);
    Ok(Recorded { stream: value(row, 1)?, revision, token: Token(position), fact })
}
