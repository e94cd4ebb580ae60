//! Whose facts a journal holds: its own, or those of a log elsewhere and how far it was followed.

use std::sync::{PoisonError, RwLock};

use assay_store::journal::Entry;
use assay_store::log::Token;
use rusqlite::{Connection, OptionalExtension as _, params};
use uuid::Uuid;

use crate::error::OpenError;
use crate::rows::Count;
use crate::schema;

/// The version of the schema from which on a journal can be a copy.
const VERSION_MIN: usize = 3;

/// What a journal says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The log whose facts it holds.
    pub(crate) log_id: Uuid,
    /// Whether that log is elsewhere.
    pub(crate) is_copy: bool,
    /// How far that log was followed.
    pub(crate) followed: Option<Token>,
    /// The first position whose token is another number, `u64::MAX` while there is none. From there
    /// on all are: tokens increase, so what is once ahead of the positions stays ahead.
    pub(crate) apart_from: u64,
}

/// Reads it from a file whose last entry has this position; refused where it does not fit together.
pub(crate) fn read(connection: &Connection, head: u64) -> Result<Origin, OpenError> {
    let (log_id, is_copy) = schema::log_id(connection)?;
    let mut origin = Origin { log_id, is_copy, followed: None, apart_from: u64::MAX };
    if schema::version(connection)? < VERSION_MIN {
        return Ok(origin);
    }
    origin.followed = followed(connection)?;
    let ends = "SELECT (SELECT min(position) FROM tokens), (SELECT max(position) FROM tokens)";
    let (first, last) = connection.query_row(ends, [], |row| {
        Ok((row.get::<_, Option<Count>>(0)?, row.get::<_, Option<Count>>(1)?))
    })?;
    if let (Some(first), Some(last)) = (first, last) {
        if last.0 != head {
            return Err(wrong(format!("its last token is that of {}, not of {head}", last.0)));
        }
        origin.apart_from = first.0;
    }
    if !is_copy && (origin.followed.is_some() || first.is_some()) {
        return Err(wrong("it has tokens of a log of which it is no copy".to_owned()));
    }
    let last = token_at(connection, &origin, head)?;
    if is_copy && head > 0 && origin.followed < Some(last) {
        let followed = origin.followed.map_or(0, |token| token.0);
        return Err(wrong(format!(
            "it says that its log was followed up to {followed}, but it has {} of it",
            last.0
        )));
    }
    Ok(origin)
}

fn wrong(what: String) -> OpenError {
    OpenError::Inconsistent(what)
}

fn followed(connection: &Connection) -> Result<Option<Token>, OpenError> {
    let mut statement = connection.prepare("SELECT one, token, again FROM followed")?;
    let rows = statement.query_map([], |row| {
        let number = |at| row.get::<_, Option<Count>>(at).map(|found| found.map(|count| count.0));
        Ok((row.get(0)?, number(1)?, number(2)?))
    })?;
    let rows: Vec<(i64, Option<u64>, Option<u64>)> = rows.collect::<rusqlite::Result<_>>()?;
    match rows.as_slice() {
        [(1, token, again)] if token == again => Ok(token.map(Token)),
        _ => Err(wrong("how far its log was followed is damaged".to_owned())),
    }
}

/// Finds the first thing that is wrong with the tokens of a file whose last entry has this position.
pub(crate) fn check(connection: &Connection, head: u64) -> Result<(), OpenError> {
    let origin = read(connection, head)?;
    if origin.apart_from == u64::MAX {
        return Ok(());
    }
    let mut statement =
        connection.prepare("SELECT position, token FROM tokens ORDER BY position")?;
    let mut rows = statement.query([])?;
    let (mut position, mut last) = (origin.apart_from, origin.apart_from.saturating_sub(1));
    if position == 0 {
        return Err(wrong("it has a token of no entry".to_owned()));
    }
    while let Some(row) = rows.next()? {
        let (at, token) = (row.get::<_, Count>(0)?.0, row.get::<_, Count>(1)?.0);
        if at != position {
            return Err(wrong(format!("the token of entry {position} is missing")));
        }
        if token <= last || token <= at {
            return Err(wrong(format!("the token {token} of entry {at} is not after {last}")));
        }
        (position, last) = (position + 1, token);
    }
    Ok(())
}

