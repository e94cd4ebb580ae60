//! Assertions as rows of their own: which words of which report each is anchored to, for coverage and filters.

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim::Event;
use assay_domain::id::{AssertionId, CaseId, ClaimId, RenditionId, ReportId};
use assay_domain::text::Label;
use assay_domain::value::Stance;
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::At;
use crate::claims::{ClaimDoc, Standing};
use crate::db::Reader;
use crate::error::Result;
use crate::fact::Fact;
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag};

/// Words an assertion is anchored to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) rendition: RenditionId,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// One assertion by where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct AssertionRow {
    pub(crate) id: AssertionId,
    pub(crate) claim: ClaimId,
    pub(crate) case: CaseId,
    pub(crate) report: ReportId,
    pub(crate) stance: Stance,
    pub(crate) side: Option<Label>,
    pub(crate) live: bool,
    pub(crate) spans: Vec<Span>,
}

impl Row for AssertionRow {
    const TABLE: &'static str = "assertions";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("report_id", "BLOB NOT NULL"),
        ("claim_id", "BLOB NOT NULL"),
        ("live", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &["(report_id, claim_id)"];

    fn columns(&self) -> Vec<Value> {
        vec![blob(self.case.0), blob(self.report.0), blob(self.claim.0), flag(self.live)]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.assertions
    }
}

/// The name of an assertion's row: clients name assertions, so another claim may use the same name.
fn row_of(claim: ClaimId, assertion: AssertionId) -> Uuid {
    Uuid::new_v5(&claim.0, assertion.0.as_bytes())
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (AnyEvent::Claim(event), Subject::Claim(claim)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    match event {
        Event::AssertionRecorded { assertion, .. }
        | Event::AssertionReattributed { assertion, .. }
        | Event::AssertionWithdrawn { assertion, .. } => {
            take(claim, rows, |id| id == *assertion)?;
        }
        Event::Withdrawn { .. } | Event::Reinstated { .. } => take(claim, rows, |_| true)?,
        _ => return Ok(Took::Ignored),
    }
    Ok(Took::Used)
}

/// Takes some assertions over from the card of their claim.
fn take(claim: ClaimId, rows: &mut Rows<'_>, which: impl Fn(AssertionId) -> bool) -> Result<()> {
    let Some(card) = rows.get::<ClaimDoc>(claim.0)? else { return Ok(()) };
    let (case, out) = (card.case, card.standing == Standing::Withdrawn);
    let taken: Vec<AssertionRow> = card
        .assertions
        .iter()
        .filter(|known| which(known.id))
        .map(|known| AssertionRow {
            id: known.id,
            claim,
            case,
            report: known.report,
            stance: known.stance,
            side: known.side.clone(),
            live: known.withdrawn.is_none() && !out,
            spans: known.content.iter().flat_map(|content| &content.anchors).map(span).collect(),
        })
        .collect();
    for row in taken {
        rows.put(row_of(claim, row.id), Of::Other, row)?;
    }
    Ok(())
}

fn span(anchor: &assay_domain::value::Anchor) -> Span {
    Span { rendition: anchor.rendition, start: anchor.start, end: anchor.end }
}

/// The live assertions in a report at a moment.
pub(crate) fn live_in(db: &Reader, at: At, report: ReportId) -> Result<Vec<AssertionRow>> {
    let (held, mut values) = at.held("t");
    values.insert(0, blob(report.0));
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT t.doc FROM assertions t WHERE t.report_id = ? AND {held} AND t.live = 1 ORDER BY t.id"
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(found)
}
