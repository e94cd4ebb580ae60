//! When to look: now, or as of a past position; the same query text either way.

use rusqlite::types::Value;

/// The open end of a row's time.
pub(crate) const OPEN: i64 = i64::MAX;

/// The moment a query looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    /// Now: everything this node has projected.
    #[default]
    Head,
    /// As it was after this position of the journal.
    Position(u64),
}

/// A position or revision as SQLite keeps it.
pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(OPEN)
}

/// A stored position or revision.
pub(crate) fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

impl At {
    /// The condition that a row held then, for the WHERE clause, and what it binds.
    pub(crate) fn held(self, alias: &str) -> (String, Vec<Value>) {
        match self {
            // Spelt out, so that the partial indexes over open rows serve it.
            Self::Head => (format!("{alias}.to_pos = {OPEN}"), vec![]),
            Self::Position(position) => (
                // The plus keeps the planner from an index that begins with `from_pos`: nearly all rows pass.
                format!("+{alias}.from_pos <= ? AND {alias}.to_pos > ?"),
                vec![sql(position).into(), sql(position).into()],
            ),
        }
    }
}
