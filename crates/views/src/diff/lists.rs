//! The difference of one query's answer at two moments: what came, what went, what changed, and why.

use std::collections::{HashMap, HashSet};

use rusqlite::params_from_iter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{CAUSES_MAX, Change, changes};
use crate::at::sql;
use crate::db::Reader;
use crate::error::ViewError;
use crate::history::{COLUMNS, EntryDoc, entry, visible};
use crate::members::Sight;
use crate::page::{Cursor, LIMIT_MAX, Limit, Page};
use crate::rows::blob;

/// The most items of a list that is compared.
pub const LIST_ITEMS_MAX: usize = 5_000;

/// One side of the comparison: gives a page of the list at its moment.
pub type Ask<'a> = &'a mut dyn FnMut(Option<&Cursor>, Limit) -> Result<Page, ViewError>;

/// Why two lists cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ListsError {
    /// One side is longer than can be compared; a filter makes it shorter.
    #[error("the list as of {position} has more than {LIST_ITEMS_MAX} items")]
    TooMany {
        /// As of which position.
        position: u64,
    },
    /// The views cannot answer.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl From<rusqlite::Error> for ListsError {
    fn from(error: rusqlite::Error) -> Self {
        Self::View(error.into())
    }
}

/// What names the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Naming<'a> {
    /// The field that holds an item's id: `id`, or `link` for contradictions.
    pub key: &'a str,
    /// Where ids stand of what else an item is made of, as JSON pointers: `/from/claim`. What
    /// happened to those is a cause, too.
    pub also: &'a [&'a str],
}

/// An item that is in one of the lists only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListItem {
    /// Which.
    pub id: Uuid,
    /// The item as the list shows it.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub item: Value,
    /// What happened to it in between, oldest first, at most 100 entries.
    pub causes: Vec<EntryDoc>,
}

/// An item that is in both lists and is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListChange {
    /// Which.
    pub id: Uuid,
    /// The item at the first moment.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub before: Value,
    /// The item at the second moment.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub after: Value,
    /// What changed, path by path.
    pub changes: Vec<Change>,
    /// What happened to it in between, oldest first, at most 100 entries.
    pub causes: Vec<EntryDoc>,
}

/// How a query's answer at one moment differs from its answer at another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListDiff {
    /// After this position.
    pub from: u64,
    /// Up to this position, included.
    pub to: u64,
    /// How many items there were.
    pub before: u64,
    /// How many items there are.
    pub after: u64,
    /// What is only in the second list, in its order.
    pub entered: Vec<ListItem>,
    /// What is only in the first list, in its order.
    pub left: Vec<ListItem>,
    /// What is in both and not the same, in the order of the second.
    pub changed: Vec<ListChange>,
}

/// The difference between the answers of two moments; both must be pages as of those.
pub fn lists(
    db: &Reader,
    sight: &Sight,
    (from, to): (u64, u64),
    before: Ask<'_>,
    after: Ask<'_>,
    naming: Naming<'_>,
) -> Result<ListDiff, ListsError> {
    let then = whole(before, from, naming)?;
    let now = whole(after, to, naming)?;
    let count = |items: &[(Uuid, Value)]| u64::try_from(items.len()).unwrap_or(u64::MAX);
    let (count_before, count_after) = (count(&then), count(&now));
    let still: HashSet<Uuid> = now.iter().map(|(id, _)| *id).collect();
    let mut old: HashMap<Uuid, Value> = HashMap::with_capacity(then.len());
    let why = |id: Uuid, items: &[&Value]| causes(db, sight, id, items, (from, to), naming);
    let (mut entered, mut left, mut altered) = (Vec::new(), Vec::new(), Vec::new());
    for (id, item) in then {
        if still.contains(&id) {
            old.insert(id, item);
        } else {
            left.push(ListItem { id, causes: why(id, &[&item])?, item });
        }
    }
    for (id, item) in now {
        match old.remove(&id) {
            None => entered.push(ListItem { id, causes: why(id, &[&item])?, item }),
            Some(then) if then == item => (),
            Some(then) => {
                let causes = why(id, &[&then, &item])?;
                let (before, after) = (Some(then), Some(item));
                let changes = changes(&before, &after);
                let both = before.zip(after);
                altered.extend(both.map(|(before, after)| ListChange {
                    id,
                    before,
                    after,
                    changes,
                    causes,
                }));
            }
        }
    }
    let (before, after) = (count_before, count_after);
    Ok(ListDiff { from, to, before, after, entered, left, changed: altered })
}

/// A list from its first page to its last, with the id of each item.
fn whole(
    ask: Ask<'_>,
    position: u64,
    naming: Naming<'_>,
) -> Result<Vec<(Uuid, Value)>, ListsError> {
    let limit = Limit::new(LIMIT_MAX)?;
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = ask(cursor.as_ref(), limit)?;
        for item in page.items {
            let item: Value = serde_json::from_str(item.get()).map_err(ViewError::from)?;
            let named = item.get(naming.key).and_then(id_of);
            let damaged = || ViewError::Damaged(format!("an item without its `{}`", naming.key));
            items.push((named.ok_or_else(damaged)?, item));
        }
        if items.len() > LIST_ITEMS_MAX {
            return Err(ListsError::TooMany { position });
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(items);
        }
    }
}

fn id_of(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

/// What happened in between to an item and to what else it is made of, as far as it is in sight.
fn causes(
    db: &Reader,
    sight: &Sight,
    id: Uuid,
    items: &[&Value],
    (from, to): (u64, u64),
    naming: Naming<'_>,
) -> Result<Vec<EntryDoc>, ListsError> {
    let pointers = naming.also.iter().copied();
    let also = pointers.flat_map(|at| items.iter().filter_map(move |item| item.pointer(at)));
    let mut subjects = vec![id];
    subjects.extend(also.filter_map(id_of));
    subjects.sort_unstable();
    subjects.dedup();
    let (seen, values) = visible(sight);
    let marks = vec!["?"; subjects.len()].join(", ");
    let mut all: Vec<_> = subjects.into_iter().map(blob).collect();
    all.extend(values);
    all.extend([sql(from).into(), sql(to).into()]);
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE subject IN ({marks}) AND {seen} AND position > ? \
         AND position <= ? ORDER BY position LIMIT {CAUSES_MAX}"
    ))?;
    let mut rows = statement.query(params_from_iter(all))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
