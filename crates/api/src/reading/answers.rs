//! Asking who read what: auditors everything in sight, everybody their own.

use actix_web::get;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::Permission;
use assay_views::reads::{self, ReadDoc, ReadFilter};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::now;
use crate::reads::answer::ListOf;
use crate::reads::look::Look;
use crate::reads::{Paging, Read, paged};
use crate::write::Answer;

/// Which readings.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadsQuery {
    /// Only of this person.
    #[param(value_type = Option<uuid::Uuid>)]
    reader: Option<UserId>,
    /// Only in this case.
    #[param(value_type = Option<uuid::Uuid>)]
    case: Option<CaseId>,
    /// Only of this subject: a case, a report, a claim, a link.
    subject: Option<Uuid>,
    /// Only what was read at this RFC 3339 instant or later.
    #[param(value_type = Option<String>, example = "2018-01-12T00:00:00Z")]
    from: Option<Timestamp>,
    /// Only what was read at this RFC 3339 instant or before.
    #[param(value_type = Option<String>, example = "2018-01-13T00:00:00Z")]
    to: Option<Timestamp>,
    /// Only what left the house in a file.
    #[serde(default)]
    #[param(required = false)]
    exports: bool,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ReadsQuery);

/// Who read what, when, how often, as of which position and to what end, for auditors; last read first.
///
/// What was read within the last seconds may not be written down yet. This question is recorded
/// before it is answered.
#[utoipa::path(tag = "audit", params(ReadsQuery),
    responses((status = 200, description = "Readings.", body = ListOf<ReadDoc>)))]
#[get("/audit/reads")]
pub(crate) async fn all(read: Read<ReadsQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let ReadsQuery { reader, case, subject, from, to, exports, .. } = read.params;
    let filter = ReadFilter { reader, case, subject, from, to, exports_only: exports };
    let find = move |look: &Look<'_>| {
        look.need(Permission::Audit)?;
        Ok(reads::page(look.db, look.sight, look.at, &filter, cursor.as_ref(), limit)?)
    };
    let (page, moment) = read.look_aside(find).await?;
    now(&read.app, &read.req, &read.caller, page.position).await?;
    read.part(&page, &moment)
}

/// What I read, as it was recorded; last read first.
#[utoipa::path(tag = "me", params(Paging),
    responses((status = 200, description = "Readings.", body = ListOf<ReadDoc>)))]
#[get("/me/reads")]
pub(crate) async fn mine(read: Read<Paging>) -> Answer {
    let (limit, cursor) = (read.params.limit()?, read.params.cursor());
    let filter = ReadFilter { reader: Some(read.caller.user), ..ReadFilter::default() };
    let find = move |look: &Look<'_>| {
        Ok(Some(reads::page(look.db, look.sight, look.at, &filter, cursor.as_ref(), limit)?))
    };
    read.long_list(find).await
}
