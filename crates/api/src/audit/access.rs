//! Who could see or change a subject on a day, since when, and by which entries.

use actix_web::{HttpResponse, get};
use assay_domain::aggregate::Subject;
use assay_views::reach::{self, Reach};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::reads::look::Look;
use crate::reads::{Read, paged};
use crate::write::Answer;

/// Of which subject.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccessQuery {
    /// Its kind and id, `case:0199…`; a case, report, claim, link, source or user.
    subject: String,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(AccessQuery);

/// Who could see or change something at a moment; for auditors, and for the leads of its case.
///
/// All of it is as of then: members, roles, clearances, suspensions, the marking.
#[utoipa::path(tag = "audit", params(AccessQuery),
    responses((status = 200, description = "Those who could, and those who could have but for one thing.", body = Reach)))]
#[get("/audit/access")]
pub(crate) async fn who(read: Read<AccessQuery>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let subject = subject(&read.params.subject)?;
    let find = move |look: &Look<'_>| {
        let found = reach::of(look.db, look.sight, look.at, subject, cursor.as_ref(), limit)?;
        found.ok_or_else(Problem::unseen)
    };
    // It says itself as of when it is: the moment of a cursor's first page.
    let (found, _) = read.look_aside(find).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// A subject by its kind and id.
fn subject(text: &str) -> Result<Subject, Problem> {
    let wrong = || {
        let detail = "`subject` is a kind and an id, such as `case:0199c0de-…`";
        Problem::malformed("subject_invalid", detail)
    };
    let (kind, id) = text.split_once(':').ok_or_else(wrong)?;
    Subject::of_stream(&format!("{kind}-{id}")).ok_or_else(wrong)
}
