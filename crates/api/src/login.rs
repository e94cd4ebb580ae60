//! Logging in and staying logged in: passwords for tokens, tokens for newer ones, and out again.

use std::time::Duration;

use actix_web::http::header::CONTENT_ENCODING;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get, post};
use assay_commands::{Actor, Error, Request};
use assay_domain::id::UserId;
use assay_domain::text::Label;
use assay_domain::user::{ChangePassword, User};
use assay_store::fact::ActorKind;
use assay_store::vault::VaultError;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accounts::{self, AccountError, HashingError, attempts};
use crate::app::{App, address};
use crate::caller::Caller;
use crate::door::{Asking, Body};
use crate::problem::Problem;
use crate::sessions::Granted;
use crate::write::Answer;

/// A name and a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The name to log in with.
    #[schema(max_length = 60)]
    username: String,
    /// The password.
    #[schema(value_type = String, max_length = 128)]
    password: SecretString,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RefreshBody {
    /// The token of the last answer; it is good once.
    #[schema(value_type = String)]
    refresh_token: SecretString,
}

/// A one-time code and the password to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordByCode {
    /// The name to log in with.
    #[schema(max_length = 60)]
    username: String,
    /// The code an admin gave you.
    #[schema(value_type = String)]
    code: SecretString,
    /// The password to be: 12–128 characters.
    #[schema(value_type = String, min_length = 12, max_length = 128)]
    password: SecretString,
}

/// Tokens of a session.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenPair {
    /// Give it as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: &'static str,
    /// How long the access token lives, in seconds.
    expires_in_s: i64,
    /// Gives the next pair, once.
    refresh_token: String,
    /// The session.
    session: Uuid,
}

/// Begin a session with a name and a password.
///
/// Unknown name, wrong password, locked and suspended accounts all answer the same.
#[utoipa::path(tag = "sessions", request_body = Login, security(()),
    responses((status = 200, description = "Tokens of a new session.", body = TokenPair)))]
#[post("/login")]
pub(crate) async fn login(app: Data<App>, req: HttpRequest, body: Body<Login>) -> Answer {
    let Login { username, password } = body.0;
    app.gates.login(address(&app, &req))?;
    let found = checked(&app, &username, password).await;
    let outcome = if found.is_ok() { "ok" } else { "refused" };
    metrics::counter!("assay_logins_total", "outcome" => outcome).increment(1);
    tracing::info!(outcome, address = %address(&app, &req), "login");
    let granted = app.sessions.begin(found?, app.new_id()).await?;
    tokens(&app, granted)
}

/// Exchange a refresh token for a new pair.
///
/// Each refresh token is good once; one that comes back ends the session.
#[utoipa::path(tag = "sessions", request_body = RefreshBody, security(()),
    responses((status = 200, description = "The next tokens of the session.", body = TokenPair)))]
#[post("/token/refresh")]
pub(crate) async fn refresh(app: Data<App>, arrived: Arrived, body: Body<RefreshBody>) -> Answer {
    use secrecy::ExposeSecret as _;
    let granted = app.sessions.rotate(body.0.refresh_token.expose_secret(), arrived.0).await?;
    tokens(&app, granted)
}

/// End this session at once.
#[utoipa::path(tag = "sessions",
    responses((status = 204, description = "The session is over; its tokens are worth nothing.")))]
#[post("/logout")]
pub(crate) async fn logout(asking: Asking) -> Answer {
    asking.app.sessions.end(asking.caller.user, asking.caller.session).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Set a password with a one-time code.
///
/// The code comes from an admin, or from the first start of the house. It works once and expires.
#[utoipa::path(tag = "sessions", request_body = PasswordByCode, security(()),
    responses((status = 204, description = "The password is set; log in with it.")))]
#[post("/password")]
pub(crate) async fn password_by_code(
    app: Data<App>,
    req: HttpRequest,
    body: Body<PasswordByCode>,
) -> Answer {
    use secrecy::ExposeSecret as _;
    let PasswordByCode { username, code, password } = body.0;
    app.gates.login(address(&app, &req))?;
    let (user, label) = by_code(&app, &username, code.expose_secret(), &password).await?;
    set(&app, user, &label, &password).await?;
    app.sessions.end_all(user, None).await?;
    record(&app, user, Uuid::nil()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The public keys that verify access tokens.
#[utoipa::path(tag = "sessions", security(()),
    responses((status = 200, description = "A JSON Web Key Set (RFC 7517).", body = crate::token::KeySet)))]
#[get("/.well-known/jwks.json")]
pub(crate) async fn jwks(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(app.tokens.key_set())
}

/// When a request arrived among the rotations; read before anything is waited for.
pub(crate) struct Arrived(u64);

impl actix_web::FromRequest for Arrived {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(App::of(req).map(|app| Self(app.sessions.arrival())))
    }
}

fn tokens(app: &App, granted: Granted) -> Answer {
    let Granted { user, session, refresh_token } = granted;
    let token = app.tokens.sign(user, session, app.new_id(), app.house.now());
    let pair = TokenPair {
        access_token: token.map_err(Problem::fault)?,
        token_type: "Bearer",
        expires_in_s: app.tokens.lifetime_s(),
        refresh_token,
        session,
    };
    Ok(HttpResponse::Ok().insert_header((CONTENT_ENCODING, "identity")).json(pair))
}

