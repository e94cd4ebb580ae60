//! Questions about history: of a case, of a subject, of everything, and one entry with what it changed.

use assay_domain::aggregate::Subject;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::Permission;
use assay_domain::value::Digest;
use assay_store::fact::ActorKind;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params_from_iter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::adoptions::AdoptionDoc;
use crate::at::{At, number, sql};
use crate::db::Reader;
use crate::diff::{Change, table_of, versions_at};
use crate::doc::Instant;
use crate::erasures::ErasureDoc;
use crate::error::{Result, ViewError};
use crate::list::raw;
use crate::members::Sight;
use crate::page::{Cursor, Key, Limit, Page, Place};
use crate::replays::ReplayDoc;
use crate::rows::{Row as _, blob};

/// What an entry is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SubjectRef {
    /// `user`, `case`, `source`, `report`, `claim`, `link`, `finding`, `access`, `replay`, `erasure`,
    /// `adoption` or `log`.
    pub kind: String,
    /// Which.
    pub id: Uuid,
}

/// Where an entry that was taken over comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntryOrigin {
    /// The other log, as its checkpoints call it.
    pub log: String,
    /// Its position there.
    pub position: u64,
    /// When it was recorded there.
    pub recorded_at: Instant,
    /// Who did it, as they are called there.
    pub actor: UserId,
    /// Its leaf there.
    pub leaf: Digest,
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Entry))]
pub struct EntryDoc {
    /// Its place in the journal, from 1.
    pub position: u64,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// What it is about.
    pub subject: SubjectRef,
    /// Its place in the subject's stream, from 0.
    pub revision: u64,
    /// The case it belongs to, or is about.
    pub case: Option<CaseId>,
    /// The wire name of its fact.
    pub fact: String,
    /// Who did it.
    pub actor: UserId,
    /// What kind of doer that is.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "person"))]
    pub actor_kind: ActorKind,
    /// For whom, when a program acted for a person.
    pub on_behalf_of: Option<UserId>,
    /// In which session.
    pub session: Option<Uuid>,
    /// The command that made it.
    pub command: Uuid,
    /// The reason it carries, cut short; null where it carries none or it was erased.
    pub why: Option<String>,
    /// Whether its reason was erased.
    pub erased: bool,
    /// Where it comes from; null unless it was taken over from another log.
    pub origin: Option<EntryOrigin>,
}

/// One entry of the journal and what it changed of its subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EntryWithChanges {
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryDoc,
    /// What it changed, path by path.
    pub changes: Vec<Change>,
}

pub(crate) const COLUMNS: &str = "position, recorded_at, kind, subject, revision, \
    coalesce(case_id, beside), name, actor, actor_kind, on_behalf_of, session, command, why, \
    erased, origin";

/// Reads one row of [`COLUMNS`].
pub(crate) fn entry(row: &rusqlite::Row<'_>) -> Result<EntryDoc> {
    let damaged = |what: &str| ViewError::Damaged(format!("history: {what}"));
    let optional = |at: usize| -> Result<Option<Uuid>> {
        Ok(row.get::<_, Option<[u8; 16]>>(at)?.map(Uuid::from_bytes))
    };
    let id = |at: usize| -> Result<Uuid> { optional(at)?.ok_or_else(|| damaged("no id")) };
    let kind: String = row.get(8)?;
    let origin: Option<String> = row.get(14)?;
    Ok(EntryDoc {
        position: number(row.get(0)?),
        recorded_at: Instant::of_micros(row.get(1)?).ok_or_else(|| damaged("its instant"))?,
        subject: SubjectRef { kind: row.get(2)?, id: id(3)? },
        revision: number(row.get(4)?),
        case: optional(5)?.map(CaseId),
        fact: row.get(6)?,
        actor: UserId(id(7)?),
        actor_kind: serde_json::from_value(kind.into())?,
        on_behalf_of: optional(9)?.map(UserId),
        session: optional(10)?,
        command: id(11)?,
        why: row.get(12)?,
        erased: row.get(13)?,
        origin: origin.as_deref().map(serde_json::from_str).transpose()?,
    })
}

