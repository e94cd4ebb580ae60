//! Erasures: who asked to forget what, on what ground, how it was decided; and what must not be shown now.

use std::collections::BTreeMap;

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::erasure::{Erasable, ErasureStanding, Event, Living};
use assay_domain::id::ErasureId;
use assay_domain::policy::Permission;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::{At, OPEN};
use crate::db::Reader;
use crate::doc::{Deed, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, flag, word};

/// A request to forget something, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Erasure))]
pub struct ErasureDoc {
    /// Which.
    pub id: ErasureId,
    /// What is to be forgotten.
    pub subject: Erasable,
    /// Whether the person it is about lives.
    pub living: Living,
    /// On what ground; null where that was erased.
    pub ground: Option<String>,
    /// Whether the ground was erased.
    pub erased: bool,
    /// Where it stands.
    pub standing: ErasureStanding,
    /// Who asked.
    pub requested: Deed,
    /// Since when and why what it is about is not shown; null while it is.
    pub restricted: Option<Remark>,
    /// When and why what it is about was shown again last; null where it never was hidden.
    pub lifted: Option<Remark>,
    /// Who refused it, when and on what ground.
    pub refused: Option<Remark>,
    /// Who carried it out.
    pub carried_out: Option<Deed>,
}

impl Row for ErasureDoc {
    const TABLE: &'static str = "erasures";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("standing", "TEXT NOT NULL"),
        ("requested_at", "INTEGER NOT NULL"),
        ("hides", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(requested_at, id) ?open",
        "(requested_at, id, from_pos, to_pos)",
        "(hides, from_pos) ?open",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            word(&self.standing).into(),
            self.requested.at.micros().into(),
            flag(self.restricted.is_some() || self.lifted.is_some() || self.carried_out.is_some()),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.erasures
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Erasure(event), Subject::Erasure(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let Event::Requested { subject, living, ground, .. } = event {
        let row = ErasureDoc {
            id,
            subject: *subject,
            living: *living,
            ground: words(ground),
            erased: gone(ground),
            standing: ErasureStanding::Requested,
            requested: fact.deed(),
            restricted: None,
            lifted: None,
            refused: None,
            carried_out: None,
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<ErasureDoc>(id.0, Of::Own, |row| row.fold(event, fact.deed()))?;
    Ok(Took::Used)
}

impl ErasureDoc {
    fn fold(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::Restricted { reason } => {
                self.standing = ErasureStanding::Restricted;
                self.restricted = Some(Remark::new(deed, Some(reason)));
            }
            Event::RestrictionLifted { reason } => {
                self.standing = ErasureStanding::Requested;
                self.restricted = None;
                self.lifted = Some(Remark::new(deed, Some(reason)));
            }
            Event::Refused { ground } => {
                self.standing = ErasureStanding::Refused;
                let refused = Remark::new(deed, Some(ground));
                if self.restricted.take().is_some() {
                    self.lifted = Some(refused.clone());
                }
                self.refused = Some(refused);
            }
            Event::CarriedOut { .. } => {
                self.standing = ErasureStanding::CarriedOut;
                self.restricted = None;
                self.carried_out = Some(deed);
            }
            Event::Requested { .. } => (),
        }
    }
}

/// Whether erasures are in sight at all: of those who ask for them, who decide and who audit.
fn sees(sight: &Sight) -> bool {
    [Permission::DecideErasure, Permission::RequestErasure, Permission::Audit]
        .into_iter()
        .any(|permission| sight.may(permission))
}

/// One erasure, for those who ask for them, decide or audit.
pub fn one(db: &Reader, sight: &Sight, at: At, erasure: ErasureId) -> Result<Option<Document>> {
    if !sees(sight) {
        return Ok(None);
    }
    db.document(ErasureDoc::TABLE, erasure.0, at)
}

/// The erasures, last asked for first, for those who ask for them, decide or audit.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    standing: Option<ErasureStanding>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sees(sight) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    List::of(ErasureDoc::TABLE, &["requested_at"])
        .descending(true)
        .only_if("t.standing = ?", standing.map(|standing| word(&standing)))
        .page(db, at, cursor, limit)
}

/// What must not be shown now, by subject: what was forgotten, and what is held back until that is decided.
///
/// For the program itself, which destroys keys and holds them back; no answer to anybody's question.
pub fn hidden(db: &Reader) -> Result<Vec<(Erasable, ErasureStanding)>> {
    let sql = format!(
        "SELECT doc FROM erasures WHERE to_pos = {OPEN} AND hides = 1 ORDER BY from_pos, id"
    );
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let known: ErasureDoc = serde_json::from_str(&row.get::<_, String>(0)?)?;
        match known.standing {
            ErasureStanding::CarriedOut => {
                found.insert(known.subject, known.standing);
            }
            ErasureStanding::Restricted => {
                // What was forgotten stays so, whatever else is asked of it.
                found.entry(known.subject).or_insert(known.standing);
            }
            ErasureStanding::Requested | ErasureStanding::Refused => (),
        }
    }
    Ok(found.into_iter().collect())
}

/// Whether something was forgotten, hidden or shown again since this file was made: its rows were
/// folded with other keys then, and it is to be made anew.
pub fn outdated(db: &Reader) -> Result<bool> {
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT EXISTS (SELECT 1 FROM erasures WHERE to_pos = {OPEN} AND hides = 1 \
         AND from_pos > coalesce((SELECT made_to FROM meta WHERE one = 1), 0))"
    ))?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ADM, ANA, AUD, World, claim, erasure, head, many, reason, report, sight, values,
    };
    use assay_domain::erasure::ErasableKind;

    fn because() -> assay_domain::personal::Personal<assay_domain::text::Reason> {
        reason("because").into()
    }

    #[test]
    fn erasures_are_for_those_who_ask_decide_or_audit() {
        let mut world = World::busy();
        world.ask_erasure(1, ADM, claim(1).0);
        world.ask_erasure(2, ADM, claim(2).0);
        world.on_erasure(2, AUD, Event::Refused { ground: because() });
        let db = world.views();
        for (who, count) in [(ADM, 2), (AUD, 2), (ANA, 0)] {
            let sight = sight(&db, who);
            let found = page(&db, &sight, head(), None, None, many()).unwrap();
            assert_eq!(found.items.len(), count, "{who}");
            let one = one(&db, &sight, head(), erasure(1)).unwrap();
            assert_eq!(one.is_some(), count > 0, "{who}");
        }
        let refused = Some(ErasureStanding::Refused);
        let found = page(&db, &sight(&db, AUD), head(), refused, None, many()).unwrap();
        assert_eq!(values(&found)[0]["refused"]["reason"], "because");
    }

    #[test]
    fn what_is_hidden_is_what_was_forgotten_or_is_held_back_now() {
        let mut world = World::busy();
        let subject = |id| Erasable { kind: ErasableKind::Claim, id };
        for (n, about) in [(1, claim(1)), (2, claim(2)), (3, claim(3)), (4, claim(4))] {
            world.ask_erasure(n, ADM, about.0);
            world.on_erasure(n, ADM, Event::Restricted { reason: because() });
        }
        world.ask_erasure(5, ADM, report(1).0);
        world.on_erasure(1, AUD, Event::CarriedOut { subject: subject(claim(1).0) });
        world.on_erasure(3, AUD, Event::RestrictionLifted { reason: because() });
        world.on_erasure(4, AUD, Event::Refused { ground: because() });
        world.ask_erasure(6, ADM, claim(1).0);
        world.on_erasure(6, ADM, Event::Restricted { reason: because() });
        let expected = [
            (subject(claim(1).0), ErasureStanding::CarriedOut),
            (subject(claim(2).0), ErasureStanding::Restricted),
        ];
        assert_eq!(hidden(&world.views()).unwrap(), expected);
    }

    #[test]
    fn a_file_is_outdated_until_it_is_made_anew_after_what_was_hidden() {
        let mut world = World::busy();
        world.ask_erasure(1, ADM, claim(1).0);
        assert!(!outdated(&world.views()).unwrap());
        world.on_erasure(1, ADM, Event::Restricted { reason: because() });
        let db = world.views();
        assert!(outdated(&db).unwrap());
        let path = world.dir.path().join("anew.db");
        let (journal, keys, runtime) = (world.journal(), world.keys.clone(), world.handle());
        crate::rebuild::rebuild(&path, &journal, &keys, &runtime, |_, _| ()).unwrap();
        let anew = crate::Views::open(&path).unwrap();
        assert!(!outdated(&anew.reader().unwrap()).unwrap());
        world.on_erasure(1, ADM, Event::RestrictionLifted { reason: because() });
        crate::projector::catch_up(&anew, &journal, &keys, &runtime, |_, _| ()).unwrap();
        assert!(outdated(&anew.reader().unwrap()).unwrap());
    }
}
