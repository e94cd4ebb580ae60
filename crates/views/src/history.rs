//! History: every entry of the journal by case, subject and doer, and what each changed.

mod query;
mod why;

use assay_domain::aggregate::Subject;
use rusqlite::types::Value;
use uuid::Uuid;

use crate::at::sql;
use crate::claims::ClaimDoc;
use crate::error::Result;
use crate::fact::Fact;
use crate::links::LinkDoc;
use crate::project::Took;
use crate::reports::ReportDoc;
use crate::rows::{Rows, blob, word};

pub(crate) use query::{COLUMNS, entry, visible};
pub use query::{EntryDoc, EntryWithChanges, SubjectRef, of_case, of_subject, one, page};

pub(crate) const TABLE: &str = "
    CREATE TABLE history(position INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject BLOB NOT NULL,
        case_id BLOB, revision INTEGER NOT NULL, name TEXT NOT NULL, recorded_at INTEGER NOT NULL,
        actor BLOB NOT NULL, actor_kind TEXT NOT NULL, on_behalf_of BLOB, session BLOB,
        command BLOB NOT NULL, why TEXT, erased INTEGER NOT NULL);";

pub(crate) const INDEXES: &str = "
    CREATE INDEX history_case ON history(case_id, position);
    CREATE INDEX history_subject ON history(subject, position);";

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let envelope = &fact.envelope;
    let optional = |id: Option<Uuid>| id.map_or(Value::Null, blob);
    let case = case_of(fact, rows)?.or(envelope.case);
    let (why, erased) = why::why(&fact.event);
    let mut statement = rows.conn.prepare_cached(
        "INSERT INTO history(position, kind, subject, case_id, revision, name, recorded_at, actor,
            actor_kind, on_behalf_of, session, command, why, erased)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(rusqlite::params_from_iter([
        Value::Integer(sql(fact.position)),
        Value::Text(fact.subject.kind().to_owned()),
        blob(fact.subject.id()),
        optional(case),
        Value::Integer(sql(fact.revision)),
        Value::Text(fact.name.clone()),
        Value::Integer(envelope.recorded_at),
        blob(envelope.actor),
        Value::Text(word(&envelope.actor_kind)),
        optional(envelope.on_behalf_of),
        optional(envelope.session),
        blob(envelope.command),
        why.map_or(Value::Null, Value::Text),
        Value::Integer(erased.into()),
    ]))?;
    Ok(Took::Used)
}

/// The case a fact is of, by its subject: what decides who may read of it is not the envelope's word.
fn case_of(fact: &Fact, rows: &mut Rows<'_>) -> Result<Option<Uuid>> {
    let id = fact.subject.id();
    let case = match fact.subject {
        Subject::User(_) | Subject::Source(_) => None,
        Subject::Case(case) => Some(case),
        Subject::Report(_) => rows.get::<ReportDoc>(id)?.map(|known| known.case),
        Subject::Claim(_) => rows.get::<ClaimDoc>(id)?.map(|known| known.case),
        Subject::Link(_) => rows.get::<LinkDoc>(id)?.map(|known| known.case),
    };
    Ok(case.map(|case| case.0))
}

#[cfg(test)]
mod tests;
