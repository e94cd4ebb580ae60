//! One's own account: who I am, my sessions, my password.

use actix_web::{HttpResponse, delete, get, put};
use assay_domain::id::UserId;
use assay_domain::text::Label;
use assay_domain::user::{HouseRole, User};
use assay_domain::value::Tlp;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::door::{Act, Asking, Place};
use crate::login;
use crate::problem::Problem;
use crate::write::Answer;

/// Who somebody is to the house.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The account.
    id: UserId,
    /// The name to log in with; null where it was erased.
    username: Option<String>,
    /// The name to show; null where it was erased.
    display_name: Option<String>,
    /// The roles in the house.
    roles: Vec<HouseRole>,
    /// Up to which marking they may see.
    clearance: Tlp,
    /// The session this was asked in.
    session: Uuid,
}

/// A session that goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionItem {
    /// Its name.
    id: Uuid,
    /// When it began, RFC 3339 in UTC.
    began_at: String,
    /// When it was last refreshed, RFC 3339 in UTC.
    used_at: String,
    /// Whether it is the one that asks.
    current: bool,
}

/// Sessions.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// The sessions, the newest first.
    items: Vec<SessionItem>,
}

/// The old password and the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The password until now.
    #[schema(value_type = String, max_length = 128)]
    current: SecretString,
    /// The password from now on: 12–128 characters.
    #[schema(value_type = String, min_length = 12, max_length = 128)]
    password: SecretString,
}

/// Who I am.
#[utoipa::path(tag = "me", responses((status = 200, description = "The caller's account.", body = Me)))]
#[get("/me")]
pub(crate) async fn me(asking: Asking) -> Answer {
    let user = asking.app.house.load::<User>(asking.caller.user.0).await?.state;
    let profile = user.profile.clone();
    Ok(HttpResponse::Ok().json(Me {
        id: asking.caller.user,
        username: profile.as_ref().map(|profile| profile.username.as_str().to_owned()),
        display_name: profile.map(|profile| profile.display_name.into()),
        roles: user.roles.iter().copied().collect(),
        clearance: user.clearance,
        session: asking.caller.session,
    }))
}

/// My sessions that go on.
#[utoipa::path(tag = "me", responses((status = 200, description = "The sessions.", body = SessionList)))]
#[get("/me/sessions")]
pub(crate) async fn sessions(asking: Asking) -> Answer {
    let sessions = &asking.app.sessions;
    let mut known = sessions.of(asking.caller.user).await?;
    known.retain(|(_, kept)| sessions.in_time(kept));
    known.sort_by_key(|(_, kept)| std::cmp::Reverse(kept.began_at));
    let item = |(id, kept): (Uuid, crate::sessions::Kept)| SessionItem {
        id,
        began_at: instant(kept.began_at),
        used_at: instant(kept.used_at),
        current: id == asking.caller.session,
    };
    Ok(HttpResponse::Ok().json(SessionList { items: known.into_iter().map(item).collect() }))
}

/// End one of my sessions at once.
#[utoipa::path(tag = "me", responses((status = 204, description = "It is over.")))]
#[delete("/me/sessions/{session}")]
pub(crate) async fn end_session(asking: Asking, session: Place<Uuid>) -> Answer {
    let known = asking.app.sessions.of(asking.caller.user).await?;
    if !known.iter().any(|(id, _)| *id == *session) {
        return Err(Problem::unseen());
    }
    asking.app.sessions.end(asking.caller.user, *session).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change my password; all other sessions end.
#[utoipa::path(tag = "me", request_body = NewPassword,
    responses((status = 204, description = "It is changed, and all other sessions are over.")))]
#[put("/me/password")]
pub(crate) async fn change_password(act: Act<NewPassword>) -> Answer {
    let Act { asking, body } = act;
    let caller = asking.caller;
    let username = username(&asking.app, caller.user).await?;
    login::must_know(&asking.app, &caller, &username, body.current).await?;
    login::set(&asking.app, caller.user, &username, &body.password).await?;
    asking.app.sessions.end_all(caller.user, Some(caller.session)).await?;
    login::record(&asking.app, caller.user, caller.session).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The name somebody logs in with.
async fn username(app: &App, user: UserId) -> Result<Label, Problem> {
    let user = app.house.load::<User>(user.0).await?.state;
    user.profile.as_ref().map(|profile| profile.username.clone()).ok_or_else(Problem::unseen)
}

fn instant(micros: i64) -> String {
    let at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{at:.6}")
}
