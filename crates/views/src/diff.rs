//! Differences between two moments: of one subject, of a whole case, path by path and with their causes.

mod cause;
mod delta;
mod lists;

use assay_domain::aggregate::Subject;
use assay_domain::id::CaseId;
use assay_domain::policy::Permission;
use rusqlite::{OptionalExtension as _, params_from_iter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::at::{At, sql};
use crate::db::Reader;
use crate::error::{Result, ViewError};
use crate::history::{COLUMNS, EntryDoc, SubjectRef, entry};
use crate::members::Sight;
use crate::page::{Cursor, Key, Limit, Place};
use crate::rows::blob;

pub use cause::{Cause, CauseDiff, Effect, case_by_cause};
pub use delta::{Change, changes};
pub use lists::{Ask, LIST_ITEMS_MAX, ListChange, ListDiff, ListItem, ListsError, Naming, lists};

/// The most causes named for one subject; its history has them all.
const CAUSES_MAX: usize = 100;

/// The subjects that live in a case, and the table of their documents.
const IN_CASE: [(&str, &str); 5] = [
    ("case", "cases"),
    ("claim", "claims"),
    ("finding", "findings"),
    ("link", "links"),
    ("report", "reports"),
];

/// A subject that is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Which.
    pub subject: SubjectRef,
    /// Its document at the first moment; null where it did not exist.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub before: Option<Value>,
    /// Its document at the second moment; null where it did not exist.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub after: Option<Value>,
    /// What changed, path by path.
    pub changes: Vec<Change>,
    /// The entries of its own stream in between, oldest first, at most 100.
    pub causes: Vec<EntryDoc>,
}

/// What changed in a case between two moments.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseDiff {
    /// After this position.
    pub from: u64,
    /// Up to this position, included.
    pub to: u64,
    /// What changed, by kind and id.
    pub items: Vec<Changed>,
    /// How to ask for more, if there is more.
    pub next: Option<Cursor>,
}

/// The table of a subject's document, by the kind of the subject.
pub(crate) fn table_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "user" => "users",
        "source" => "sources",
        "case" => "cases",
        "report" => "reports",
        "claim" => "claims",
        "link" => "links",
        "finding" => "findings",
        _ => return None,
    })
}

/// The document that ended at a position, and the one that began there.
pub(crate) fn versions_at(
    db: &Reader,
    table: &str,
    id: Uuid,
    position: u64,
) -> Result<(Option<Value>, Option<Value>)> {
    let before = match position.checked_sub(1) {
        Some(before) => document(db, table, id, before)?,
        None => None,
    };
    Ok((before, document(db, table, id, position)?))
}

/// The document of a subject as of a position.
pub(crate) fn document(db: &Reader, table: &str, id: Uuid, position: u64) -> Result<Option<Value>> {
    let found = db.document(table, id, At::Position(position))?;
    Ok(found.map(|found| serde_json::from_str(&found.json)).transpose()?)
}

/// What changed of one subject between two moments; nothing where it is out of sight or the same.
pub fn subject(
    db: &Reader,
    sight: &Sight,
    subject: Subject,
    from: u64,
    to: u64,
) -> Result<Option<Changed>> {
    let (kind, id) = (subject.kind(), subject.id());
    let Some(table) = table_of(kind) else { return Ok(None) };
    db.snapshot(|| {
        let seen = match subject {
            Subject::User(user) => sight.may(Permission::ReadUsers) || sight.user() == Some(user),
            Subject::Source(_) => sight.may_anywhere(Permission::ReadSources),
            Subject::Case(case) => sight.sees(case),
            Subject::Report(_) | Subject::Claim(_) | Subject::Link(_) => {
                case_of(db, table, id)?.is_some_and(|case| sight.sees(case))
            }
            Subject::Finding(_) => match case_of(db, table, id)? {
                Some(case) => sight.sees(case),
                None => sight.may(Permission::Audit) || sight.may(Permission::ManageUsers),
            },
            Subject::Access(_)
            | Subject::Replay(_)
            | Subject::Erasure(_)
            | Subject::Adoption(_)
            | Subject::Log(_) => false,
        };
        if seen { changed(db, kind, table, id, from, to) } else { Ok(None) }
    })
}