fn refused() -> Problem {
    Problem::credentials("login_failed", "the name or the password is not right, or not now")
}

/// Who has this name and password; the same work and the same refusal whatever is wrong.
async fn checked(app: &App, username: &str, password: SecretString) -> Result<UserId, Problem> {
    use secrecy::ExposeSecret as _;
    let turn = app.hashing.turn().map_err(busy)?;
    let (user, counter) = who(app, username).await?;
    // Counted before it is looked at: a thousand at once are looked at no more often than one by one.
    let open = app.attempts.count(&*app.vault, &counter, app.house.now()).await?;
    let id = user.unwrap_or(UserId(Uuid::nil()));
    let active = app.house.load::<User>(id.0).await?.state.active();
    let phc = accounts::password_hash(&*app.vault, id).await?;
    let fits = password.expose_secret().chars().count() <= accounts::rules::CHARS_MAX;
    let phc = phc.filter(|_| open && active && fits);
    let checked = app.hashing.check(&turn, password, phc).await.map_err(busy)?;
    if !checked.right {
        return Err(refused());
    }
    app.attempts.clear(&*app.vault, &counter).await?;
    if let Some(phc) = checked.rehashed {
        accounts::put_hash(&*app.vault, id, phc).await?;
    }
    user.ok_or_else(refused)
}

/// Whose name it is, and where its failures are counted.
async fn who(app: &App, username: &str) -> Result<(Option<UserId>, String), Problem> {
    let label = Label::try_from(username.to_owned());
    let user = match &label {
        Ok(label) => accounts::user_of(&*app.vault, label).await?,
        Err(_) => None,
    };
    Ok((user, attempts::counter(app.secret(), username, user.is_some())))
}

/// Whose code it is, the code being used up by it.
async fn by_code(
    app: &App,
    username: &str,
    code: &str,
    password: &SecretString,
) -> Result<(UserId, Label), Problem> {
    let refused = || {
        Problem::credentials("code_invalid", "the name or the code is not right, or not any more")
    };
    let (user, counter) = who(app, username).await?;
    let label = Label::try_from(username.to_owned()).map_err(|_| refused())?;
    // A password that breaks a rule does not use the code up.
    new_hash(app, &label, password).await?;
    let open = app.attempts.count(&*app.vault, &counter, app.house.now()).await?;
    let user = user.filter(|_| open).ok_or_else(refused)?;
    if !accounts::use_code(&*app.vault, user, code, app.house.now()).await? {
        return Err(refused());
    }
    app.attempts.clear(&*app.vault, &counter).await?;
    Ok((user, label))
}

/// Checks the current password of somebody who is logged in already.
pub(crate) async fn must_know(
    app: &App,
    caller: &Caller,
    username: &Label,
    password: SecretString,
) -> Result<(), Problem> {
    let user = checked(app, username.as_str(), password).await?;
    if user == caller.user { Ok(()) } else { Err(refused()) }
}

/// Sets a password that keeps the rules.
pub(crate) async fn set(
    app: &App,
    user: UserId,
    username: &Label,
    password: &SecretString,
) -> Result<(), Problem> {
    use secrecy::ExposeSecret as _;
    let password = password.expose_secret().to_owned();
    let set = accounts::set_password(&*app.vault, &app.hashing, user, username, password).await;
    set.map_err(account)
}

async fn new_hash(app: &App, username: &Label, password: &SecretString) -> Result<(), Problem> {
    use secrecy::ExposeSecret as _;
    let (password, username) = (password.expose_secret().to_owned(), username.as_str().to_owned());
    let hashed = app.hashing.new_hash(password, username).await.map_err(busy)?;
    hashed.map(drop).map_err(|weak| account(weak.into()))
}

/// Records that a password was set; what it is stays in the vault.
pub(crate) async fn record(app: &App, user: UserId, session: Uuid) -> Result<(), Problem> {
    let command = ChangePassword { user };
    let session = Some(session).filter(|session| !session.is_nil());
    let own =
        Request { session, ..Request::by(Actor::User(user), ActorKind::Person, app.new_id()) };
    match app.house.execute(&own, &command).await {
        // Somebody without any role yet: the house writes it down for them.
        Err(Error::Forbidden | Error::Inactive) => {
            let house = Request::by(Actor::House, ActorKind::Service, app.new_id());
            let house = Request { on_behalf_of: Some(user.0), ..house };
            app.house.execute(&house, &command).await?;
        }
        done => drop(done?),
    }
    Ok(())
}

fn busy(error: HashingError) -> Problem {
    match error {
        HashingError::Busy => Problem::busy("logins_busy", "too many logins at once; ask again"),
        failed @ HashingError::Failed(_) => Problem::fault(failed),
    }
}

fn account(error: AccountError) -> Problem {
    match error {
        AccountError::Weak(weak) => {
            Problem::field("/password".to_owned(), weak.code(), weak.to_string())
        }
        AccountError::Hashing(error) => busy(error),
        AccountError::Vault(error) => VaultError::into(error),
    }
}

/// How long a one-time code lives.
pub(crate) fn code_expiry(app: &App) -> Result<jiff::Timestamp, Problem> {
    let lives: Duration = app.settings.code;
    app.house.now().checked_add(lives).map_err(Problem::fault)
}
