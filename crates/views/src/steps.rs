//! Steps: a case told one command at a time, forward and back, each with what it rested on and changed.

mod basis;
mod runs;

use assay_domain::id::{CaseId, UserId};
use assay_domain::user::Profile;
use assay_store::fact::ActorKind;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::{At, number, sql};
use crate::db::Reader;
use crate::diff::{Change, changes, document, table_of};
use crate::doc::Instant;
use crate::error::{Result, ViewError};
use crate::history::{EntryDoc, EntryOrigin, SubjectRef};
use crate::list::raw;
use crate::members::Sight;
use crate::page::{Cursor, Key, Limit, Page, Place};
use crate::rows::Row as _;
use crate::users::UserDoc;

pub use basis::{Basis, Pinned};
pub(crate) use runs::{OF_CASE, Run, Way, runs};

/// Somebody, and what named them at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Doer {
    /// Who.
    pub id: UserId,
    /// What named them then; null for the house itself, and where it was erased.
    pub profile: Option<Profile>,
}

/// One fact of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StepFact {
    /// Its position.
    pub position: u64,
    /// Its wire name.
    pub fact: String,
    /// What it is about.
    pub subject: SubjectRef,
    /// Its place in the subject's stream, from 0.
    pub revision: u64,
    /// The reason it carries, cut short; null where it carries none or it was erased.
    pub why: Option<String>,
    /// Whether its reason was erased.
    pub erased: bool,
    /// Where it comes from; null unless it was taken over from another log.
    pub origin: Option<EntryOrigin>,
}

/// What somebody did in a case with one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = StepAct))]
pub struct Act {
    /// The command.
    pub command: Uuid,
    /// Where its facts stand, in order.
    pub positions: Vec<u64>,
    /// Where the last of them stands: as of there, all of it is done.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who did it.
    pub actor: Doer,
    /// What kind of doer that is.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "person"))]
    pub actor_kind: ActorKind,
    /// For whom, when a program acted for a person.
    pub on_behalf_of: Option<UserId>,
    /// In which session.
    pub session: Option<Uuid>,
    /// What came of it.
    pub facts: Vec<StepFact>,
}

/// One step of a case: a command with what it rested on and what it changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Step {
    /// The how-manieth step of the case, from 1.
    pub index: u64,
    /// How many there are up to the moment asked for.
    pub of: u64,
    /// What was done.
    #[serde(flatten)]
    pub act: Act,
    /// What it rested on: what was cited, read or concluded from.
    pub basis: Vec<Basis>,
    /// What it changed of its subject, path by path.
    pub changes: Vec<Change>,
    /// The position of the step before; null for the first.
    pub previous: Option<u64>,
    /// The position of the step after; null for the last up to the moment asked for.
    pub next: Option<u64>,
}

/// Where a walk through the steps begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The step that holds this position is not shown again: 0 begins at the first step, and
    /// backwards anything beyond the end begins at the last.
    pub after: u64,
    /// Forward, or back.
    pub forward: bool,
}

/// The step that holds a position, or the last before it; nothing where the case is out of sight.
///
/// Nothing after `at` is in it.
pub fn at(db: &Reader, sight: &Sight, case: CaseId, at: At, position: u64) -> Result<Option<Step>> {
    if !sight.sees(case) {
        return Ok(None);
    }
    db.snapshot(|| {
        let upto = db.resolve(at)?;
        let Some(run) = runs::holding(db, case, position.min(upto), upto)? else {
            return Ok(None);
        };
        let (index, of) = runs::counted(db, case, run.last, upto)?;
        step(db, case, &run, (index, of), upto).map(Some)
    })
}

