//! Changes of a case as they come: the entries after a position, oldest first, for a stream of events.

use assay_domain::id::CaseId;
use rusqlite::params_from_iter;

use crate::at::sql;
use crate::db::Reader;
use crate::error::Result;
use crate::history::{COLUMNS, EntryDoc, entry, visible};
use crate::members::Sight;
use crate::page::Limit;
use crate::rows::blob;

/// What happened in a case after a position, oldest first; nothing where the case is out of sight.
pub fn after(
    db: &Reader,
    sight: &Sight,
    case: CaseId,
    position: u64,
    limit: Limit,
) -> Result<Vec<EntryDoc>> {
    let (seen, values) = visible(sight);
    let mut all = vec![blob(case.0)];
    all.extend(values);
    all.push(sql(position).into());
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE case_id = ? AND {seen} AND position > ? \
         ORDER BY position LIMIT {}",
        limit.get()
    ))?;
    let mut rows = statement.query(params_from_iter(all))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}
