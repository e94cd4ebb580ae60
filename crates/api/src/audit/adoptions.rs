//! Adoptions: cases taken over from other houses, with their times and their proofs.

use actix_web::get;
use assay_domain::id::AdoptionId;
use assay_views::adoptions::{self, AdoptionDoc};

use crate::door::Place;
use crate::reads::answer::{ListOf, Seen};
use crate::reads::look::Look;
use crate::reads::{Paging, Plain, Read};
use crate::write::Answer;

/// The cases in sight that were taken over, last begun first.
#[utoipa::path(tag = "adoptions", params(Paging),
    responses((status = 200, description = "Adoptions.", body = ListOf<AdoptionDoc>)))]
#[get("/adoptions")]
pub(crate) async fn list(read: Read<Paging>) -> Answer {
    let (limit, cursor) = (read.params.limit()?, read.params.cursor());
    let find = move |look: &Look<'_>| {
        Ok(Some(adoptions::page(look.db, look.sight, look.at, cursor.as_ref(), limit)?))
    };
    read.list(&read.params, find).await
}

/// One adoption: from which log, against which checkpoint, who is who.
#[utoipa::path(tag = "adoptions",
    responses((status = 200, description = "The adoption.", body = Seen<AdoptionDoc>)))]
#[get("/adoptions/{adoption}")]
pub(crate) async fn one(read: Read<Plain>, adoption: Place<AdoptionId>) -> Answer {
    read.object(|look| Ok(adoptions::one(look.db, look.sight, look.at, *adoption)?))
}
