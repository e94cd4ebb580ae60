//! Reading reports: the list, one, its texts, what of them is accounted for, what changed.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::{HttpResponse, get};
use assay_domain::aggregate::Subject;
use assay_domain::id::{CaseId, RenditionId, ReportId, SourceId};
use assay_domain::report::ReportKind;
use assay_views::coverage::Coverage;
use assay_views::diff::{self, Changed};
use assay_views::reports::{self, RenditionDoc, ReportDoc, ReportFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{ListOf, Seen};
use super::cases::{DiffQuery, must_see, until};
use super::look::Look;
use super::{Plain, Read, paged};
use crate::door::Place;
use crate::problem::Problem;
use crate::write::Answer;

/// Which reports.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// Only of this kind.
    #[param(inline)]
    kind: Option<ReportKind>,
    /// Only withdrawn ones, or only those that stand.
    withdrawn: Option<bool>,
    /// Only what this source published.
    #[param(value_type = Option<uuid::Uuid>)]
    publisher: Option<SourceId>,
    /// Last filed first, instead of first filed first.
    #[serde(default)]
    #[param(required = false)]
    newest_first: bool,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ReportQuery);

impl ReportQuery {
    /// What of it the views filter by.
    pub(crate) const fn filter(&self) -> ReportFilter {
        let Self { kind, withdrawn, publisher, newest_first, .. } = *self;
        ReportFilter { kind, withdrawn, publisher, newest_first }
    }
}

/// Which rendition.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CoverageQuery {
    /// Which rendition; the first where left out.
    #[param(value_type = Option<uuid::Uuid>)]
    rendition: Option<RenditionId>,
}

/// The reports of a case.
#[utoipa::path(tag = "reports", params(ReportQuery),
    responses((status = 200, description = "Reports.", body = ListOf<ReportDoc>)))]
#[get("/cases/{case}/reports")]
pub(crate) async fn list(read: Read<ReportQuery>, case: Place<CaseId>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = read.params.filter();
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        let Look { db, sight, at, .. } = look;
        Ok(Some(reports::page(db, sight, *at, *case, &filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One report, without its texts.
#[utoipa::path(tag = "reports",
    responses((status = 200, description = "The report.", body = Seen<ReportDoc>)))]
#[get("/reports/{report}")]
pub(crate) async fn one(read: Read<Plain>, report: Place<ReportId>) -> Answer {
    read.object(|look| Ok(reports::one(look.db, look.sight, look.at, *report)?))
}

/// One rendition with its text.
#[utoipa::path(tag = "reports",
    responses((status = 200, description = "The rendition.", body = Seen<RenditionDoc>)))]
#[get("/reports/{report}/renditions/{rendition}")]
pub(crate) async fn one_rendition(
    read: Read<Plain>,
    place: Place<(ReportId, RenditionId)>,
) -> Answer {
    let (report, rendition) = place.into_inner();
    read.object(|look| Ok(reports::rendition(look.db, look.sight, look.at, report, rendition)?))
}

/// The text of a rendition, byte for byte, to be saved.
#[utoipa::path(tag = "reports",
    responses((status = 200, description = "The text.", body = String, content_type = "text/plain")))]
#[get("/reports/{report}/renditions/{rendition}/text")]
pub(crate) async fn verbatim(read: Read<Plain>, place: Place<(ReportId, RenditionId)>) -> Answer {
    let (report, rendition) = place.into_inner();
    let (found, _) = read.look(|look| {
        let found = reports::rendition(look.db, look.sight, look.at, report, rendition)?;
        found.ok_or_else(Problem::unseen)
    })?;
    let json = found.json;
    let document: RenditionDoc = serde_json::from_str(&json).map_err(Problem::fault)?;
    let text = document.text.ok_or_else(Problem::unseen)?;
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{rendition}.txt\"")))
        .insert_header((CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(text))
}

/// Which words of a report are accounted for.
#[utoipa::path(tag = "reports", params(CoverageQuery),
    responses((status = 200, description = "The coverage.", body = Seen<Coverage>)))]
#[get("/reports/{report}/coverage")]
pub(crate) async fn covered(read: Read<CoverageQuery>, report: Place<ReportId>) -> Answer {
    let rendition = read.params.rendition;
    let find = move |look: &Look<'_>| {
        Ok(reports::coverage(look.db, look.sight, look.at, *report, rendition)?)
    };
    read.long_value(find).await
}

/// What changed of a report between two positions.
#[utoipa::path(tag = "reports", params(DiffQuery),
    responses((status = 200, description = "The changes.", body = Seen<Changed>)))]
#[get("/reports/{report}/diff")]
pub(crate) async fn difference(read: Read<DiffQuery>, report: Place<ReportId>) -> Answer {
    let DiffQuery { from, to, .. } = read.params;
    let find = move |look: &Look<'_>| {
        let to = until(look, from, to)?;
        reports::one(look.db, look.sight, look.at, *report)?.ok_or_else(Problem::unseen)?;
        let subject = Subject::Report(*report);
        let changed = diff::subject(look.db, look.sight, subject, from, to)?;
        Ok(Some(changed.unwrap_or_else(|| unchanged(subject))))
    };
    read.long_value(find).await
}

/// The answer where nothing changed.
pub(crate) fn unchanged(subject: Subject) -> Changed {
    Changed {
        subject: assay_views::history::SubjectRef {
            kind: subject.kind().to_owned(),
            id: subject.id(),
        },
        before: None,
        after: None,
        changes: Vec::new(),
        causes: Vec::new(),
    }
}
