//! A case's difference by cause: command after command, who did it and what each of them changed.

use std::collections::BTreeSet;

use assay_domain::id::CaseId;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Change, IN_CASE, changes, document, table_of};
use crate::at::{number, sql};
use crate::db::Reader;
use crate::error::{Result, ViewError};
use crate::history::SubjectRef;
use crate::members::Sight;
use crate::page::{Cursor, Key, Limit, Place};
use crate::steps::{Act, Run, Way, act, runs};

/// What one command changed of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Effect {
    /// Of which; also another than the command was about: a link shows on the claims it joins.
    pub subject: SubjectRef,
    /// What changed, path by path.
    pub changes: Vec<Change>,
}

/// One command and all it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cause {
    /// What was done.
    #[serde(flatten)]
    pub act: Act,
    /// What it changed, by kind and id.
    pub changed: Vec<Effect>,
}

/// What changed in a case between two moments, command after command.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CauseDiff {
    /// After this position.
    pub from: u64,
    /// Up to this position, included.
    pub to: u64,
    /// The commands in between, oldest first; also those that changed nothing that shows.
    pub items: Vec<Cause>,
    /// How to ask for more, if there is more.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub next: Option<Cursor>,
}

/// What changed in a case between two moments, by command; nothing where it is out of sight.
///
/// A subject that changed and changed back shows with both commands, and not in [`super::case`].
pub fn case_by_cause(
    db: &Reader,
    sight: &Sight,
    case: CaseId,
    from: u64,
    to: u64,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Option<CauseDiff>> {
    if !sight.sees(case) {
        return Ok(None);
    }
    db.snapshot(|| {
        let done = match cursor.map(|cursor| cursor.place("causes")).transpose()? {
            None => from,
            Some(Place { keys, id, position, .. }) => match keys.as_slice() {
                [Key::Number(done)] if id == case.0 && position == to => number(*done).max(from),
                _ => return Err(ViewError::BadCursor),
            },
        };
        let mut found = runs(db, case, (done, to), Way::Forward, limit.get().saturating_add(1))?;
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let last = found.last().map_or(done, |run| run.last);
        let edges = edges(db, case, done, last)?;
        let items = found.iter().map(|run| cause(db, run, &edges)).collect::<Result<_>>()?;
        let place = Place {
            list: "causes".to_owned(),
            position: to,
            keys: vec![Key::Number(sql(last))],
            id: case.0,
        };
        let next = if more { Some(Cursor::of(&place)?) } else { None };
        Ok(Some(CauseDiff { from, to, items, next }))
    })
}

/// Where a version of a subject begins or ends: position, kind, id.
type Edge = (u64, &'static str, Uuid);

/// Every edge in a case after one position up to another.
fn edges(db: &Reader, case: CaseId, after: u64, upto: u64) -> Result<BTreeSet<Edge>> {
    let mut found = BTreeSet::new();
    let inside = |position: u64| position > after && position <= upto;
    for (kind, table) in IN_CASE {
        let mut statement = db.conn().prepare_cached(&format!(
            "SELECT id, from_pos, to_pos FROM {table} WHERE case_id = ?1 \
             AND ((from_pos > ?2 AND from_pos <= ?3) OR (to_pos > ?2 AND to_pos <= ?3))"
        ))?;
        let mut rows = statement.query(params![case.0.as_bytes(), sql(after), sql(upto)])?;
        while let Some(row) = rows.next()? {
            let id = Uuid::from_bytes(row.get(0)?);
            let ends = [number(row.get(1)?), number(row.get(2)?)];
            found.extend(ends.into_iter().filter(|end| inside(*end)).map(|end| (end, kind, id)));
        }
    }
    Ok(found)
}

fn cause(db: &Reader, run: &Run, edges: &BTreeSet<Edge>) -> Result<Cause> {
    let (first, after) = (run.first, run.last.saturating_add(1));
    let touched = edges.range((first, "", Uuid::nil())..(after, "", Uuid::nil()));
    let subjects: BTreeSet<(&str, Uuid)> = touched.map(|(_, kind, id)| (*kind, *id)).collect();
    let mut effects = Vec::new();
    for (kind, id) in subjects {
        let Some(table) = table_of(kind) else { continue };
        let before = document(db, table, id, first.saturating_sub(1))?;
        let changes = changes(&before, &document(db, table, id, run.last)?);
        if !changes.is_empty() {
            let subject = SubjectRef { kind: kind.to_owned(), id };
            effects.push(Effect { subject, changes });
        }
    }
    Ok(Cause { act: act(db, run)?, changed: effects })
}

#[cfg(test)]
mod tests;
