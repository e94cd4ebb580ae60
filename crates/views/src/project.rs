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
pub(crate) const VIEWS: [(&str, Fold); 19] = [
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
    ("findings", crate::findings::project),
    ("reads", crate::reads::project),
    ("replays", crate::replays::project),
    ("erasures", crate::erasures::project),
    ("adoptions", crate::adoptions::project),
    ("log_keys", crate::log_keys::project),
    ("history", crate::history::project),
    ("search", crate::search::project),
];

/// The most facts folded in one transaction: rows of facts further apart are written one after the other.
pub(crate) const FACTS_MAX: usize = 2_000;

/// Folds facts into the file and the checkpoint with them, in transactions of at most [`FACTS_MAX`], each whole or not at all.
pub(crate) fn write(conn: &mut Connection, tables: &mut Tables, facts: &mut [Fact]) -> Result<()> {
    let result = write_all(conn, tables, facts);
    if result.is_err() {
        // What was folded is not in the file: what is kept must not say so.
        tables.clear();
    }
    result
}

fn write_all(conn: &mut Connection, tables: &mut Tables, facts: &mut [Fact]) -> Result<()> {
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let known = crate::db::position(&transaction)?;
    for (fact, expected) in facts.iter_mut().zip(known.saturating_add(1)..) {
        if fact.position != expected {
            let words = format!("position {} came where {expected} was due", fact.position);
            return Err(ViewError::Foreign(words));
        }
        let (position, revision) = (fact.position, fact.revision);
        let mut rows = Rows { conn: &transaction, tables, position, revision };
        fact.origin = crate::adoptions::origin_of(fact, &mut rows)?;
        for (_, fold) in VIEWS {
            fold(fact, &mut rows)?;
        }
    }
    let Some(last) = facts.last() else { return Ok(()) };
    tables.flush(&transaction)?;
    transaction
        .prepare_cached(
            "INSERT INTO meta(one, position, leaf) VALUES (1, ?, ?) ON CONFLICT (one)
             DO UPDATE SET position = excluded.position, leaf = excluded.leaf",
        )?
        .execute((sql(last.position), last.leaf.as_slice()))?;
    transaction.commit()?;
    Ok(())
}
