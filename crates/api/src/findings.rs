//! Findings: what auditors found in the entries of the log, how the team answered, how it ended.

use actix_web::{get, post};
use assay_domain::finding::{
    AnswerFinding, CloseFinding, Concerned, EntryRef, FindingOutcome, RecordFinding, ReopenFinding,
    Severity,
};
use assay_domain::id::{CaseId, FindingId};
use assay_domain::policy::Permission;
use assay_domain::text::{Passage, Reason};
use assay_views::At;
use assay_views::findings::{self, FindingDoc, FindingFilter, FindingStanding};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::audit::{entry_at, writer};
use crate::door::{Act, Asking, Place};
use crate::problem::Problem;
use crate::reads::answer::{ListOf, Seen};
use crate::reads::look::{Look, here};
use crate::reads::{Plain, Read, paged};
use crate::users::ReasonBody;
use crate::write::{Answer, Written};

/// How many entries are looked up: one more than a finding may be about, so that the rule says so.
const LOOKED_UP_MAX: usize = 101;

/// What was found.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFinding {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<FindingId>,
    /// In which case; in none where it concerns the house.
    #[serde(default)]
    case: Option<CaseId>,
    /// The positions of the entries it is about.
    #[schema(min_items = 1, max_items = 100)]
    entries: Vec<u64>,
    /// How grave it is.
    severity: Severity,
    /// What was found.
    statement: Passage,
}

/// What the team says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerBody {
    /// What they say to it.
    answer: Passage,
}

/// How it ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndBody {
    /// How.
    outcome: FindingOutcome,
    /// Why.
    reason: Reason,
}

/// Which findings.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FindingQuery {
    /// Only of this case.
    #[param(value_type = Option<uuid::Uuid>)]
    case: Option<CaseId>,
    /// Only where they stand so.
    #[param(inline)]
    standing: Option<FindingStanding>,
    /// Only those as grave.
    #[param(inline)]
    severity: Option<Severity>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(FindingQuery);

impl FindingQuery {
    /// What of it the views filter by.
    pub(crate) const fn filter(&self) -> FindingFilter {
        FindingFilter { case: self.case, standing: self.standing, severity: self.severity }
    }
}

/// Record a finding about entries of the log; auditors only.
#[utoipa::path(tag = "findings", request_body = NewFinding,
    responses((status = 201, description = "It is recorded.", body = Written)))]
#[post("/findings")]
pub(crate) async fn record(act: Act<NewFinding>) -> Answer {
    let Act { asking, body } = act;
    let NewFinding { id, case, entries, severity, statement } = body;
    let finding = asking.id(id, "finding");
    let entries = concerned(&asking, &entries)?;
    let command = RecordFinding { finding, case, entries, severity, statement };
    asking.create(&command, finding.0, &format!("findings/{finding}")).await
}

/// The findings in sight, last recorded first.
#[utoipa::path(tag = "findings", params(FindingQuery),
    responses((status = 200, description = "Findings.", body = ListOf<FindingDoc>)))]
#[get("/findings")]
pub(crate) async fn list(read: Read<FindingQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = read.params.filter();
    let find = move |look: &Look<'_>| {
        let Look { db, sight, at, .. } = look;
        Ok(Some(findings::page(db, sight, *at, &filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One finding.
#[utoipa::path(tag = "findings",
    responses((status = 200, description = "The finding.", body = Seen<FindingDoc>)))]
#[get("/findings/{finding}")]
pub(crate) async fn one(read: Read<Plain>, finding: Place<FindingId>) -> Answer {
    read.object(|look| Ok(findings::one(look.db, look.sight, look.at, *finding)?))
}

/// Answer a finding; the team of its case, or those who run the house.
#[utoipa::path(tag = "findings", request_body = AnswerBody,
    responses((status = 200, description = "It is answered.", body = Written)))]
#[post("/findings/{finding}/answers")]
pub(crate) async fn answer(act: Act<AnswerBody>, finding: Place<FindingId>) -> Answer {
    let command = AnswerFinding { finding: *finding, answer: act.body.answer };
    act.asking.change(&command, finding.0).await
}

/// Close a finding; auditors only, and after it was answered unless it was unfounded.
#[utoipa::path(tag = "findings", request_body = EndBody,
    responses((status = 200, description = "It is closed.", body = Written)))]
#[post("/findings/{finding}/close")]
pub(crate) async fn close(act: Act<EndBody>, finding: Place<FindingId>) -> Answer {
    let EndBody { outcome, reason } = act.body;
    act.asking.change(&CloseFinding { finding: *finding, outcome, reason }, finding.0).await
}

/// Reopen a closed finding; auditors only.
#[utoipa::path(tag = "findings", request_body = ReasonBody,
    responses((status = 200, description = "It is open again.", body = Written)))]
#[post("/findings/{finding}/reopen")]
pub(crate) async fn reopen(act: Act<ReasonBody>, finding: Place<FindingId>) -> Answer {
    let command = ReopenFinding { finding: *finding, reason: act.body.reason };
    act.asking.change(&command, finding.0).await
}

/// The entries a finding is about, with their cases.
///
/// Asked of auditors alone, so that nobody else learns which entries there are; one whose case is
/// out of sight is as unknown as one that does not exist.
fn concerned(asking: &Asking, positions: &[u64]) -> Result<Vec<Concerned>, Problem> {
    let app: &App = &asking.app;
    let find = |look: &Look<'_>| {
        look.need(Permission::RecordFinding)?;
        let positions = positions.iter().take(LOOKED_UP_MAX).enumerate();
        positions.map(|(at, position)| entry(app, look, at, *position)).collect()
    };
    here(app, &writer(asking), At::Head, find).map(|(found, _)| found)
}

fn entry(app: &App, look: &Look<'_>, at: usize, position: u64) -> Result<Concerned, Problem> {
    let found = entry_at(app, position)?;
    let case = found.as_ref().and_then(|entry| entry.recorded.fact.envelope.case).map(CaseId);
    let found = found.filter(|_| case.is_none_or(|case| look.sight.sees(case)));
    let entry = found.ok_or_else(|| unknown(at))?;
    let entry = EntryRef { position, fact: entry.recorded.fact.id };
    Ok(Concerned { entry, case })
}

fn unknown(at: usize) -> Problem {
    let detail = "there is no such entry in sight".to_owned();
    Problem::field(format!("/entries/{at}"), "finding_entry_unknown", detail)
}
