//! Every view, in the order in which a fact goes through them.

use rusqlite::Connection;

use crate::at::sql;
use crate::error::{Result, ViewError};
use crate::fact::Fact;
use crate::rows::{Rows, Tables};

/// Whether a view made something of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    /// It did.
    Used,
    /// It has no use for it.
    Ignored,
}

/// How a view folds a fact into its rows.
pub(crate) type Fold = fn(&Fact, &mut Rows<'_>) -> Result<Took>;

/// The views; a later one may look at the rows of an earlier one.
pub(crate) const VIEWS: [(&str, Fold); 13] = [
    ("users", crate::users::project),
    ("cases", crate::cases::project),
    ("members", crate::members::project),
    ("sources", crate::sources::project),
    ("reports", crate::reports::project),
    ("renditions", crate::renditions::project),
    ("claims", crate::claims::project),
    ("assertions", crate::assertions::project),
    ("links", crate::links::project),
    ("contradictions", crate::contradictions::project),
    ("queue", crate::queue::project),
    ("history", crate::history::project),
    ("search", crate::search::project),
];

/// Folds facts into the file and the checkpoint with them, all in one transaction or not at all.
pub(crate) fn write(conn: &mut Connection, tables: &mut Tables, facts: &[Fact]) -> Result<()> {
    let Some(last) = facts.last() else { return Ok(()) };
    let result = write_all(conn, tables, facts, last);
    if result.is_err() {
        // What was folded is not in the file: what is kept must not say so.
        tables.clear();
    }
    result
}

fn write_all(
    conn: &mut Connection,
    tables: &mut Tables,
    facts: &[Fact],
    last: &Fact,
) -> Result<()> {
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let known = crate::db::position(&transaction)?;
    for (fact, expected) in facts.iter().zip(known.saturating_add(1)..) {
        if fact.position != expected {
            let words = format!("position {} came where {expected} was due", fact.position);
            return Err(ViewError::Foreign(words));
        }
        let (position, revision) = (fact.position, fact.revision);
        let mut rows = Rows { conn: &transaction, tables, position, revision };
        for (_, fold) in VIEWS {
            fold(fact, &mut rows)?;
        }
    }
    tables.flush(&transaction)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO meta(one, position, leaf) VALUES (1, ?, ?)")?
        .execute((sql(last.position), last.leaf.as_slice()))?;
    transaction.commit()?;
    Ok(())
}
