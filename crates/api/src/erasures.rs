//! Erasures: somebody asks to be forgotten, somebody else decides, and what names them is destroyed.

use actix_web::http::header::{CONTENT_ENCODING, ETAG};
use actix_web::{HttpResponse, get, post};
use assay_commands::Cached;
use assay_domain::aggregate::Command;
use assay_domain::erasure::{
    CarryOutErasure, Erasable, Erasure, ErasureStanding, LiftRestriction, Living, RefuseErasure,
    RequestErasure, RestrictProcessing,
};
use assay_domain::id::ErasureId;
use assay_domain::policy::Permission;
use assay_domain::text::Reason;
use assay_views::erasures::{self, ErasureDoc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::audit::must_may;
use crate::door::{Act, Asking, Place};
use crate::problem::Problem;
use crate::reads::answer::{ListOf, Seen};
use crate::reads::look::Look;
use crate::reads::{Plain, Read, paged};
use crate::users::ReasonBody;
use crate::write::{Answer, Written, WrittenReceipt};

/// Who is to be forgotten, or what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewErasure {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<ErasureId>,
    /// What is to be forgotten.
    subject: Erasable,
    /// Whether the person it is about lives.
    living: Living,
    /// On what ground.
    ground: Reason,
}

/// On what ground it stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroundBody {
    /// On what ground.
    ground: Reason,
}

/// Which erasures.
#[derive(Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ErasureQuery {
    /// Only where they stand so.
    #[param(inline)]
    standing: Option<ErasureStanding>,
    /// How many items at most, 1–500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
}
paged!(ErasureQuery);

/// A decision that is recorded and carried out; the views follow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Decided {
    /// The erasure.
    id: Uuid,
    /// The proof of the decision.
    receipt: WrittenReceipt,
    /// How the views fare.
    views: ViewsState,
}

/// How the views fare after a decision.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ViewsState {
    /// They are made anew without it, or with it again; until then they show what they showed.
    Renewing,
}

/// Ask that a subject be forgotten.
#[utoipa::path(tag = "erasures", request_body = NewErasure,
    responses((status = 201, description = "It waits for a second person.", body = Written)))]
#[post("/erasures")]
pub(crate) async fn request(act: Act<NewErasure>) -> Answer {
    let Act { asking, body } = act;
    let NewErasure { id, subject, living, ground } = body;
    let erasure = asking.id(id, "erasure");
    let command = RequestErasure { erasure, subject, living, ground };
    asking.create(&command, erasure.0, &format!("erasures/{erasure}")).await
}

/// The erasures asked for, last asked first.
#[utoipa::path(tag = "erasures", params(ErasureQuery),
    responses((status = 200, description = "Erasures.", body = ListOf<ErasureDoc>)))]
#[get("/erasures")]
pub(crate) async fn list(read: Read<ErasureQuery>) -> Answer {
    let (paging, standing) = (read.params.paging(), read.params.standing);
    let (limit, cursor) = (paging.limit()?, paging.cursor());
    let find = move |look: &Look<'_>| {
        let Look { db, sight, at, .. } = look;
        readers_only(look)?;
        Ok(Some(erasures::page(db, sight, *at, standing, cursor.as_ref(), limit)?))
    };
    read.list(&paging, find).await
}

/// One erasure: of what, on what ground, and where it stands.
#[utoipa::path(tag = "erasures",
    responses((status = 200, description = "The erasure.", body = Seen<ErasureDoc>)))]
#[get("/erasures/{erasure}")]
pub(crate) async fn one(read: Read<Plain>, erasure: Place<ErasureId>) -> Answer {
    read.object(|look| {
        readers_only(look)?;
        Ok(erasures::one(look.db, look.sight, look.at, *erasure)?)
    })
}

/// Keep it, but show it to nobody until it is decided.
#[utoipa::path(tag = "erasures", request_body = ReasonBody,
    responses((status = 202, description = "It is restricted; the views follow.", body = Decided)))]
#[post("/erasures/{erasure}/restrict")]
pub(crate) async fn restrict(act: Act<ReasonBody>, erasure: Place<ErasureId>) -> Answer {
    let (erasure, reason) = (*erasure, act.body.reason);
    act.asking.decide(&RestrictProcessing { erasure, reason }, erasure).await
}

/// Show it again.
#[utoipa::path(tag = "erasures", request_body = ReasonBody,
    responses((status = 202, description = "It is no more restricted; the views follow.", body = Decided)))]
#[post("/erasures/{erasure}/lift")]
pub(crate) async fn lift(act: Act<ReasonBody>, erasure: Place<ErasureId>) -> Answer {
    let (erasure, reason) = (*erasure, act.body.reason);
    act.asking.decide(&LiftRestriction { erasure, reason }, erasure).await
}

/// Refuse it: what it is about stays, and is shown again where it was restricted.
#[utoipa::path(tag = "erasures", request_body = GroundBody,
    responses((status = 202, description = "It is refused; the views follow.", body = Decided)))]
#[post("/erasures/{erasure}/refuse")]
pub(crate) async fn refuse(act: Act<GroundBody>, erasure: Place<ErasureId>) -> Answer {
    let (erasure, ground) = (*erasure, act.body.ground);
    act.asking.decide(&RefuseErasure { erasure, ground }, erasure).await
}

/// Forget it for ever: the key is destroyed, and every row that was made with it.
///
/// Another person than the one who asked for it. Asked again, it finishes what was interrupted.
#[utoipa::path(tag = "erasures",
    responses((status = 202, description = "It is forgotten; the views follow.", body = Decided)))]
#[post("/erasures/{erasure}/carry-out")]
pub(crate) async fn carry_out(asking: Asking, erasure: Place<ErasureId>) -> Answer {
    asking.decide(&CarryOutErasure { erasure: *erasure }, *erasure).await
}

/// Refuses who neither asks for erasures nor decides nor audits them.
fn readers_only(look: &Look<'_>) -> Result<(), Problem> {
    let any = [Permission::RequestErasure, Permission::DecideErasure, Permission::Audit];
    if any.into_iter().any(|permission| look.sight.may(permission)) {
        return Ok(());
    }
    Err(Problem::forbidden())
}

impl Asking {
    /// Records a decision, has it carried out on keys and views, and answers 202.
    ///
    /// Who may not decide at all learns nothing of which erasures there are. The keys are seen to
    /// also where the decision was recorded before: an interrupted one is finished so.
    async fn decide<C>(&self, command: &C, erasure: ErasureId) -> Answer
    where
        C: Command<On = Erasure>,
        Erasure: Cached,
    {
        must_may(self, Permission::DecideErasure)?;
        self.app.must_be_sound()?;
        let receipt = self.app.house.execute(&self.request, command).await?;
        let state = self.app.house.load::<Erasure>(erasure.0).await?.state;
        let subject = state.subject.ok_or_else(Problem::unseen)?;
        (self.app.forget)(subject, state.standing).await.map_err(Problem::unfinished)?;
        let mut answer = HttpResponse::Accepted();
        answer.insert_header((CONTENT_ENCODING, "identity"));
        if let Some(revision) = receipt.revision {
            answer.insert_header((ETAG, format!("\"{revision}\"")));
        }
        if let Some(token) = receipt.token {
            answer.insert_header(("assay-token", token.0.to_string()));
        }
        let (id, receipt, views) = (erasure.0, (&receipt).into(), ViewsState::Renewing);
        Ok(answer.json(Decided { id, receipt, views }))
    }
}
