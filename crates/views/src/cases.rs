//! Cases: what each is about, its marking, open or closed, who works on it, and what is in it, counted.

use std::collections::{BTreeMap, BTreeSet};

use assay_domain::aggregate::{Event, Subject};
use assay_domain::case::{self, CaseRole};
use assay_domain::id::{CaseId, LinkId, UserId};
use assay_domain::value::Tlp;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::{At, number};
use crate::db::Reader;
use crate::doc::{Deed, Remark, gone, words};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::{List, count};
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag};

/// Somebody who works on a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CaseMember {
    /// Who.
    pub user: UserId,
    /// As what.
    pub roles: BTreeSet<CaseRole>,
    /// Since when, and who added them.
    pub since: Deed,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Closing {
    /// Who closed it, when and with which outcome.
    #[serde(flatten)]
    pub said: Remark,
    /// The contradictions left open.
    pub open_contradictions: Vec<LinkId>,
}

/// One investigation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Case))]
pub struct CaseDoc {
    /// Which.
    pub id: CaseId,
    /// Its title; null where it was erased.
    pub title: Option<String>,
    /// What it is meant to find out, and for whom.
    pub mandate: Option<String>,
    /// Whether its words were erased.
    pub erased: bool,
    /// Who may know of it.
    pub marking: Tlp,
    /// Who opened it.
    pub opened: Deed,
    /// How it ended; null while it is open.
    pub closed: Option<Closing>,
    /// When and why it went on after it was closed.
    pub reopened: Vec<Remark>,
    /// Who works on it.
    pub members: Vec<CaseMember>,
    /// Whether whoever reads it must say to what end.
    pub purpose_demanded: bool,
}

impl Row for CaseDoc {
    const TABLE: &'static str = "cases";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("closed", "INTEGER NOT NULL"),
        ("marking", "INTEGER NOT NULL"),
        ("opened_at", "INTEGER NOT NULL"),
        ("purpose_demanded", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(opened_at, id) ?open",
        "(opened_at, id, from_pos, to_pos)",
        "(marking, id) ?open",
        "(id) ?open AND purpose_demanded = 1",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            blob(self.id.0),
            flag(self.closed.is_some()),
            i64::from(self.marking.level()).into(),
            self.opened.at.micros().into(),
            flag(self.purpose_demanded),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.cases
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::Case(event), Subject::Case(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let case::Event::Opened { brief, marking, .. } = event {
        let known = brief.known().cloned();
        let row = CaseDoc {
            id,
            title: known.as_ref().map(|brief| brief.title.clone().into()),
            mandate: known.and_then(|brief| brief.mandate).map(Into::into),
            erased: gone(brief),
            marking: *marking,
            opened: fact.deed(),
            closed: None,
            reopened: Vec::new(),
            members: Vec::new(),
            purpose_demanded: false,
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<CaseDoc>(id.0, Of::Own, |row| row.fold(event, fact.deed()))?;
    Ok(Took::Used)
}

impl CaseDoc {
    fn fold(&mut self, event: &case::Event, deed: Deed) {
        match event {
            case::Event::Retitled { title } => {
                self.title = words(title);
                self.erased |= gone(title);
            }
            case::Event::MemberAdded { user, roles } => {
                let roles = roles.clone();
                match self.members.iter_mut().find(|member| member.user == *user) {
                    Some(member) => member.roles = roles,
                    None => self.members.push(CaseMember { user: *user, roles, since: deed }),
                }
            }
            case::Event::MemberRemoved { user } => {
                self.members.retain(|member| member.user != *user);
            }
            case::Event::MarkingRaised { marking }
            | case::Event::MarkingLowered { marking, .. } => {
                self.marking = *marking;
            }
            case::Event::Closed { outcome, open_contradictions } => {
                let said = Remark::new(deed, Some(outcome));
                let open_contradictions = open_contradictions.clone();
                self.closed = Some(Closing { said, open_contradictions });
            }
            case::Event::Reopened { reason } => {
                self.closed = None;
                self.reopened.push(Remark::new(deed, Some(reason)));
            }
            case::Event::PurposeDemanded {} => self.purpose_demanded = true,
            case::Event::PurposeWaived { .. } => self.purpose_demanded = false,
            case::Event::Opened { .. } => (),
        }
    }
}

/// One case, in sight of its members and of auditors.
pub fn one(db: &Reader, sight: &Sight, at: At, case: CaseId) -> Result<Option<Document>> {
    if !sight.sees(case) {
        return Ok(None);
    }
    db.document(CaseDoc::TABLE, case.0, at)
}

/// Which cases a list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseFilter {
    /// All.
    #[default]
    All,
    /// Those that go on.
    Open,
    /// Those that ended.
    Closed,
}

/// The cases in sight, last opened first.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    filter: CaseFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    let closed = match filter {
        CaseFilter::All => None,
        CaseFilter::Open => Some(false),
        CaseFilter::Closed => Some(true),
    };
    let (seen, values) = sight.filter("t.case_id");
    List::of(CaseDoc::TABLE, &["opened_at"])
        .descending(true)
        .only(seen, values)
        .only_if("t.closed = ?", closed.map(flag))
        .page(db, at, cursor, limit)
}

/// What is in a case, counted at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CaseOverview {
    /// Which case.
    pub case: CaseId,
    /// Reports filed and not withdrawn.
    pub reports: u64,
    /// Reports withdrawn.
    pub reports_withdrawn: u64,
    /// Claims by where they stand.
    pub claims: BTreeMap<String, u64>,
    /// Claims that one supports and another opposes.
    pub claims_contested: u64,
    /// Contradictions that are open.
    pub contradictions_open: u64,
    /// Claims that wait for a reviewer.
    pub queue: u64,
    /// Links put forward or confirmed.
    pub links: u64,
}

/// What is in a case; nothing where the case is out of sight or did not exist then.
pub fn overview(db: &Reader, sight: &Sight, at: At, case: CaseId) -> Result<Option<CaseOverview>> {
    db.snapshot(|| {
        if one(db, sight, at, case)?.is_none() {
            return Ok(None);
        }
        let of = |table: &str, condition: &str| {
            let condition = format!("t.case_id = ? AND {condition}");
            count(db, table, at, &condition, vec![blob(case.0)])
        };
        Ok(Some(CaseOverview {
            case,
            reports: of("reports", "t.withdrawn = 0")?,
            reports_withdrawn: of("reports", "t.withdrawn = 1")?,
            claims: claims_by_standing(db, at, case)?,
            claims_contested: of("claims", "t.contested = 1")?,
            contradictions_open: of("contradictions", "t.open = 1")?,
            queue: of("queue", "1")?,
            links: of("links", "t.standing IN ('proposed', 'confirmed')")?,
        }))
    })
}

fn claims_by_standing(db: &Reader, at: At, case: CaseId) -> Result<BTreeMap<String, u64>> {
    let (held, mut values) = at.held("t");
    values.push(blob(case.0));
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT t.standing, count(*) FROM claims t WHERE {held} AND t.case_id = ? GROUP BY 1"
    ))?;
    let found = statement
        .query_map(params_from_iter(values), |row| Ok((row.get(0)?, number(row.get(1)?))))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
