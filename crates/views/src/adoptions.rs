//! Adoptions: cases taken over from other houses, and where each of their entries comes from.

use assay_domain::adoption::{Event, Kinship, Origin};
use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::id::{AdoptionId, CaseId, UserId};
use assay_domain::value::Digest;
use assay_store::fact::ActorKind;
use rusqlite::OptionalExtension as _;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::{At, number, sql};
use crate::db::Reader;
use crate::doc::{Deed, Instant};
use crate::error::{Result, ViewError};
use crate::fact::Fact;
use crate::history::EntryOrigin;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::reports::in_sight;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob};

/// Somebody of the other house, and who they are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AdoptedActor {
    /// Their id there.
    pub there: UserId,
    /// Their id here.
    pub here: UserId,
    /// How that is known.
    pub how: Kinship,
}

/// A case taken over from another house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Adoption))]
pub struct AdoptionDoc {
    /// Which.
    pub id: AdoptionId,
    /// Which case.
    pub case: CaseId,
    /// The other log, as its checkpoints call it.
    pub origin: String,
    /// Its size at the checkpoint.
    pub size: u64,
    /// Its root at the checkpoint.
    pub root: Digest,
    /// The SHA-256 of the bundle.
    pub bundle: Digest,
    /// The signed checkpoint the bundle was verified against.
    pub checkpoint: String,
    /// Who is who.
    pub actors: Vec<AdoptedActor>,
    /// How many entries were noted so far.
    pub entries: u64,
    /// Who began it.
    pub began: Deed,
    /// Who finished it; null until all of it is here.
    pub finished: Option<Deed>,
}

impl Row for AdoptionDoc {
    const TABLE: &'static str = "adoptions";
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("case_id", "BLOB NOT NULL"), ("began_at", "INTEGER NOT NULL")];
    const INDEXES: &'static [&'static str] =
        &["(began_at, id) ?open", "(began_at, id, from_pos, to_pos)", "(case_id) ?open"];

    fn columns(&self) -> Vec<Value> {
        vec![blob(self.case.0), self.began.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.adoptions
    }
}

/// Where entries come from, by their fact's id there; written once, when they are noted.
pub(crate) const ORIGINS: &str = "
    CREATE TABLE origins(id BLOB PRIMARY KEY, from_pos INTEGER NOT NULL, adoption BLOB NOT NULL,
        place INTEGER NOT NULL, leaf BLOB NOT NULL, recorded_at INTEGER NOT NULL,
        actor BLOB NOT NULL) WITHOUT ROWID;";

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Adoption(event), Subject::Adoption(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    match event {
        Event::Began { case, origin, size, root, bundle, checkpoint, actors, .. } => {
            let who = actors.iter().map(|actor| AdoptedActor {
                there: actor.there,
                here: actor.here,
                how: actor.how,
            });
            let row = AdoptionDoc {
                id,
                case: *case,
                origin: origin.clone().into(),
                size: *size,
                root: *root,
                bundle: *bundle,
                checkpoint: checkpoint.clone().into(),
                actors: who.collect(),
                entries: 0,
                began: fact.deed(),
                finished: None,
            };
            rows.put(id.0, Of::Own, row)?;
        }
        Event::EntriesNoted { entries } => {
            note(id, entries, rows)?;
            let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            rows.change::<AdoptionDoc>(id.0, Of::Own, |row| {
                row.entries = row.entries.saturating_add(count);
            })?;
        }
        Event::Finished {} => {
            rows.change::<AdoptionDoc>(id.0, Of::Own, |row| row.finished = Some(fact.deed()))?;
        }
    }
    Ok(Took::Used)
}

/// Keeps where entries come from. What was noted first of a fact stands.
fn note(adoption: AdoptionId, entries: &[Origin], rows: &Rows<'_>) -> Result<()> {
    let mut statement = rows.conn.prepare_cached(
        "INSERT OR IGNORE INTO origins(id, from_pos, adoption, place, leaf, recorded_at, actor)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?;
    for entry in entries {
        statement.execute((
            entry.fact.as_bytes().as_slice(),
            sql(rows.position),
            adoption.0.as_bytes().as_slice(),
            sql(entry.position),
            entry.leaf.0.as_slice(),
            entry.recorded_at.as_microsecond(),
            entry.actor.0.as_bytes().as_slice(),
        ))?;
    }
    Ok(())
}

/// A row of the origins: the adoption, and the entry's place, leaf, instant and actor there.
type Found = ([u8; 16], i64, [u8; 32], i64, [u8; 16]);

/// Where a fact comes from, if it was taken over and its origin noted before.
///
/// Only imported facts with a cause are looked up: all others cost nothing.
pub(crate) fn origin_of(fact: &Fact, rows: &mut Rows<'_>) -> Result<Option<EntryOrigin>> {
    let (ActorKind::Import, Some(there)) = (fact.envelope.actor_kind, fact.envelope.causation)
    else {
        return Ok(None);
    };
    let mut statement = rows.conn.prepare_cached(
        "SELECT adoption, place, leaf, recorded_at, actor FROM origins WHERE id = ?",
    )?;
    let found = statement.query_row([there.as_bytes().as_slice()], |row| {
        let found: Found = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        Ok(found)
    });
    let Some((adoption, place, leaf, recorded_at, actor)) = found.optional()? else {
        return Ok(None);
    };
    let adoption = rows.get::<AdoptionDoc>(Uuid::from_bytes(adoption))?;
    let Some(log) = adoption.map(|adoption| adoption.origin.clone()) else { return Ok(None) };
    let recorded_at = Instant::of_micros(recorded_at)
        .ok_or_else(|| ViewError::Damaged("origins: its instant".to_owned()))?;
    let (position, actor) = (number(place), UserId(Uuid::from_bytes(actor)));
    Ok(Some(EntryOrigin { log, position, recorded_at, actor, leaf: Digest(leaf) }))
}

/// One adoption, in sight of who sees the case; auditors see every case up to their clearance.
pub fn one(db: &Reader, sight: &Sight, at: At, adoption: AdoptionId) -> Result<Option<Document>> {
    in_sight(db, sight, AdoptionDoc::TABLE, adoption.0, at)
}

/// The adoptions of cases in sight, last begun first.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let (seen, values) = sight.filter("t.case_id");
    List::of(AdoptionDoc::TABLE, &["began_at"])
        .descending(true)
        .only(seen, values)
        .page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests;
