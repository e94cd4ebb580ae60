//! Cases: opening, naming, members, marking, purposes, closing.

use std::collections::BTreeSet;

use actix_web::{delete, post, put};
use assay_domain::case::{
    AddMember, Brief, CaseRole, CloseCase, DemandPurpose, MarkCase, OpenCase, RemoveMember,
    ReopenCase, RetitleCase, WaivePurpose,
};
use assay_domain::id::{CaseId, UserId};
use assay_domain::text::{Passage, Reason, Title};
use assay_domain::value::Tlp;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::door::{Act, Asking, Place};
use crate::users::ReasonBody;
use crate::write::{Answer, Written};

/// A case to be opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCase {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<CaseId>,
    /// Its title.
    title: Title,
    /// What it is meant to find out, and for whom.
    #[serde(default)]
    mandate: Option<Passage>,
    /// Who may know of it; `TLP:AMBER` where left out.
    #[serde(default)]
    marking: Tlp,
}

/// A title.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TitleBody {
    /// What to call it.
    title: Title,
}

/// Roles in a case.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RolesBody {
    /// All their roles in it.
    #[schema(value_type = Vec<CaseRole>, min_items = 1, max_items = 3)]
    roles: BTreeSet<CaseRole>,
}

/// A marking.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkingBody {
    /// Who may know of it.
    marking: Tlp,
    /// Why; needed for lowering.
    #[serde(default)]
    reason: Option<Reason>,
}

/// An outcome.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeBody {
    /// What came of it.
    outcome: Reason,
}

/// Open a case; who opens it leads it.
#[utoipa::path(tag = "cases", request_body = NewCase,
    responses((status = 201, description = "The case is open.", body = Written)))]
#[post("/cases")]
pub(crate) async fn open(act: Act<NewCase>) -> Answer {
    let Act { asking, body } = act;
    let NewCase { id, title, mandate, marking } = body;
    let case = asking.id(id, "case");
    let command = OpenCase { case, brief: Brief { title, mandate }, marking };
    asking.create(&command, case.0, &format!("cases/{case}")).await
}

/// Call a case something else.
#[utoipa::path(tag = "cases", request_body = TitleBody,
    responses((status = 200, description = "It is called so.", body = Written)))]
#[put("/cases/{case}/title")]
pub(crate) async fn retitle(act: Act<TitleBody>, case: Place<CaseId>) -> Answer {
    let command = RetitleCase { case: *case, title: act.body.title };
    act.asking.change(&command, case.0).await
}

/// Add a member, or give one other roles.
#[utoipa::path(tag = "cases", request_body = RolesBody,
    responses((status = 200, description = "They are a member with these roles.", body = Written)))]
#[put("/cases/{case}/members/{user}")]
pub(crate) async fn add_member(act: Act<RolesBody>, place: Place<(CaseId, UserId)>) -> Answer {
    let (case, user) = place.into_inner();
    let command = AddMember { case, user, roles: act.body.roles };
    act.asking.change(&command, case.0).await
}

/// Remove a member; they are out at their next request.
#[utoipa::path(tag = "cases", responses((status = 200, description = "They are no member.", body = Written)))]
#[delete("/cases/{case}/members/{user}")]
pub(crate) async fn remove_member(asking: Asking, place: Place<(CaseId, UserId)>) -> Answer {
    let (case, user) = place.into_inner();
    asking.change(&RemoveMember { case, user }, case.0).await
}

/// Say who may know of a case.
#[utoipa::path(tag = "cases", request_body = MarkingBody,
    responses((status = 200, description = "It is marked so.", body = Written)))]
#[put("/cases/{case}/marking")]
pub(crate) async fn mark(act: Act<MarkingBody>, case: Place<CaseId>) -> Answer {
    let MarkingBody { marking, reason } = act.body;
    act.asking.change(&MarkCase { case: *case, marking, reason }, case.0).await
}

/// Demand of whoever reads a case that they say to what end, in the header `Assay-Purpose`.
#[utoipa::path(tag = "cases",
    responses((status = 200, description = "Its readers name their purpose.", body = Written)))]
#[post("/cases/{case}/demand-purpose")]
pub(crate) async fn demand_purpose(asking: Asking, case: Place<CaseId>) -> Answer {
    asking.change(&DemandPurpose { case: *case }, case.0).await
}

/// Demand no purpose of a case's readers any more.
#[utoipa::path(tag = "cases", request_body = ReasonBody,
    responses((status = 200, description = "Nobody needs to name one.", body = Written)))]
#[post("/cases/{case}/waive-purpose")]
pub(crate) async fn waive_purpose(act: Act<ReasonBody>, case: Place<CaseId>) -> Answer {
    let command = WaivePurpose { case: *case, reason: act.body.reason };
    act.asking.change(&command, case.0).await
}

/// Close a case; the contradictions still open are named in the record.
#[utoipa::path(tag = "cases", request_body = OutcomeBody,
    responses((status = 200, description = "It is closed.", body = Written)))]
#[post("/cases/{case}/close")]
pub(crate) async fn close(act: Act<OutcomeBody>, case: Place<CaseId>) -> Answer {
    let open_contradictions = crate::reads::open_contradictions(&act.asking, *case)?;
    let command = CloseCase { case: *case, outcome: act.body.outcome, open_contradictions };
    act.asking.change(&command, case.0).await
}

/// Reopen a closed case.
#[utoipa::path(tag = "cases", request_body = ReasonBody,
    responses((status = 200, description = "It is open again.", body = Written)))]
#[post("/cases/{case}/reopen")]
pub(crate) async fn reopen(act: Act<ReasonBody>, case: Place<CaseId>) -> Answer {
    let command = ReopenCase { case: *case, reason: act.body.reason };
    act.asking.change(&command, case.0).await
}
