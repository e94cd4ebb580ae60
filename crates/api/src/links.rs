//! Links: how two claims, or two assertions of them, stand to each other.

use actix_web::post;
use assay_domain::id::{CaseId, LinkId};
use assay_domain::link::{ConfirmLink, End, LinkType, ProposeLink, RejectLink, WithdrawLink};
use assay_domain::text::Reason;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::door::{Act, Place};
use crate::users::ReasonBody;
use crate::write::{Answer, Written};

/// A link to be proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLink {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<LinkId>,
    /// From here.
    from: End,
    /// How.
    #[serde(rename = "type")]
    kind: LinkType,
    /// To there.
    to: End,
    /// Whether its proposer is unsure.
    #[serde(default)]
    tentative: bool,
    /// Why.
    rationale: Reason,
}

/// A note.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteBody {
    /// Why.
    #[serde(default)]
    note: Option<Reason>,
}

/// Propose a link in a case.
#[utoipa::path(tag = "links", request_body = NewLink,
    responses((status = 201, description = "The link is proposed.", body = Written)))]
#[post("/cases/{case}/links")]
pub(crate) async fn propose(act: Act<NewLink>, case: Place<CaseId>) -> Answer {
    let Act { asking, body } = act;
    let NewLink { id, from, kind, to, tentative, rationale } = body;
    let link = asking.id(id, "link");
    let command = ProposeLink { case: *case, link, from, kind, to, tentative, rationale };
    asking.create(&command, link.0, &format!("links/{link}")).await
}

/// Confirm somebody else's link.
#[utoipa::path(tag = "links", request_body = NoteBody,
    responses((status = 200, description = "It is confirmed.", body = Written)))]
#[post("/links/{link}/confirm")]
pub(crate) async fn confirm(act: Act<NoteBody>, link: Place<LinkId>) -> Answer {
    act.asking.change(&ConfirmLink { link: *link, note: act.body.note }, link.0).await
}

/// Reject somebody else's link.
#[utoipa::path(tag = "links", request_body = ReasonBody,
    responses((status = 200, description = "It is rejected.", body = Written)))]
#[post("/links/{link}/reject")]
pub(crate) async fn reject(act: Act<ReasonBody>, link: Place<LinkId>) -> Answer {
    act.asking.change(&RejectLink { link: *link, reason: act.body.reason }, link.0).await
}

/// Take a link back.
#[utoipa::path(tag = "links", request_body = ReasonBody,
    responses((status = 200, description = "It is taken back.", body = Written)))]
#[post("/links/{link}/withdraw")]
pub(crate) async fn withdraw(act: Act<ReasonBody>, link: Place<LinkId>) -> Answer {
    act.asking.change(&WithdrawLink { link: *link, reason: act.body.reason }, link.0).await
}