fn case_of(db: &Reader, table: &str, id: Uuid) -> Result<Option<CaseId>> {
    let sql = format!("SELECT case_id FROM {table} WHERE id = ? LIMIT 1");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let case: Option<Option<[u8; 16]>> =
        statement.query_row([id.as_bytes().as_slice()], |row| row.get(0)).optional()?;
    Ok(case.flatten().map(|case| CaseId(Uuid::from_bytes(case))))
}

fn changed(
    db: &Reader,
    kind: &str,
    table: &str,
    id: Uuid,
    from: u64,
    to: u64,
) -> Result<Option<Changed>> {
    let (before, after) = (document(db, table, id, from)?, document(db, table, id, to)?);
    let changes = delta::changes(&before, &after);
    if changes.is_empty() {
        return Ok(None);
    }
    let causes = causes(db, kind, id, from, to)?;
    let subject = SubjectRef { kind: kind.to_owned(), id };
    Ok(Some(Changed { subject, before, after, changes, causes }))
}

fn causes(db: &Reader, kind: &str, id: Uuid, from: u64, to: u64) -> Result<Vec<EntryDoc>> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT {COLUMNS} FROM history WHERE subject = ? AND kind = ? AND position > ? \
         AND position <= ? ORDER BY position LIMIT {CAUSES_MAX}"
    ))?;
    let mut rows = statement.query((id.as_bytes().as_slice(), kind, sql(from), sql(to)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(entry(row)?);
    }
    Ok(found)
}

/// What changed in a case between two moments; nothing where the case is out of sight.
pub fn case(
    db: &Reader,
    sight: &Sight,
    case: CaseId,
    from: u64,
    to: u64,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Option<CaseDiff>> {
    if !sight.sees(case) {
        return Ok(None);
    }
    db.snapshot(|| {
        let place = cursor.map(|cursor| cursor.place("diff")).transpose()?;
        let after = match &place {
            Some(Place { keys, id, .. }) => match keys.as_slice() {
                [Key::Text(kind)] => Some((kind.clone(), *id)),
                _ => return Err(ViewError::BadCursor),
            },
            None => None,
        };
        let mut items: Vec<Changed> = Vec::new();
        for (kind, table) in IN_CASE {
            for id in touched(db, table, case, from, to)? {
                if after.as_ref().is_some_and(|done| (kind, id) <= (done.0.as_str(), done.1)) {
                    continue;
                }
                if items.len() > limit.get() {
                    break;
                }
                items.extend(changed(db, kind, table, id, from, to)?);
            }
        }
        let more = items.len() > limit.get();
        items.truncate(limit.get());
        let next = match items.last() {
            Some(Changed { subject, .. }) if more => {
                let keys = vec![Key::Text(subject.kind.clone())];
                let (list, id) = ("diff".to_owned(), subject.id);
                Some(Cursor::of(&Place { list, position: to, keys, id })?)
            }
            _ => None,
        };
        Ok(Some(CaseDiff { from, to, items, next }))
    })
}

/// The subjects of a case with a version that begins or ends between two moments.
fn touched(db: &Reader, table: &str, case: CaseId, from: u64, to: u64) -> Result<Vec<Uuid>> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT DISTINCT id FROM {table} WHERE case_id = ? AND ((from_pos > ? AND from_pos <= ?) \
         OR (to_pos > ? AND to_pos <= ?)) ORDER BY id"
    ))?;
    let (from, to) =
        (rusqlite::types::Value::from(sql(from)), rusqlite::types::Value::from(sql(to)));
    let values = [blob(case.0), from.clone(), to.clone(), from, to];
    let found =
        statement.query_map(params_from_iter(values), |row| Ok(Uuid::from_bytes(row.get(0)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