/// The token of an entry that is there.
fn token_at(connection: &Connection, origin: &Origin, position: u64) -> rusqlite::Result<Token> {
    if position < origin.apart_from {
        return Ok(Token(position));
    }
    let found = connection
        .prepare_cached("SELECT token FROM tokens WHERE position = ?")?
        .query_row([Count(position)], |row| row.get::<_, Count>(0))
        .optional()?;
    // None as long as the step that is the first apart is not committed.
    Ok(Token(found.map_or(position, |token| token.0)))
}

/// Writes the token of an entry that is not its position.
pub(crate) fn write_token(
    connection: &Connection,
    position: u64,
    token: Token,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO tokens VALUES (?, ?)")?
        .execute(params![Count(position), Count(token.0)])
        .map(|_| ())
}

/// Writes how far the log was followed.
pub(crate) fn write_followed(connection: &Connection, token: Token) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE followed SET token = ?1, again = ?1")?
        .execute([Count(token.0)])
        .map(|_| ())
}

/// What readers know of it without a query. Only the writer changes it.
#[derive(Debug)]
pub(crate) struct Known(RwLock<Origin>);

impl Known {
    pub(crate) fn new(origin: Origin) -> Self {
        Self(RwLock::new(origin))
    }

    pub(crate) fn now(&self) -> Origin {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// After the commit, and before anybody hears of it.
    pub(crate) fn become_copy_of(&self, log_id: Uuid) {
        self.change(|origin| (origin.log_id, origin.is_copy) = (log_id, true));
    }

    /// After the commit, and before anybody hears of it.
    pub(crate) fn follow_to(&self, token: Token) {
        self.change(|origin| origin.followed = Some(token));
    }

    /// Before the commit: whoever reads what it wrote must look its tokens up.
    pub(crate) fn part_at(&self, position: u64) {
        self.change(|origin| origin.apart_from = origin.apart_from.min(position));
    }

    /// After a step that was taken back.
    pub(crate) fn part_again_at(&self, position: u64) {
        self.change(|origin| origin.apart_from = position);
    }

    fn change(&self, change: impl FnOnce(&mut Origin)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Gives entries as they stand in the file the tokens of the log they come from.
    pub(crate) fn put_tokens(
        &self,
        connection: &Connection,
        entries: &mut [Entry],
    ) -> rusqlite::Result<()> {
        let origin = self.now();
        if origin.apart_from == u64::MAX {
            return Ok(());
        }
        for entry in entries {
            entry.recorded.token = token_at(connection, &origin, entry.position)?;
        }
        Ok(())
    }

    /// The token of an entry that is there.
    pub(crate) fn token_of(
        &self,
        connection: &Connection,
        position: u64,
    ) -> rusqlite::Result<Token> {
        token_at(connection, &self.now(), position)
    }

    /// The first position whose token is at least this one; nothing if there is none.
    pub(crate) fn first_from(
        &self,
        connection: &Connection,
        token: Token,
    ) -> rusqlite::Result<Option<u64>> {
        if token.0 < self.now().apart_from {
            let there = "SELECT EXISTS (SELECT 1 FROM entries WHERE position = ?)";
            let position = Count(token.0.max(1));
            let is_there = connection.prepare_cached(there)?.query_row([position], |r| r.get(0))?;
            if is_there {
                return Ok(Some(position.0));
            }
        }
        connection
            .prepare_cached("SELECT position FROM tokens WHERE token >= ? ORDER BY token LIMIT 1")?
            .query_row([Count(token.0)], |row| Ok(row.get::<_, Count>(0)?.0))
            .optional()
    }
}
