//! The ledger to ask: keys, signed checkpoints, and proofs that an entry is in it and that it only grew.
//!
//! The same log as files, in the layout other tools know, is in `files`.

pub(crate) mod files;
mod told;

use std::sync::Arc;

use actix_web::http::header::{ACCEPT, CONTENT_ENCODING};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use assay_domain::id::CaseId;
use assay_domain::policy::Permission;
use assay_ledger::{SignedCheckpoint, TlogProof};
use assay_notary::{Notary, NotaryError};
use assay_store::journal::Entry;
use assay_views::{At, log_keys};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::audit::entry_at;
use crate::caller::Caller;
use crate::door::{Place, query};
use crate::problem::Problem;
use crate::reads::Paging;
use crate::reads::look::{Look, here};
use crate::write::Answer;
pub(crate) use told::SigningState;
use told::{CheckpointDoc, CheckpointList, ConsistencyProof, EntryProof, LedgerKeys};

/// Between which sizes.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sizes {
    /// The size of the older tree, that of a checkpoint somebody kept.
    from: u64,
    /// The size of the newer tree; that of the newest checkpoint where left out.
    to: Option<u64>,
}

/// The keys that sign the log, those that did, and the witnesses asked to cosign.
#[utoipa::path(tag = "ledger",
    responses((status = 200, description = "The keys, as signed notes write them.", body = LedgerKeys)))]
#[get("/ledger/keys")]
pub(crate) async fn keys(caller: Caller, req: HttpRequest) -> Answer {
    query::none(&req)?;
    let app = App::of(&req)?;
    let (recorded, _) = here(&app, &caller, At::Head, |look: &Look<'_>| {
        Ok(log_keys::page(look.db, look.sight, look.at, None, told::recorded_max()?)?)
    })?;
    Ok(HttpResponse::Ok().json(LedgerKeys::of(&app.notary, recorded.items)))
}

/// The checkpoints that were signed, the newest first.
#[utoipa::path(tag = "ledger", params(Paging),
    responses((status = 200, description = "Checkpoints.", body = CheckpointList)))]
#[get("/ledger/checkpoints")]
pub(crate) async fn checkpoints(_caller: Caller, req: HttpRequest) -> Answer {
    let app = App::of(&req)?;
    let paging: Paging = query::rest(&query::pairs(&req)?)?;
    let limit = paging.limit()?.get();
    let before = paging.cursor.as_deref().map(str::parse).transpose();
    let before = before
        .map_err(|_| Problem::malformed("cursor_invalid", "this is no cursor of this list"))?;
    let page = asked(&app, move |notary| notary.page(before, limit.saturating_add(1))).await?;
    Ok(HttpResponse::Ok().json(CheckpointList::of(&page, limit)?))
}

/// The checkpoint of one size.
#[utoipa::path(tag = "ledger",
    responses((status = 200, description = "The checkpoint.", body = CheckpointDoc)))]
#[get("/ledger/checkpoints/{size}")]
pub(crate) async fn of_size(_caller: Caller, req: HttpRequest, size: Place<u64>) -> Answer {
    query::none(&req)?;
    let app = App::of(&req)?;
    let found = asked(&app, move |notary| notary.at_size(*size)).await?;
    let found = found.ok_or_else(Problem::unseen)?;
    Ok(HttpResponse::Ok().json(CheckpointDoc::of(&found)?))
}

/// The proof that an entry is in the ledger, against a checkpoint that is signed for it where none covers it.
///
/// For whoever sees the entry's case; an entry of no case, for auditors and for who wrote it. With
/// `Accept: text/plain` it is the file that other tools read (C2SP tlog-proof).
#[utoipa::path(tag = "ledger",
    responses((status = 200, description = "The proof.", content(
        (EntryProof = "application/json"), (String = "text/plain")))))]
#[get("/ledger/entries/{position}/proof")]
pub(crate) async fn proof(caller: Caller, req: HttpRequest, position: Place<u64>) -> Answer {
    query::none(&req)?;
    let app = App::of(&req)?;
    let entry = provable(&app, &caller, *position)?;
    let index = position.checked_sub(1).ok_or_else(Problem::unseen)?;
    let made = asked(&app, move |notary| {
        let published = notary.covering(index.saturating_add(1))?;
        let hashes = notary.inclusion(index, published.checkpoint.size)?;
        Ok((published, hashes))
    });
    let (published, hashes) = made.await?;
    let accept = req.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/plain")) {
        let checkpoint = SignedCheckpoint::parse(&published.note).map_err(Problem::fault)?;
        let proof = TlogProof { extra: Vec::new(), index, hashes, checkpoint };
        let mut answer = HttpResponse::Ok();
        return Ok(answer.content_type("text/plain; charset=utf-8").body(proof.to_text()));
    }
    Ok(HttpResponse::Ok().json(EntryProof::of(&entry, &hashes, &published)?))
}

/// The proof that the newer tree continues the older one: nothing was changed or taken out.
#[utoipa::path(tag = "ledger", params(Sizes),
    responses((status = 200, description = "The proof.", body = ConsistencyProof)))]
#[get("/ledger/consistency")]
pub(crate) async fn consistency(_caller: Caller, req: HttpRequest) -> Answer {
    let app = App::of(&req)?;
    let Sizes { from, to } = query::rest(&query::pairs(&req)?)?;
    let latest = app.notary.latest().ok_or_else(Problem::unseen)?.checkpoint.size;
    let to = to.unwrap_or(latest);
    if from > to || to > latest {
        let detail = format!("`from` is at most `to`, and `to` at most {latest}");
        return Err(Problem::malformed("consistency_range_invalid", detail));
    }
    let made = asked(&app, move |notary| {
        let roots = (notary.root_at(from)?, notary.root_at(to)?);
        Ok((notary.consistency(from, to)?, roots))
    });
    let (hashes, roots) = made.await?;
    Ok(HttpResponse::Ok().json(ConsistencyProof::of((from, to), roots, &hashes)))
}

/// An entry whose proof the caller may have; anything else is unseen.
fn provable(app: &App, caller: &Caller, position: u64) -> Result<Entry, Problem> {
    let (found, _) = here(app, caller, At::Head, |look| {
        let entry = entry_at(app, position)?.ok_or_else(Problem::unseen)?;
        let envelope = &entry.recorded.fact.envelope;
        let own = envelope.actor == caller.user.0;
        let seen = match envelope.case {
            Some(case) => look.sight.sees(CaseId(case)),
            None => own || look.sight.may(Permission::Audit),
        };
        if seen { Ok(entry) } else { Err(Problem::unseen()) }
    })?;
    Ok(found)
}

/// Asks the notary on a thread that may wait; who finds no room in time is sent away.
pub(crate) async fn asked<T: Send + 'static>(
    app: &Data<App>,
    ask: impl FnOnce(&Notary) -> Result<T, NotaryError> + Send + 'static,
) -> Result<T, Problem> {
    let room = Arc::clone(&app.gates.ledger).acquire_owned();
    let room = tokio::time::timeout(app.settings.wait_max, room).await;
    let room = room
        .map_err(|_| Problem::busy("ledger_busy", "too many ask the ledger at once; ask again"))?;
    let room = room.map_err(Problem::fault)?;
    let notary = Arc::clone(&app.notary);
    let asked = tokio::task::spawn_blocking(move || {
        let answer = ask(&notary);
        drop(room);
        answer
    });
    Ok(asked.await.map_err(Problem::fault)??)
}

/// An answer of bytes that would gain nothing from being compressed.
fn plain() -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_ENCODING, "identity"));
    answer
}
