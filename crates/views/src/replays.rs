//! Replays: walks through a case's past that somebody saved, with where they stand and what they noted there.

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::id::{CaseId, ReplayId, UserId};
use assay_domain::policy::Permission;
use assay_domain::replay::{Event, StateDigest};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Instant, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag};

/// The most notes kept with a replay, the last ones; its history has them all.
const NOTES_MAX: usize = 200;

/// What somebody noted at a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReplayNote {
    /// After which entry they stood.
    pub position: u64,
    /// What they noted; null where it was erased.
    pub note: Option<String>,
    /// When.
    pub at: Instant,
}

/// A saved walk through a case's past.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Replay))]
pub struct ReplayDoc {
    /// Which.
    pub id: ReplayId,
    /// Of which case.
    pub case: CaseId,
    /// What its owner calls it; null where it was erased.
    pub title: Option<String>,
    /// Whether some of its words were erased.
    pub erased: bool,
    /// Whose it is.
    pub owner: UserId,
    /// From after this position.
    pub from: u64,
    /// Up to this position, included.
    pub to: u64,
    /// After which entry its owner stands.
    pub position: u64,
    /// What the case was at `to` when the replay was saved.
    pub state: StateDigest,
    /// What was noted on the way, first note first; at most the last 200.
    pub notes: Vec<ReplayNote>,
    /// How many earlier notes only its history has.
    pub notes_before: u64,
    /// Who saved it.
    pub saved: Deed,
    /// Whether its owner dropped it.
    pub dropped: bool,
}

impl Row for ReplayDoc {
    const TABLE: &'static str = "replays";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("owner", "BLOB NOT NULL"),
        ("saved_at", "INTEGER NOT NULL"),
        ("dropped", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(saved_at, id) ?open",
        "(owner, saved_at, id) ?open",
        "(saved_at, id, from_pos, to_pos)",
        "(case_id, saved_at, id, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            blob(self.case.0),
            blob(self.owner.0),
            self.saved.at.micros().into(),
            flag(self.dropped),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.replays
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Replay(event), Subject::Replay(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let Event::Saved { case, title, from, to, state, .. } = event {
        let saved = fact.deed();
        let row = ReplayDoc {
            id,
            case: *case,
            title: words(title),
            erased: gone(title),
            owner: saved.by,
            from: *from,
            to: *to,
            position: *from,
            state: *state,
            notes: Vec::new(),
            notes_before: 0,
            saved,
            dropped: false,
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<ReplayDoc>(id.0, Of::Own, |row| row.fold(event, fact.at()))?;
    Ok(Took::Used)
}

impl ReplayDoc {
    fn fold(&mut self, event: &Event, at: Instant) {
        match event {
            Event::WentTo { position, note } => {
                self.position = *position;
                if let Some(note) = note {
                    self.erased |= gone(note);
                    self.notes.push(ReplayNote { position: *position, note: words(note), at });
                }
                if self.notes.len() > NOTES_MAX {
                    self.notes.remove(0);
                    self.notes_before = self.notes_before.saturating_add(1);
                }
            }
            Event::Dropped {} => self.dropped = true,
            Event::Saved { .. } => (),
        }
    }
}

/// One replay of a case in sight: of its owner and of auditors; also where it was dropped.
pub fn one(db: &Reader, sight: &Sight, at: At, replay: ReplayId) -> Result<Option<Document>> {
    let Some(found) = db.document(ReplayDoc::TABLE, replay.0, at)? else { return Ok(None) };
    let known: ReplayDoc = serde_json::from_str(&found.json)?;
    let whose = sight.user() == Some(known.owner) || sight.may(Permission::Audit);
    Ok((whose && sight.sees(known.case)).then_some(found))
}

/// The replays of cases in sight, last saved first: everybody their own, auditors all; dropped ones
/// are left out.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: Option<CaseId>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let (seen, values) = sight.filter("t.case_id");
    let mut list = List::of(ReplayDoc::TABLE, &["saved_at"])
        .descending(true)
        .only("t.dropped = 0", [])
        .only(seen, values)
        .only_if("t.case_id = ?", case.map(|case| blob(case.0)));
    if !sight.may(Permission::Audit) {
        let own = sight.user().map_or(Value::Null, |user| blob(user.0));
        list = list.only("t.owner = ?", [own]);
    }
    list.page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, AUD, BEN, RAO, World, case, head, many, reason, replay, sight, user, values,
    };
    use crate::{changes, history};

    fn noted(position: u64, text: &str) -> Event {
        Event::WentTo { position, note: Some(reason(text).into()) }
    }

    #[test]
    fn a_replay_is_its_owners_and_auditors_see_all() {
        let mut world = World::busy();
        world.save_replay(1, RAO, 1);
        world.save_replay(2, BEN, 2);
        world.save_replay(3, RAO, 1);
        world.on_replay(3, RAO, Event::Dropped {});
        let db = world.views();
        for (who, listed, opened) in [(RAO, 1, true), (AUD, 2, true), (ANA, 0, false)] {
            let sight = sight(&db, who);
            let found = page(&db, &sight, head(), None, None, many()).unwrap();
            assert_eq!(found.items.len(), listed, "{who}");
            assert_eq!(one(&db, &sight, head(), replay(1)).unwrap().is_some(), opened, "{who}");
        }
        let dropped = one(&db, &sight(&db, RAO), head(), replay(3)).unwrap().unwrap();
        assert!(dropped.json.contains("\"dropped\":true"));
        let of = |case| page(&db, &sight(&db, AUD), head(), Some(case), None, many()).unwrap();
        assert_eq!(of(case(2)).items.len(), 1);
    }

    #[test]
    fn who_left_the_case_has_its_replays_no_more() {
        let mut world = World::busy();
        world.save_replay(1, RAO, 1);
        world.on_case(1, ANA, assay_domain::case::Event::MemberRemoved { user: user(RAO) });
        let db = world.views();
        let rao = sight(&db, RAO);
        assert!(one(&db, &rao, head(), replay(1)).unwrap().is_none());
        assert!(page(&db, &rao, head(), None, None, many()).unwrap().items.is_empty());
    }

    #[test]
    fn it_remembers_where_its_owner_stands_and_the_last_notes() {
        let mut world = World::busy();
        world.save_replay(1, RAO, 1);
        for n in 0..=200_u64 {
            world.on_replay(1, RAO, noted(n, &format!("note {n}")));
        }
        let db = world.views();
        let found = one(&db, &sight(&db, RAO), head(), replay(1)).unwrap().unwrap();
        let found: ReplayDoc = serde_json::from_str(&found.json).unwrap();
        assert_eq!((found.position, found.notes.len(), found.notes_before), (200, 200, 1));
        assert_eq!(found.notes[0].note.as_deref(), Some("note 1"));
    }

    #[test]
    fn replaying_is_no_part_of_the_history_of_a_case_but_owners_find_their_own_entries() {
        let mut world = World::busy();
        let after = world.log_head();
        world.save_replay(1, RAO, 1);
        let db = world.views();
        let rao = sight(&db, RAO);
        let told = values(&history::of_case(&db, &rao, head(), case(1), None, many()).unwrap());
        assert!(told.iter().all(|entry| entry["subject"]["kind"] != "replay"));
        assert!(changes::after(&db, &rao, case(1), after, many()).unwrap().is_empty());
        let entry = |who| history::one(&db, &sight(&db, who), after + 1).unwrap();
        assert!(entry(RAO).is_some() && entry(AUD).is_some() && entry(ANA).is_none());
    }
}
