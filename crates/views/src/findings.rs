//! Findings: what auditors found in the entries of the log, what was answered, and how each ended.

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::finding::{EntryRef, Event, FindingOutcome, Severity};
use assay_domain::id::{CaseId, FindingId, UserId};
use assay_domain::policy::Permission;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Instant, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag, word};

/// Where a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingStanding {
    /// It waits for an answer.
    Open,
    /// It was answered and waits for an auditor.
    Answered,
    /// It ended.
    Closed,
}

/// What the team said to a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FindingAnswer {
    /// Their words; null where they were erased.
    pub answer: Option<String>,
    /// Whether the words were erased.
    pub erased: bool,
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Instant,
}

/// Something an auditor found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Finding))]
pub struct FindingDoc {
    /// Which.
    pub id: FindingId,
    /// In which case; null where it concerns the house.
    pub case: Option<CaseId>,
    /// The log whose positions its entries name; null where it is this one.
    pub log: Option<String>,
    /// The entries it is about.
    pub entries: Vec<EntryRef>,
    /// How grave it is.
    pub severity: Severity,
    /// What was found; null where it was erased.
    pub statement: Option<String>,
    /// Whether the statement was erased.
    pub erased: bool,
    /// Where it stands.
    pub standing: FindingStanding,
    /// Who found it.
    pub recorded: Deed,
    /// What was answered, first answer first.
    pub answers: Vec<FindingAnswer>,
    /// How it ended; null while it has not.
    pub outcome: Option<FindingOutcome>,
    /// Who closed it, when and why; null while it is not closed.
    pub closed: Option<Remark>,
    /// When and why it went on after it was closed.
    pub reopened: Vec<Remark>,
}

