//! Reading links and contradictions.

use actix_web::get;
use assay_domain::id::{CaseId, ClaimId, LinkId};
use assay_domain::link::LinkType;
use assay_views::contradictions::{self, ContradictionDoc};
use assay_views::links::{self, LinkDoc, LinkFilter, LinkStanding};
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::{ListOf, Seen};
use super::cases::must_see;
use super::look::Look;
use super::{Plain, Read, paged};
use crate::door::Place;
use crate::write::Answer;

/// Which links.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinkQuery {
    /// Only of this type.
    #[serde(rename = "type")]
    #[param(inline)]
    kind: Option<LinkType>,
    /// Only where they stand so.
    #[param(inline)]
    standing: Option<LinkStanding>,
    /// Only those that touch this claim.
    #[param(value_type = Option<uuid::Uuid>)]
    claim: Option<ClaimId>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(LinkQuery);

impl LinkQuery {
    /// What of it the views filter by.
    pub(crate) const fn filter(&self) -> LinkFilter {
        let Self { kind, standing, claim, .. } = *self;
        LinkFilter { kind, standing, claim }
    }
}

/// Which contradictions.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ContradictionQuery {
    /// Only open ones, or only the others.
    pub(crate) open: Option<bool>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ContradictionQuery);

/// The links of a case, first proposed first.
#[utoipa::path(tag = "links", params(LinkQuery),
    responses((status = 200, description = "Links.", body = ListOf<LinkDoc>)))]
#[get("/cases/{case}/links")]
pub(crate) async fn list(read: Read<LinkQuery>, case: Place<CaseId>) -> Answer {
    let paging = read.params.paging();
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let filter = read.params.filter();
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        let Look { db, sight, at, .. } = look;
        Ok(Some(links::page(db, sight, *at, *case, &filter, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One link.
#[utoipa::path(tag = "links",
    responses((status = 200, description = "The link.", body = Seen<LinkDoc>)))]
#[get("/links/{link}")]
pub(crate) async fn one(read: Read<Plain>, link: Place<LinkId>) -> Answer {
    read.object(|look| Ok(links::one(look.db, look.sight, look.at, *link)?))
}

/// The contradictions of a case, first found first.
#[utoipa::path(tag = "links", params(ContradictionQuery),
    responses((status = 200, description = "Contradictions.", body = ListOf<ContradictionDoc>)))]
#[get("/cases/{case}/contradictions")]
pub(crate) async fn register(read: Read<ContradictionQuery>, case: Place<CaseId>) -> Answer {
    let (paging, open) = (read.params.paging(), read.params.open);
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &Look<'_>| {
        must_see(look, *case)?;
        let Look { db, sight, at, .. } = look;
        Ok(Some(contradictions::page(db, sight, *at, *case, open, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}