/// The condition that an entry is in sight, and what it binds.
///
/// Of a case: where the case is. Of the house: users for those who may read users and for
/// themselves, sources for those who may read the registry, findings for those who may answer them,
/// erasures for those who may ask for them or decide. Who may audit knows all of it, but nothing of
/// a case that is out of their sight; of their own replays everybody does.
pub(crate) fn visible(sight: &Sight) -> (String, Vec<Value>) {
    let (seen, mut values) = sight.filter("case_id");
    let (beside, case) = sight.filter("beside");
    let beside = format!("(beside IS NULL OR {beside})");
    let mut house: Vec<String> = Vec::new();
    if sight.may(Permission::ReadUsers) {
        house.push("kind = 'user'".to_owned());
    } else if let Some(user) = sight.user() {
        house.push("(kind = 'user' AND subject = ?)".to_owned());
        values.push(blob(user.0));
    }
    if sight.may_anywhere(Permission::ReadSources) {
        house.push("kind = 'source'".to_owned());
    }
    if sight.may(Permission::Audit) {
        let kinds = "'finding', 'access', 'replay', 'erasure', 'adoption', 'log'";
        house.push(format!("(case_id IS NULL AND kind IN ({kinds}) AND {beside})"));
        values.extend(case);
    } else if let Some(user) = sight.user() {
        house.push(format!("(kind = 'replay' AND actor = ? AND {beside})"));
        values.push(blob(user.0));
        values.extend(case);
    }
    if sight.may(Permission::AnswerFinding) {
        house.push("(kind = 'finding' AND case_id IS NULL)".to_owned());
    }
    if sight.may(Permission::RequestErasure) || sight.may(Permission::DecideErasure) {
        house.push("kind = 'erasure'".to_owned());
    }
    let house = if house.is_empty() { "0".to_owned() } else { house.join(" OR ") };
    let of_case = format!("(case_id IS NOT NULL AND kind NOT IN ('user', 'source') AND {seen})");
    (format!("({of_case} OR {house})"), values)
}

/// One page of entries, newest first, of which one more condition holds.
fn entries(
    db: &Reader,
    sight: &Sight,
    at: At,
    condition: (&str, Vec<Value>),
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    db.snapshot(|| {
        let place = cursor.map(|cursor| cursor.place("history")).transpose()?;
        let (position, before) = if let Some(Place { position, keys, .. }) = &place {
            let [Key::Number(before)] = keys.as_slice() else { return Err(ViewError::BadCursor) };
            (*position, *before)
        } else {
            let position = db.resolve(at)?;
            (position, sql(position.saturating_add(1)))
        };
        let (seen, values) = visible(sight);
        let (condition, mut all) = condition;
        all.extend(values);
        all.push(before.into());
        let mut statement = db.conn().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM history WHERE {condition} AND {seen} AND position < ? \
             ORDER BY position DESC LIMIT {}",
            limit.get().saturating_add(1)
        ))?;
        let mut rows = statement.query(params_from_iter(all))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(entry(row)?);
        }
        let more = found.len() > limit.get();
        found.truncate(limit.get());
        let next = match found.last() {
            Some(last) if more => {
                let keys = vec![Key::Number(sql(last.position))];
                let place =
                    Place { list: "history".to_owned(), position, keys, id: last.subject.id };
                Some(Cursor::of(&place)?)
            }
            _ => None,
        };
        let json = |entry| raw(serde_json::to_string(&with_changes(db, entry)?)?);
        let items = found.into_iter().map(json).collect::<Result<_>>()?;
        Ok(Page { items, next, position })
    })
}

/// What happened in a case ([`EntryWithChanges`]), newest first.
pub fn of_case(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    entries(db, sight, at, ("case_id = ?", vec![blob(case.0)]), cursor, limit)
}

/// What happened to one subject ([`EntryWithChanges`]), newest first.
pub fn of_subject(
    db: &Reader,
    sight: &Sight,
    at: At,
    subject: Subject,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let condition =
        ("subject = ? AND kind = ?", vec![blob(subject.id()), subject.kind().to_owned().into()]);
    entries(db, sight, at, condition, cursor, limit)
}

/// Everything that happened ([`EntryWithChanges`]), newest first, for those who may audit.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.may(Permission::Audit) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    entries(db, sight, at, ("1", vec![]), cursor, limit)
}

/// One entry and what it changed of its subject.
pub fn one(db: &Reader, sight: &Sight, position: u64) -> Result<Option<EntryWithChanges>> {
    db.snapshot(|| {
        let (seen, mut values) = visible(sight);
        values.push(sql(position).into());
        let mut statement = db.conn().prepare_cached(&format!(
            "SELECT {COLUMNS} FROM history WHERE {seen} AND position = ?"
        ))?;
        let found =
            statement.query_row(params_from_iter(values), |row| Ok(entry(row))).optional()?;
        let Some(entry) = found.transpose()? else { return Ok(None) };
        with_changes(db, entry).map(Some)
    })
}

/// An entry and what it changed: the subject's version that ends there against the one that begins.
fn with_changes(db: &Reader, entry: EntryDoc) -> Result<EntryWithChanges> {
    let kind = entry.subject.kind.as_str();
    let changes = match table_of(kind).or_else(|| table_beside(kind)) {
        Some(table) => {
            let (before, after) = versions_at(db, table, entry.subject.id, entry.position)?;
            crate::diff::changes(&before, &after)
        }
        None => Vec::new(),
    };
    Ok(EntryWithChanges { entry, changes })
}

/// The table of a subject's document, of those subjects that are no part of any case's history.
fn table_beside(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "replay" => ReplayDoc::TABLE,
        "erasure" => ErasureDoc::TABLE,
        "adoption" => AdoptionDoc::TABLE,
        _ => return None,
    })
}
