//! Reading claims: the list with its filters, one card, its assertions, its verdicts, what changed, what waits.

use actix_web::get;
use assay_domain::aggregate::Subject;
use assay_domain::claim::ClaimKind;
use assay_domain::id::{CaseId, ClaimId, ReportId};
use assay_domain::value::{Edtf, Match};
use assay_views::claims::{
    self, AssertionDoc, ClaimDoc, ClaimFilter, ClaimSort, Standing, TimeFilter, VerdictDoc,
};
use assay_views::diff::{self, Changed};
use assay_views::queue::{self, QueueFilter, QueueItem};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::answer::{ListOf, Seen};
use super::cases::{DiffQuery, must_see, until};
use super::look::Look;
use super::reports::unchanged;
use super::{Paging, Plain, Read, paged};
use crate::door::Place;
use crate::problem::Problem;
use crate::write::Answer;

/// The order of claims.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// First proposed first.
    #[default]
    Oldest,
    /// Last proposed first.
    Newest,
    /// Last changed first.
    Changed,
}

/// How sure it must be that a claim is said to have held then.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AtLeast {
    /// It must have.
    Certain,
    /// It may have.
    #[default]
    Possible,
}

/// Which claims.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ClaimQuery {
    /// Only where they stand so.
    #[param(inline)]
    standing: Option<Standing>,
    /// Only of this kind.
    #[param(inline)]
    kind: Option<ClaimKind>,
    /// Only contested ones, or only the others.
    contested: Option<bool>,
    /// Only those with a live assertion in this report.
    #[param(value_type = Option<uuid::Uuid>)]
    report: Option<ReportId>,
    /// Only those said to have held then, an EDTF expression.
    #[param(value_type = Option<String>, example = "2018-01-11")]
    valid_at: Option<Edtf>,
    /// With `valid_at`: whether they must have, or may have; may, where left out.
    #[serde(rename = "match", default)]
    #[param(inline, required = false)]
    at_least: AtLeast,
    /// In which order.
    #[serde(default)]
    #[param(inline, required = false)]
    sort: Order,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ClaimQuery);

impl ClaimQuery {
    /// What of it the views filter by.
    pub(crate) fn filter(&self) -> ClaimFilter {
        let at_least = match self.at_least {
            AtLeast::Certain => Match::Certain,
            AtLeast::Possible => Match::Possible,
        };
        let sort = match self.sort {
            Order::Oldest => ClaimSort::Oldest,
            Order::Newest => ClaimSort::Newest,
            Order::Changed => ClaimSort::Changed,
        };
        let time = self.valid_at.clone().map(|valid_at| TimeFilter { valid_at, at_least });
        let Self { standing, kind, contested, report, .. } = *self;
        ClaimFilter { standing, kind, contested, report, time, sort }
    }
}

/// What of the queue.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QueueQuery {
    /// Only of this case.
    #[param(value_type = Option<uuid::Uuid>)]
    case: Option<CaseId>,
    /// Leave out what four eyes bar the caller from judging.
    #[serde(default)]
    #[param(required = false)]
    without_barred: bool,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(QueueQuery);

impl QueueQuery {
    /// What of it the views filter by.
    pub(crate) const fn filter(&self) -> QueueFilter {
        QueueFilter { case: self.case, without_barred: self.without_barred }
    }
}

/// The claims of a case.
#[utoipa::path(tag = "claims", params(ClaimQuery),
    responses((status = 200, description = "Claims.", body = ListOf<ClaimDoc>)))]
#[get("/cases/{case}/claims")]
pub(crate) async fn list(read: Read<ClaimQuery>, case: Place<CaseId>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = read.params.filter();
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        let Look { db, sight, at, .. } = look;
        Ok(Some(claims::page(db, sight, *at, *case, &filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One claim: what is said, by whom, where it stands.
#[utoipa::path(tag = "claims",
    responses((status = 200, description = "The claim.", body = Seen<ClaimDoc>)))]
#[get("/claims/{claim}")]
pub(crate) async fn one(read: Read<Plain>, claim: Place<ClaimId>) -> Answer {
    read.object(|look| Ok(claims::card(look.db, look.sight, look.at, *claim)?))
}

/// Every assertion of a claim, in the order they were recorded.
#[utoipa::path(tag = "claims",
    responses((status = 200, description = "Assertions.", body = ListOf<AssertionDoc>)))]
#[get("/claims/{claim}/assertions")]
pub(crate) async fn assertions(read: Read<Plain>, claim: Place<ClaimId>) -> Answer {
    let find = move |look: &Look<'_>| Ok(claims::assertions(look.db, look.sight, look.at, *claim)?);
    read.list(&Paging::default(), find).await
}

/// The series of verdicts of a claim, first first.
#[utoipa::path(tag = "claims",
    responses((status = 200, description = "Verdicts.", body = ListOf<VerdictDoc>)))]
#[get("/claims/{claim}/verdicts")]
pub(crate) async fn verdicts(read: Read<Plain>, claim: Place<ClaimId>) -> Answer {
    let find = move |look: &Look<'_>| Ok(claims::verdicts(look.db, look.sight, look.at, *claim)?);
    read.list(&Paging::default(), find).await
}

/// What changed of a claim between two positions.
#[utoipa::path(tag = "claims", params(DiffQuery),
    responses((status = 200, description = "The changes.", body = Seen<Changed>)))]
#[get("/claims/{claim}/diff")]
pub(crate) async fn difference(read: Read<DiffQuery>, claim: Place<ClaimId>) -> Answer {
    let DiffQuery { from, to, .. } = read.params;
    let find = move |look: &Look<'_>| {
        let to = until(look, from, to)?;
        claims::card(look.db, look.sight, look.at, *claim)?.ok_or_else(Problem::unseen)?;
        let subject = Subject::Claim(*claim);
        let changed = diff::subject(look.db, look.sight, subject, from, to)?;
        Ok(Some(changed.unwrap_or_else(|| unchanged(subject))))
    };
    read.long_value(find).await
}

/// What waits for a reviewer in the cases in sight.
#[utoipa::path(tag = "reviews", params(QueueQuery),
    responses((status = 200, description = "Claims under review.", body = ListOf<QueueItem>)))]
#[get("/review-queue")]
pub(crate) async fn review_queue(read: Read<QueueQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = read.params.filter();
    let find = move |look: &Look<'_>| {
        Ok(Some(queue::page(look.db, look.sight, look.at, &filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}
