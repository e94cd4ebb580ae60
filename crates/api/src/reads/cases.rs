//! Reading cases: the list, one, its overview, its members, what changed in it between two moments.

use actix_web::get;
use assay_domain::id::CaseId;
use assay_views::cases::{self, CaseDoc, CaseFilter, CaseOverview};
use assay_views::diff::{self, CauseDiff, Changed, case_by_cause};
use assay_views::members::{self, Member};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{ListOf, Seen};
use super::look::Look;
use super::{Paging, Plain, Read, paged};
use crate::door::Place;
use crate::problem::Problem;
use crate::write::Answer;

/// Where a case stands.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaseStanding {
    /// It goes on.
    Open,
    /// It ended.
    Closed,
}

/// Which cases.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// Only where they stand so.
    #[param(inline)]
    standing: Option<CaseStanding>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(CaseQuery);

/// Between which positions.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiffQuery {
    /// After this position.
    pub(crate) from: u64,
    /// Up to this position, included; the last one where left out.
    pub(crate) to: Option<u64>,
}

/// How the differences of a case are put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Grouping {
    /// Subject by subject: what each was and is.
    #[default]
    Subject,
    /// Command by command: what each changed.
    Cause,
}

/// Between which positions, put together how, and which part.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseDiffQuery {
    /// After this position.
    from: u64,
    /// Up to this position, included; the last one where left out.
    to: Option<u64>,
    /// Subject by subject, or command by command.
    #[serde(default)]
    #[param(inline, required = false)]
    group: Grouping,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(CaseDiffQuery);

/// What changed in a case between two moments.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is made elsewhere")]
#[schema(as = CaseDiff)]
pub(crate) struct CaseDiffBody {
    /// After this position.
    from: u64,
    /// Up to this position, included.
    to: u64,
    /// What changed, by kind and id.
    items: Vec<Changed>,
    /// Give it as `cursor` for the next part; null at the end.
    next: Option<String>,
}

/// What changed in a case, put together one way or the other.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes an answer that is made elsewhere")]
#[schema(as = CaseDifference)]
#[serde(untagged)]
pub(crate) enum CaseDifferenceBody {
    /// Subject by subject.
    Subjects(CaseDiffBody),
    /// Command by command.
    Causes(CauseDiff),
}

/// What changed in a case, put together one way or the other.
#[derive(Serialize)]
#[serde(untagged)]
enum Difference {
    Subjects(diff::CaseDiff),
    Causes(CauseDiff),
}

/// Nothing, where a case is out of sight or did not exist then; lists of it ask this first.
pub(crate) fn must_see(look: &Look<'_>, case: CaseId) -> Result<(), Problem> {
    let found = cases::one(look.db, look.sight, look.at, case)?;
    found.map(drop).ok_or_else(Problem::unseen)
}

/// The cases in sight, last opened first; also those that demand a purpose.
#[utoipa::path(tag = "cases", params(CaseQuery),
    responses((status = 200, description = "Cases.", body = ListOf<CaseDoc>)))]
#[get("/cases")]
pub(crate) async fn list(read: Read<CaseQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = match read.params.standing {
        None => CaseFilter::All,
        Some(CaseStanding::Open) => CaseFilter::Open,
        Some(CaseStanding::Closed) => CaseFilter::Closed,
    };
    let find = move |look: &Look<'_>| {
        Ok(Some(cases::page(look.db, look.whole, look.at, filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One case; it says whether it demands a purpose, and needs none to be shown itself.
#[utoipa::path(tag = "cases",
    responses((status = 200, description = "The case.", body = Seen<CaseDoc>)))]
#[get("/cases/{case}")]
pub(crate) async fn one(read: Read<Plain>, case: Place<CaseId>) -> Answer {
    read.object(|look| Ok(cases::one(look.db, look.whole, look.at, *case)?))
}

/// What is in a case, counted.
#[utoipa::path(tag = "cases",
    responses((status = 200, description = "The counts.", body = Seen<CaseOverview>)))]
#[get("/cases/{case}/overview")]
pub(crate) async fn overview(read: Read<Plain>, case: Place<CaseId>) -> Answer {
    read.value(|look| Ok(cases::overview(look.db, look.sight, look.at, *case)?))
}

/// The members of a case, longest first.
#[utoipa::path(tag = "cases", params(Paging),
    responses((status = 200, description = "Members.", body = ListOf<Member>)))]
#[get("/cases/{case}/members")]
pub(crate) async fn member_list(read: Read<Paging>, case: Place<CaseId>) -> Answer {
    let (limit, cursor) = (read.params.limit()?, read.params.cursor());
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        Ok(Some(members::page(look.db, look.sight, look.at, *case, cursor.as_ref(), limit)?))
    };
    read.list(&read.params, find).await
}

/// What changed in a case between two positions, and by which entries.
#[utoipa::path(tag = "cases", params(CaseDiffQuery),
    responses((status = 200, description = "The changes.", body = Seen<CaseDifferenceBody>)))]
#[get("/cases/{case}/diff")]
pub(crate) async fn difference(read: Read<CaseDiffQuery>, case: Place<CaseId>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let CaseDiffQuery { from, to, group, .. } = read.params;
    let find = move |look: &Look<'_>| {
        let to = until(look, from, to)?;
        let Look { db, sight, .. } = look;
        let cursor = cursor.as_ref();
        Ok(match group {
            Grouping::Subject => {
                diff::case(db, sight, *case, from, to, cursor, limit)?.map(Difference::Subjects)
            }
            Grouping::Cause => {
                case_by_cause(db, sight, *case, from, to, cursor, limit)?.map(Difference::Causes)
            }
        })
    };
    read.long_value(find).await
}

/// The later end of a difference: what was asked for, or what is shown.
pub(crate) fn until(look: &Look<'_>, from: u64, to: Option<u64>) -> Result<u64, Problem> {
    let shown = assay_views::db::moment(look.db, look.at)?.position;
    let to = to.unwrap_or(shown);
    if from > to || to > shown {
        let detail = format!("`from` is at most `to`, and `to` at most {shown}");
        return Err(Problem::malformed("diff_range_invalid", detail));
    }
    Ok(to)
}
