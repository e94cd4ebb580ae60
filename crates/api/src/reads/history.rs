//! Reading history: of a case, of one subject, of everything for auditors.

use actix_web::http::header::ACCEPT;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, get};
use assay_domain::aggregate::Subject;
use assay_domain::id::{CaseId, ClaimId, ReportId};
use assay_domain::policy::Permission;
use assay_views::history::{self, EntryWithChanges};
use assay_views::{At, Limit, Page, claims, reports};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{ListOf, Seen};
use super::cases::must_see;
use super::look::{Look, aside};
use super::{Paging, Plain, Read, paged};
use crate::door::Place;
use crate::problem::Problem;
use crate::reading;
use crate::write::Answer;

/// How many entries a stream reads at once.
const BATCH: u16 = 500;

/// Which entries.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntryQuery {
    /// With `Accept: application/x-ndjson`: only after this position, oldest first.
    from: Option<u64>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(EntryQuery);

/// What happened in a case, newest first.
#[utoipa::path(tag = "history", params(Paging),
    responses((status = 200, description = "Entries, each with what it changed, old and new.", body = ListOf<EntryWithChanges>)))]
#[get("/cases/{case}/history")]
pub(crate) async fn of_case(read: Read<Paging>, case: Place<CaseId>) -> Answer {
    let (limit, cursor) = (read.params.limit()?, read.params.cursor());
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        Ok(Some(history::of_case(look.db, look.sight, look.at, *case, cursor.as_ref(), limit)?))
    };
    read.long_list(find).await
}

/// What happened to a report, newest first.
#[utoipa::path(tag = "history", params(Paging),
    responses((status = 200, description = "Entries, each with what it changed, old and new.", body = ListOf<EntryWithChanges>)))]
#[get("/reports/{report}/history")]
pub(crate) async fn of_report(read: Read<Paging>, report: Place<ReportId>) -> Answer {
    let paging = read.params.clone();
    let find = move |look: &Look<'_>| {
        reports::one(look.db, look.sight, look.at, *report)?.ok_or_else(Problem::unseen)?;
        of_subject(look, Subject::Report(*report), &paging)
    };
    read.list(&read.params, find).await
}

/// What happened to a claim, newest first.
#[utoipa::path(tag = "history", params(Paging),
    responses((status = 200, description = "Entries, each with what it changed, old and new.", body = ListOf<EntryWithChanges>)))]
#[get("/claims/{claim}/history")]
pub(crate) async fn of_claim(read: Read<Paging>, claim: Place<ClaimId>) -> Answer {
    let paging = read.params.clone();
    let find = move |look: &Look<'_>| {
        claims::card(look.db, look.sight, look.at, *claim)?.ok_or_else(Problem::unseen)?;
        of_subject(look, Subject::Claim(*claim), &paging)
    };
    read.list(&read.params, find).await
}

fn of_subject(look: &Look<'_>, subject: Subject, paging: &Paging) -> Result<Option<Page>, Problem> {
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let Look { db, sight, at, .. } = look;
    Ok(Some(history::of_subject(db, sight, *at, subject, cursor.as_ref(), limit)?))
}

/// Everything that happened, for auditors: newest first in pages, or oldest first as NDJSON.
#[utoipa::path(tag = "audit", params(EntryQuery),
    responses((status = 200, description = "Entries.", content(
        (ListOf<EntryWithChanges> = "application/json"), (EntryWithChanges = "application/x-ndjson")))))]
#[get("/audit/entries")]
pub(crate) async fn entries(read: Read<EntryQuery>) -> Answer {
    let accept = read.req.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/x-ndjson")) {
        return lines(read).await;
    }
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &Look<'_>| {
        look.need(Permission::Audit)?;
        Ok(Some(history::page(look.db, look.sight, look.at, cursor.as_ref(), limit)?))
    };
    read.long_list(find).await
}

/// One entry and what it changed, for auditors.
#[utoipa::path(tag = "audit",
    responses((status = 200, description = "The entry.", body = Seen<EntryWithChanges>)))]
#[get("/audit/entries/{position}")]
pub(crate) async fn entry(read: Read<Plain>, position: Place<u64>) -> Answer {
    read.value(|look| {
        look.need(Permission::Audit)?;
        Ok(history::one(look.db, look.sight, *position)?)
    })
}

/// Every entry after a position as a line of its own, up to the moment that was asked for.
async fn lines(read: Read<EntryQuery>) -> Answer {
    let from = read.params.from.unwrap_or_default();
    let need = |look: &Look<'_>| look.need(Permission::Audit);
    let ((), moment) = read.look_aside(need).await?;
    // The whole log leaves the house: that is written down first.
    reading::now(&read.app, &read.req, &read.caller, moment.position).await?;
    let lines = stream::try_unfold((read, from), move |(read, from)| async move {
        if from >= moment.position {
            return Ok::<_, Problem>(None);
        }
        let to = from.saturating_add(u64::from(BATCH)).min(moment.position);
        let at = At::Position(to);
        let find = move |look: &Look<'_>| batch(look, from);
        let (text, _) = aside(&read.app, &read.caller, at, find).await?;
        Ok(Some((Bytes::from(text), (read, to))))
    });
    Ok(HttpResponse::Ok().content_type("application/x-ndjson").streaming(lines))
}

/// The entries after a position up to the moment of the look, oldest first, a line each.
fn batch(look: &Look<'_>, from: u64) -> Result<String, Problem> {
    #[derive(Deserialize)]
    struct Placed {
        position: u64,
    }
    look.need(Permission::Audit)?;
    let page = history::page(look.db, look.sight, look.at, None, Limit::new(BATCH)?)?;
    let mut text = String::new();
    for item in page.items.iter().rev() {
        let placed: Placed = serde_json::from_str(item.get()).map_err(Problem::fault)?;
        if placed.position > from {
            text.push_str(item.get());
            text.push('\n');
        }
    }
    Ok(text)
}
