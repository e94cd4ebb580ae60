//! The state of a case at a moment: a digest of what was shown of it, and the entries that made it.

use assay_domain::id::CaseId;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::at::{At, number, sql};
use crate::cases::CaseDoc;
use crate::db::Reader;
use crate::error::Result;
use crate::members::Sight;
use crate::renditions::{RenditionDoc, row_of};
use crate::reports::ReportDoc;
use crate::rows::{Row as _, Schema, blob};
use crate::search::SearchRow;
use crate::steps::OF_CASE;

/// Tables with rows of a case that are not what the case says: who read it, who replays it, and the
/// words of the other tables once more, to be found by.
const NOT_CONTENT: [&str; 3] = ["reads", "replays", SearchRow::TABLE];

/// SHA-256 over everything shown of a case at a moment; nothing where it is out of sight or did not
/// exist then.
///
/// It is the hash over each table of the case, ordered by name: the length of its name (8 bytes, big
/// endian), its name, and the SHA-256 of its rows that held then, ordered by id, each as length of the
/// id, id, length of the document, document. What happens later does not change it; only forgetting
/// does, and views that are folded by other rules.
pub fn shown(db: &Reader, sight: &Sight, at: At, case: CaseId) -> Result<Option<[u8; 32]>> {
    seen(db, sight, at, case, |position| {
        let mut tables: Vec<&str> = Schema::VERSIONED.to_vec();
        tables.retain(|table| !NOT_CONTENT.contains(table));
        tables.sort_unstable();
        let mut whole = Sha256::new();
        for table in tables {
            if !has_cases(db, table)? {
                continue;
            }
            let mut rows = Sha256::new();
            if table == RenditionDoc::TABLE {
                renditions(db, case, position, &mut rows)?;
            } else {
                of_table(db, table, case, position, &mut rows)?;
            }
            measured(&mut whole, table.as_bytes());
            whole.update(rows.finalize());
        }
        Ok(whole.finalize().into())
    })
}

/// The positions of a case's entries up to a moment, in order; nothing where it is out of sight or
/// did not exist then. The log's leaves over them are what the state of the case is proved by.
pub fn entries(db: &Reader, sight: &Sight, at: At, case: CaseId) -> Result<Option<Vec<u64>>> {
    seen(db, sight, at, case, |position| positions(db, case, position))
}

/// Does work on a case that is in sight and existed at a moment.
pub(crate) fn seen<T>(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    work: impl FnOnce(u64) -> Result<T>,
) -> Result<Option<T>> {
    if !sight.sees(case) {
        return Ok(None);
    }
    db.snapshot(|| {
        let position = db.resolve(at)?;
        if db.document(CaseDoc::TABLE, case.0, At::Position(position))?.is_none() {
            return Ok(None);
        }
        work(position).map(Some)
    })
}

/// The positions of the entries of a case itself, in order.
pub(crate) fn positions(db: &Reader, case: CaseId, upto: u64) -> Result<Vec<u64>> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT position FROM history WHERE case_id = ? AND {OF_CASE} AND position <= ? \
         ORDER BY position"
    ))?;
    let bound = params![case.0.as_bytes(), sql(upto)];
    let found = statement.query_map(bound, |row| Ok(number(row.get(0)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Whether the rows of a table are of cases.
fn has_cases(db: &Reader, table: &str) -> Result<bool> {
    let mut statement = db
        .conn()
        .prepare_cached("SELECT 1 FROM pragma_table_info(?) WHERE name = 'case_id' LIMIT 1")?;
    Ok(statement.query_row([table], |_| Ok(())).optional()?.is_some())
}

/// Takes in the rows of one table.
fn of_table(
    db: &Reader,
    table: &str,
    case: CaseId,
    position: u64,
    rows: &mut Sha256,
) -> Result<()> {
    let (held, mut values) = At::Position(position).held("t");
    values.push(blob(case.0));
    // These have no index of their cases: their reports and claims lead to them.
    let by = match table {
        "assertions" => {
            "t.report_id IN (SELECT id FROM reports WHERE case_id = ?) AND t.case_id = ?"
        }
        "queue" => "t.id IN (SELECT id FROM claims WHERE case_id = ?) AND t.case_id = ?",
        _ => "t.case_id = ?",
    };
    if by.matches('?').count() > 1 {
        values.push(blob(case.0));
    }
    let sql = format!("SELECT t.id, t.doc FROM {table} t WHERE {held} AND {by} ORDER BY t.id");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut found = statement.query(params_from_iter(values))?;
    while let Some(row) = found.next()? {
        let id: [u8; 16] = row.get(0)?;
        measured(rows, &id);
        measured(rows, row.get::<_, String>(1)?.as_bytes());
    }
    Ok(())
}

/// Takes in the renditions that the reports of the case name.
fn renditions(db: &Reader, case: CaseId, position: u64, rows: &mut Sha256) -> Result<()> {
    let mut ids: Vec<Uuid> = Vec::new();
    each_document::<ReportDoc>(db, case, position, |report| {
        ids.extend(report.renditions.iter().map(|info| row_of(report.id, info.id)));
        Ok(())
    })?;
    ids.sort_unstable();
    for id in ids {
        if let Some(found) = db.document(RenditionDoc::TABLE, id, At::Position(position))? {
            measured(rows, id.as_bytes());
            measured(rows, found.json.as_bytes());
        }
    }
    Ok(())
}

/// Goes through the documents of a case that held at a moment.
pub(crate) fn each_document<R: crate::rows::Row>(
    db: &Reader,
    case: CaseId,
    position: u64,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let (held, mut values) = At::Position(position).held("t");
    values.push(Value::Blob(case.0.as_bytes().to_vec()));
    let sql = format!("SELECT t.doc FROM {} t WHERE {held} AND t.case_id = ?", R::TABLE);
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        take(serde_json::from_str(&row.get::<_, String>(0)?)?)?;
    }
    Ok(())
}

/// Takes in bytes with their length before them, so that no two lists of them read the same.
fn measured(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests;
