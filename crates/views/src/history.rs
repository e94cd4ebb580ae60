//! History: every entry of the journal by case, subject and doer, and what each changed.

mod query;
mod why;

use assay_domain::aggregate::Subject;
use rusqlite::types::Value;
use uuid::Uuid;

use crate::adoptions::AdoptionDoc;
use crate::at::sql;
use crate::claims::ClaimDoc;
use crate::error::Result;
use crate::fact::Fact;
use crate::findings::FindingDoc;
use crate::links::LinkDoc;
use crate::project::Took;
use crate::replays::ReplayDoc;
use crate::reports::ReportDoc;
use crate::rows::{Rows, blob, word};

pub(crate) use query::{COLUMNS, entry, visible};
pub use query::{
    EntryDoc, EntryOrigin, EntryWithChanges, SubjectRef, of_case, of_subject, one, page,
};

/// `case_id` is the case whose history an entry belongs to; `beside` is the case whose readers may
/// know of an entry that does not belong to its history, such as that somebody read it.
pub(crate) const TABLE: &str = "
    CREATE TABLE history(position INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject BLOB NOT NULL,
        case_id BLOB, beside BLOB, revision INTEGER NOT NULL, name TEXT NOT NULL,
        recorded_at INTEGER NOT NULL, actor BLOB NOT NULL, actor_kind TEXT NOT NULL,
        on_behalf_of BLOB, session BLOB, command BLOB NOT NULL, why TEXT, erased INTEGER NOT NULL,
        origin TEXT);";

pub(crate) const INDEXES: &str = "
    CREATE INDEX history_case ON history(case_id, position);
    CREATE INDEX history_subject ON history(subject, position);";

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let envelope = &fact.envelope;
    let optional = |id: Option<Uuid>| id.map_or(Value::Null, blob);
    let case = case_of(fact, rows)?.or(envelope.case);
    let (case, beside) = if is_beside(fact.subject) { (None, case) } else { (case, None) };
    let (why, erased) = why::why(&fact.event);
    let origin = fact.origin.as_ref().map(serde_json::to_string).transpose()?;
    let mut statement = rows.conn.prepare_cached(
        "INSERT INTO history(position, kind, subject, case_id, beside, revision, name, recorded_at,
            actor, actor_kind, on_behalf_of, session, command, why, erased, origin)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(rusqlite::params_from_iter([
        Value::Integer(sql(fact.position)),
        Value::Text(fact.subject.kind().to_owned()),
        blob(fact.subject.id()),
        optional(case),
        optional(beside),
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
        origin.map_or(Value::Null, Value::Text),
    ]))?;
    Ok(Took::Used)
}

/// Whether entries about a subject are no part of a case's history, although they name a case.
const fn is_beside(subject: Subject) -> bool {
    match subject {
        Subject::Access(_)
        | Subject::Replay(_)
        | Subject::Erasure(_)
        | Subject::Adoption(_)
        | Subject::Log(_) => true,
        Subject::User(_)
        | Subject::Case(_)
        | Subject::Source(_)
        | Subject::Report(_)
        | Subject::Claim(_)
        | Subject::Link(_)
        | Subject::Finding(_) => false,
    }
}

/// The case a fact is of, by its subject: what decides who may read of it is not the envelope's word.
fn case_of(fact: &Fact, rows: &mut Rows<'_>) -> Result<Option<Uuid>> {
    let id = fact.subject.id();
    let case = match fact.subject {
        Subject::User(_) | Subject::Source(_) | Subject::Erasure(_) | Subject::Log(_) => None,
        Subject::Case(case) => Some(case),
        Subject::Report(_) => rows.get::<ReportDoc>(id)?.map(|known| known.case),
        Subject::Claim(_) => rows.get::<ClaimDoc>(id)?.map(|known| known.case),
        Subject::Link(_) => rows.get::<LinkDoc>(id)?.map(|known| known.case),
        Subject::Finding(_) => rows.get::<FindingDoc>(id)?.and_then(|known| known.case),
        Subject::Access(_) => crate::reads::case_of(&fact.event),
        Subject::Replay(_) => rows.get::<ReplayDoc>(id)?.map(|known| known.case),
        Subject::Adoption(_) => rows.get::<AdoptionDoc>(id)?.map(|known| known.case),
    };
    Ok(case.map(|case| case.0))
}

#[cfg(test)]
mod tests;
