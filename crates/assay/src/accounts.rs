//! People, from the console: the same commands and the same credentials as through the API, asked by the house itself.

use anyhow::{Context as _, anyhow, bail};
use assay_api::accounts::{self, Hashing};
use assay_commands::{Actor, Error, Request};
use assay_domain::aggregate::Refusal;
use assay_domain::id::UserId;
use assay_domain::text::Label;
use assay_domain::user::{ChangePassword, Profile, RegisterUser, User};
use assay_store::fact::ActorKind;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::exit::usage;
use crate::open::Opened;
use crate::settings::Settings;

/// A new id that sorts by time.
#[expect(clippy::disallowed_methods, reason = "the composition root makes ids")]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A request of the house itself.
pub(crate) fn by_house(command: Uuid) -> Request {
    Request::by(Actor::House, ActorKind::Service, command)
}

/// What the house did not do, in words for the console.
pub(crate) fn refused<R: Refusal>(error: Error<R>) -> anyhow::Error {
    match error {
        Error::Refused(refusal) => usage(format!("refused: {refusal} ({})", refusal.code())),
        Error::Unseen | Error::Forbidden | Error::Inactive | Error::CaseClosed => {
            usage(format!("refused: {error}"))
        }
        other => anyhow!(other),
    }
}

/// Reads a name to log in with.
pub(crate) fn label(username: &str) -> anyhow::Result<Label> {
    Label::try_from(username.to_owned())
        .map_err(|error| usage(format!("the username {username:?} does not fit: {}", error.detail)))
}

/// Who logs in with this name.
pub(crate) async fn known(opened: &Opened, username: &str) -> anyhow::Result<UserId> {
    let found = accounts::user_of(opened.keys.vault().as_ref(), &label(username)?).await?;
    found.ok_or_else(|| usage(format!("nobody logs in as `{username}`")))
}

/// Gives somebody an account; the name must be free.
pub(crate) async fn register(
    opened: &Opened,
    command: &RegisterUser,
    request: &Request,
) -> anyhow::Result<()> {
    let Profile { username, .. } = &command.profile;
    let vault = opened.keys.vault().as_ref();
    let holder = accounts::reserve_username(vault, username, command.user).await?;
    if holder != command.user {
        let other = opened.house.load::<User>(holder.0).await?;
        if other.state.registered {
            return Err(usage(format!("somebody logs in as `{}` already", username.as_str())));
        }
        // Left over from an attempt that ended half way.
        accounts::release_username(vault, username).await?;
        if accounts::reserve_username(vault, username, command.user).await? != command.user {
            bail!("the name `{}` was just taken", username.as_str());
        }
    }
    match opened.house.execute(request, command).await {
        Ok(_) => Ok(()),
        Err(error) => {
            let known = opened.house.load::<User>(command.user.0).await?;
            if !known.state.registered {
                accounts::release_username(vault, username).await?;
            }
            Err(refused(error))
        }
    }
}

/// Sets a password, and records that it was set.
pub(crate) async fn set_password(
    opened: &Opened,
    hashing: &Hashing,
    profile: (UserId, &Label),
    password: &SecretString,
    request: &Request,
) -> anyhow::Result<()> {
    let (user, username) = profile;
    let vault = opened.keys.vault().as_ref();
    let words = password.expose_secret().to_owned();
    accounts::set_password(vault, hashing, user, username, words)
        .await
        .map_err(|error| usage(error.to_string()))?;
    opened.house.execute(request, &ChangePassword { user }).await.map_err(refused)?;
    Ok(())
}

/// A code with which somebody sets their password, once, within the time the settings give.
pub(crate) async fn one_time_code(
    opened: &Opened,
    settings: &Settings,
    user: UserId,
) -> anyhow::Result<(SecretString, jiff::Timestamp)> {
    let seconds = i64::try_from(settings.auth.code_s).context("auth.code_s is too long")?;
    let expires_at = opened.house.now().checked_add(SignedDuration::from_secs(seconds))?;
    let code = accounts::make_code(opened.keys.vault().as_ref(), user, expires_at).await?;
    Ok((SecretString::from(code), expires_at))
}
