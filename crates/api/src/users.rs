//! People: accounts, their roles and clearance, suspension, one-time codes.

use actix_web::http::header::CONTENT_ENCODING;
use actix_web::{HttpResponse, delete, post, put};
use assay_commands::Request;
use assay_domain::id::UserId;
use assay_domain::text::{Label, Name, Reason};
use assay_domain::user::{
    ClearUser, GrantRole, HouseRole, Profile, RegisterUser, ReinstateUser, RevokeRole, SuspendUser,
    User,
};
use assay_domain::value::Tlp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts;
use crate::door::{Act, Asking, Place};
use crate::problem::Problem;
use crate::write::{Answer, Written};

/// Somebody who gets an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewUser {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<UserId>,
    /// The name to log in with.
    username: Label,
    /// The name to show.
    display_name: Name,
    /// The roles in the house.
    #[serde(default)]
    #[schema(max_items = 4)]
    roles: Vec<HouseRole>,
    /// Up to which marking they may see.
    #[serde(default)]
    clearance: Tlp,
}

/// A role in the house.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleBody {
    /// The role.
    role: HouseRole,
}

/// A clearance.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClearanceBody {
    /// Up to which marking they may see.
    clearance: Tlp,
}

/// A reason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonBody {
    /// Why.
    pub(crate) reason: Reason,
}

/// A one-time code; it is shown only here.
#[derive(Serialize, ToSchema)]
pub(crate) struct PasswordCode {
    /// The code. Give it to the user by a way you trust.
    code: String,
    /// Until when it is good, RFC 3339 in UTC.
    expires_at: String,
}

/// Give somebody an account.
#[utoipa::path(tag = "users", request_body = NewUser,
    responses((status = 201, description = "The account is there.", body = Written)))]
#[post("/users")]
pub(crate) async fn register(act: Act<NewUser>) -> Answer {
    let Act { asking, body } = act;
    let NewUser { id, username, display_name, roles, clearance } = body;
    let asked = asking.id(id, "user");
    let vault = &*asking.app.vault;
    // Whose the name is already, of them the command speaks: it says whether they are the same.
    let user = accounts::reserve_username(vault, &username, asked).await?;
    let profile = Profile { username: username.clone(), display_name };
    let command = RegisterUser { user, profile, roles, clearance };
    let done = asking.create(&command, user.0, &format!("users/{user}")).await;
    if done.is_err() && !asking.app.house.load::<User>(user.0).await?.state.registered {
        accounts::release_username(vault, &username).await?;
    }
    done
}

/// Give somebody a role.
#[utoipa::path(tag = "users", request_body = RoleBody,
    responses((status = 200, description = "They have it.", body = Written)))]
#[post("/users/{user}/roles")]
pub(crate) async fn grant_role(act: Act<RoleBody>, user: Place<UserId>) -> Answer {
    let command = GrantRole { user: *user, role: act.body.role };
    act.asking.change(&command, user.0).await
}

/// Take a role from somebody.
#[utoipa::path(tag = "users", responses((status = 200, description = "They have it no more.", body = Written)))]
#[delete("/users/{user}/roles/{role}")]
pub(crate) async fn revoke_role(asking: Asking, place: Place<(UserId, HouseRole)>) -> Answer {
    let (user, role) = place.into_inner();
    asking.change(&RevokeRole { user, role }, user.0).await
}

/// Say up to which marking somebody may see.
#[utoipa::path(tag = "users", request_body = ClearanceBody,
    responses((status = 200, description = "It is so.", body = Written)))]
#[put("/users/{user}/clearance")]
pub(crate) async fn clear(act: Act<ClearanceBody>, user: Place<UserId>) -> Answer {
    let command = ClearUser { user: *user, clearance: act.body.clearance };
    act.asking.change(&command, user.0).await
}

/// Suspend somebody; their sessions end at once.
#[utoipa::path(tag = "users", request_body = ReasonBody,
    responses((status = 200, description = "They can do nothing until reinstated.", body = Written)))]
#[post("/users/{user}/suspend")]
pub(crate) async fn suspend(act: Act<ReasonBody>, user: Place<UserId>) -> Answer {
    let command = SuspendUser { user: *user, reason: act.body.reason };
    let done = act.asking.change(&command, user.0).await?;
    act.asking.app.sessions.end_all(*user, None).await?;
    Ok(done)
}

/// Let somebody work again.
#[utoipa::path(tag = "users", request_body = ReasonBody,
    responses((status = 200, description = "They may work again.", body = Written)))]
#[post("/users/{user}/reinstate")]
pub(crate) async fn reinstate(act: Act<ReasonBody>, user: Place<UserId>) -> Answer {
    let command = ReinstateUser { user: *user, reason: act.body.reason };
    act.asking.change(&command, user.0).await
}

/// Make a one-time code with which somebody sets their own password.
///
/// It is shown once and expires. The admin never sees or chooses a password.
#[utoipa::path(tag = "users", responses((status = 201, description = "The code.", body = PasswordCode)))]
#[post("/users/{user}/password-code")]
pub(crate) async fn password_code(asking: Asking, user: Place<UserId>) -> Answer {
    may_manage(&asking, *user).await?;
    let expires_at = crate::login::code_expiry(&asking.app)?;
    let code = accounts::make_code(&*asking.app.vault, *user, expires_at).await?;
    tracing::info!(actor = %asking.caller.user, user = %user, "a one-time code was made");
    let body = PasswordCode { code, expires_at: format!("{expires_at:.6}") };
    Ok(HttpResponse::Created().insert_header((CONTENT_ENCODING, "identity")).json(body))
}

/// Asks the one who decides, by a command that changes nothing: the clearance stays what it is.
async fn may_manage(asking: &Asking, user: UserId) -> Result<(), Problem> {
    let known = asking.app.house.load::<User>(user.0).await?;
    let command = ClearUser { user, clearance: known.state.clearance };
    // At this revision only: a clearance that changes meanwhile is not set back.
    let request = Request { if_match: known.revision, ..asking.request.clone() };
    asking.app.house.execute(&request, &command).await?;
    Ok(())
}