/// One page of steps ([`Step`]) in the direction of the walk.
pub fn page(
    db: &Reader,
    sight: &Sight,
    case: CaseId,
    at: At,
    walk: Walk,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    db.snapshot(|| {
        let list = if walk.forward { "steps" } else { "steps_back" };
        let place = cursor.map(|cursor| cursor.place(list)).transpose()?;
        let known = place.as_ref().map(|place| place_of(place, case)).transpose()?;
        let upto = match &place {
            Some(place) => place.position,
            None => db.resolve(at)?,
        };
        let after = known.map_or(walk.after, |(after, ..)| after);
        let wanted = limit.get().saturating_add(1);
        let mut found = runs::beyond(db, case, after, upto, walk.forward, wanted)?;
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let (first, of) = match (known, found.first()) {
            (Some((_, index, of)), _) if walk.forward => (index.saturating_add(1), of),
            (Some((_, index, of)), _) => (index.saturating_sub(1), of),
            (None, Some(run)) => runs::counted(db, case, run.last, upto)?,
            (None, None) => (0, 0),
        };
        let mut items = Vec::with_capacity(found.len());
        let mut next = None;
        for (run, away) in found.iter().zip(0_u64..) {
            let index =
                if walk.forward { first.saturating_add(away) } else { first.saturating_sub(away) };
            items.push(raw(serde_json::to_string(&step(db, case, run, (index, of), upto)?)?)?);
            let edge = if walk.forward { run.last } else { run.first };
            let keys = [edge, index, of].map(|number| Key::Number(sql(number))).to_vec();
            next = Some(Place { list: list.to_owned(), position: upto, keys, id: case.0 });
        }
        let next = next.filter(|_| more).as_ref().map(Cursor::of).transpose()?;
        Ok(Page { items, next, position: upto })
    })
}

/// What a cursor of steps holds: where the last step ended, its number, how many there are.
fn place_of(place: &Place, case: CaseId) -> Result<(u64, u64, u64)> {
    match place.keys.as_slice() {
        [Key::Number(edge), Key::Number(index), Key::Number(of)] if place.id == case.0 => {
            Ok((number(*edge), number(*index), number(*of)))
        }
        _ => Err(ViewError::BadCursor),
    }
}

fn step(db: &Reader, case: CaseId, run: &Run, (index, of): (u64, u64), upto: u64) -> Result<Step> {
    let SubjectRef { kind, id } = &run.lead.subject;
    let (before, after) = match table_of(kind) {
        Some(table) => {
            let before = run.first.saturating_sub(1);
            (document(db, table, *id, before)?, document(db, table, *id, run.last)?)
        }
        None => (None, None),
    };
    Ok(Step {
        index,
        of,
        act: act(db, run)?,
        basis: basis::of(kind, before.as_ref(), after.as_ref())?,
        changes: changes(&before, &after),
        previous: runs::last_before(db, case, run.first)?,
        next: runs(db, case, (run.last, upto), Way::Forward, 1)?.first().map(|run| run.last),
    })
}

/// What a run of entries says: who did what.
pub(crate) fn act(db: &Reader, run: &Run) -> Result<Act> {
    let lead = &run.lead;
    Ok(Act {
        command: lead.command,
        positions: run.entries.iter().map(|entry| entry.position).collect(),
        position: run.last,
        recorded_at: lead.recorded_at,
        actor: doer(db, lead.actor, run.last)?,
        actor_kind: lead.actor_kind,
        on_behalf_of: lead.on_behalf_of,
        session: lead.session,
        facts: run.entries.iter().map(told).collect(),
    })
}

fn told(entry: &EntryDoc) -> StepFact {
    StepFact {
        position: entry.position,
        fact: entry.fact.clone(),
        subject: entry.subject.clone(),
        revision: entry.revision,
        why: entry.why.clone(),
        erased: entry.erased,
        origin: entry.origin.clone(),
    }
}

/// Somebody as they were called at a moment.
fn doer(db: &Reader, id: UserId, position: u64) -> Result<Doer> {
    let found = db.document(UserDoc::TABLE, id.0, At::Position(position))?;
    let known = found.map(|found| serde_json::from_str::<UserDoc>(&found.json)).transpose()?;
    Ok(Doer { id, profile: known.and_then(|known| known.profile) })
}

#[cfg(test)]
pub(crate) mod tests;