impl Row for FindingDoc {
    const TABLE: &'static str = "findings";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB"),
        ("standing", "TEXT NOT NULL"),
        ("severity", "TEXT NOT NULL"),
        ("recorded_at", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(recorded_at, id) ?open",
        "(recorded_at, id, from_pos, to_pos)",
        "(case_id, recorded_at, id) ?open",
        "(case_id, recorded_at, id, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            self.case.map_or(Value::Null, |case| blob(case.0)),
            word(&self.standing).into(),
            word(&self.severity).into(),
            self.recorded.at.micros().into(),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.findings
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Finding(event), Subject::Finding(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let Event::Recorded { case, entries, severity, statement, .. } = event {
        let row = FindingDoc {
            id,
            case: *case,
            log: fact.origin.as_ref().map(|origin| origin.log.clone()),
            entries: entries.clone(),
            severity: *severity,
            statement: words(statement),
            erased: gone(statement),
            standing: FindingStanding::Open,
            recorded: fact.deed(),
            answers: Vec::new(),
            outcome: None,
            closed: None,
            reopened: Vec::new(),
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<FindingDoc>(id.0, Of::Own, |row| row.fold(event, fact.deed()))?;
    Ok(Took::Used)
}

impl FindingDoc {
    fn fold(&mut self, event: &Event, deed: Deed) {
        match event {
            Event::Answered { answer } => {
                let (answer, erased) = (words(answer), gone(answer));
                self.answers.push(FindingAnswer { answer, erased, by: deed.by, at: deed.at });
                self.standing = FindingStanding::Answered;
            }
            Event::Closed { outcome, reason } => {
                self.standing = FindingStanding::Closed;
                self.outcome = Some(*outcome);
                self.closed = Some(Remark::new(deed, Some(reason)));
            }
            Event::Reopened { reason } => {
                self.standing = FindingStanding::Open;
                self.outcome = None;
                self.closed = None;
                self.reopened.push(Remark::new(deed, Some(reason)));
            }
            Event::Recorded { .. } => (),
        }
    }
}

/// Whether findings that concern the house are in sight: of auditors and of the admins who answer them.
fn sees_house(sight: &Sight) -> bool {
    sight.may(Permission::Audit) || sight.may(Permission::ManageUsers)
}

/// One finding: of a case in sight of who sees the case, of the house in sight of auditors and of
/// the admins who answer them.
pub fn one(db: &Reader, sight: &Sight, at: At, finding: FindingId) -> Result<Option<Document>> {
    let Some(found) = db.document(FindingDoc::TABLE, finding.0, at)? else { return Ok(None) };
    let known: FindingDoc = serde_json::from_str(&found.json)?;
    let seen = known.case.map_or_else(|| sees_house(sight), |case| sight.sees(case));
    Ok(seen.then_some(found))
}

/// Which findings a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Only of this case.
    pub case: Option<CaseId>,
    /// Only where they stand so.
    pub standing: Option<FindingStanding>,
    /// Only of this severity.
    pub severity: Option<Severity>,
}

/// The findings in sight, last recorded first.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    filter: &FindingFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let (seen, mut values) = sight.filter("t.case_id");
    values.push(flag(sees_house(sight)));
    let seen = format!("((t.case_id IS NOT NULL AND {seen}) OR (t.case_id IS NULL AND ?))");
    List::of(FindingDoc::TABLE, &["recorded_at"])
        .descending(true)
        .only(seen, values)
        .only_if("t.case_id = ?", filter.case.map(|case| blob(case.0)))
        .only_if("t.standing = ?", filter.standing.map(|standing| word(&standing)))
        .only_if("t.severity = ?", filter.severity.map(|severity| word(&severity)))
        .page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ADM, ANA, AUD, BEN, RAO, World, case, finding, head, many, passage, reason, sight, values,
    };
    use crate::{changes, history};

    #[test]
    fn a_finding_is_answered_closed_and_goes_on() {
        let mut world = World::busy();
        world.find(1, Some(1), Severity::Major, "the second source is the first");
        let found = world.log_head();
        world.on_finding(1, ANA, Event::Answered { answer: passage("it is not").into() });
        let why = reason("they showed it").into();
        let outcome = FindingOutcome::Unfounded;
        world.on_finding(1, AUD, Event::Closed { outcome, reason: why });
        let closed = world.log_head();
        world.on_finding(1, AUD, Event::Reopened { reason: reason("look again").into() });
        let db = world.views();
        let of = |at| {
            let found = one(&db, &sight(&db, RAO), at, finding(1)).unwrap().unwrap();
            serde_json::from_str::<FindingDoc>(&found.json).unwrap()
        };
        let at_first = of(At::Position(found));
        assert_eq!(at_first.standing, FindingStanding::Open);
        assert_eq!(at_first.statement.as_deref(), Some("the second source is the first"));
        assert_eq!(at_first.log, None);
        let closed = of(At::Position(closed));
        assert_eq!(closed.standing, FindingStanding::Closed);
        assert_eq!(closed.outcome, Some(FindingOutcome::Unfounded));
        assert_eq!(closed.closed.unwrap().reason.as_deref(), Some("they showed it"));
        assert_eq!(closed.answers[0].answer.as_deref(), Some("it is not"));
        let now = of(head());
        assert_eq!((now.standing, now.outcome), (FindingStanding::Open, None));
        assert_eq!((now.answers.len(), now.reopened.len()), (1, 1));
    }

    #[test]
    fn findings_are_in_sight_of_who_sees_the_case_and_those_of_the_house_of_who_answers() {
        let mut world = World::busy();
        world.find(1, Some(1), Severity::Minor, "of the first case");
        world.find(2, Some(2), Severity::Major, "of the second case");
        world.find(3, None, Severity::Critical, "of the house");
        let db = world.views();
        for (who, expected) in
            [(AUD, vec![3, 2, 1]), (ANA, vec![1]), (RAO, vec![1]), (BEN, vec![2]), (ADM, vec![3])]
        {
            let sight = sight(&db, who);
            let filter = FindingFilter::default();
            let listed = page(&db, &sight, head(), &filter, None, many()).unwrap();
            let ids = values(&listed).into_iter().map(|item| item["id"].clone());
            let expected: Vec<_> =
                expected.into_iter().map(|n| serde_json::json!(finding(n))).collect();
            assert_eq!(ids.collect::<Vec<_>>(), expected, "{who}");
            for n in 1..=3 {
                let seen = one(&db, &sight, head(), finding(n)).unwrap().is_some();
                assert_eq!(seen, expected.contains(&serde_json::json!(finding(n))), "{who} {n}");
            }
        }
        let only = |filter| {
            let found = page(&db, &sight(&db, AUD), head(), &filter, None, many()).unwrap();
            found.items.len()
        };
        let standing = Some(FindingStanding::Answered);
        assert_eq!(only(FindingFilter { case: Some(case(2)), ..Default::default() }), 1);
        let severity = Some(Severity::Critical);
        assert_eq!(only(FindingFilter { severity, ..Default::default() }), 1);
        assert_eq!(only(FindingFilter { standing, ..Default::default() }), 0);
    }

    #[test]
    fn a_finding_stands_in_the_history_of_its_case_and_in_its_stream_of_changes() {
        let mut world = World::busy();
        let after = world.log_head();
        world.find(1, Some(1), Severity::Minor, "something is off");
        let db = world.views();
        let ana = sight(&db, ANA);
        let told = values(&history::of_case(&db, &ana, head(), case(1), None, many()).unwrap());
        assert_eq!(told[0]["fact"], "finding.recorded.v1");
        assert_eq!(told[0]["why"], "something is off");
        let live = changes::after(&db, &ana, case(1), after, many()).unwrap();
        assert_eq!(live.len(), 1);
    }
}
