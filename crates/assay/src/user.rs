//! `assay user`: people of a data directory that no server holds.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use assay_api::accounts::Hashing;
use assay_commands::Clock;
use assay_domain::id::UserId;
use assay_domain::text::Reason;
use assay_domain::user::{
    GrantRole, HouseRole, Profile, RegisterUser, ReinstateUser, RevokeRole, SuspendUser,
};
use assay_domain::value::Tlp;
use assay_views::users::{self, UserDoc};
use assay_views::{At, Sight};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;

use crate::accounts::{
    by_house, known, label, new_id, one_time_code, refused, register, set_password,
};
use crate::cli::UserAct;
use crate::clock::SystemClock;
use crate::exit::{Exit, usage};
use crate::open::{Opened, open};
use crate::settings::Settings;
use crate::viewing::{all, view};
use crate::words::{instant, table, word};

/// Does what was asked.
pub(crate) async fn run(settings: &Settings, act: UserAct) -> anyhow::Result<Exit> {
    if matches!(act, UserAct::List) {
        return list(settings).await;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = open(settings, clock).await?;
    let house = &opened.house;
    let request = by_house(new_id());
    let done = match act {
        UserAct::Add { username, name, roles, clearance, password_file } => {
            let display_name = name.unwrap_or_else(|| username.clone());
            let roles: anyhow::Result<Vec<HouseRole>> =
                roles.iter().map(|role| value("role", role)).collect();
            let command = RegisterUser {
                user: new_id().into(),
                profile: Profile {
                    username: label(&username)?,
                    display_name: display_name.try_into()?,
                },
                roles: roles?,
                clearance: value::<Tlp>("clearance", &clearance)?,
            };
            return add(&opened, settings, &command, password_file.as_deref()).await;
        }
        UserAct::Code { username } => {
            let user = known(&opened, &username).await?;
            return tell_code(&opened, settings, user, &username).await;
        }
        UserAct::List => return Ok(Exit::Holds),
        UserAct::Suspend { username, reason } => {
            let (user, reason) = (known(&opened, &username).await?, reason_of(reason)?);
            let command = SuspendUser { user, reason };
            house.execute(&request, &command).await.map_err(refused)?;
            format!("{username} is suspended and may do nothing until reinstated.")
        }
        UserAct::Reinstate { username, reason } => {
            let (user, reason) = (known(&opened, &username).await?, reason_of(reason)?);
            let command = ReinstateUser { user, reason };
            house.execute(&request, &command).await.map_err(refused)?;
            format!("{username} may work again.")
        }
        UserAct::Grant { username, role } => {
            let (user, role) = (known(&opened, &username).await?, value("role", &role)?);
            house.execute(&request, &GrantRole { user, role }).await.map_err(refused)?;
            format!("{username} is {} now.", word(&role))
        }
        UserAct::Revoke { username, role } => {
            let (user, role) = (known(&opened, &username).await?, value("role", &role)?);
            house.execute(&request, &RevokeRole { user, role }).await.map_err(refused)?;
            format!("{username} is no longer {}.", word(&role))
        }
    };
    writeln!(std::io::stdout(), "{done}")?;
    Ok(Exit::Holds)
}

async fn add(
    opened: &Opened,
    settings: &Settings,
    command: &RegisterUser,
    password_file: Option<&Path>,
) -> anyhow::Result<Exit> {
    // Read before anything is written, so that a wrong file leaves nothing half done.
    let password = password_file.map(read_password).transpose()?;
    register(opened, command, &by_house(new_id())).await?;
    let label = &command.profile.username;
    let username = label.as_str();
    writeln!(std::io::stdout(), "{username} has an account.")?;
    match password {
        None => tell_code(opened, settings, command.user, username).await,
        Some(password) => {
            let hashing = Hashing::new(&settings.api())?;
            let request = by_house(new_id());
            let set = set_password(opened, &hashing, (command.user, label), &password, &request);
            set.await.with_context(|| {
                format!("the account is there, its password is not: `assay user code {username}`")
            })?;
            writeln!(std::io::stdout(), "The password is set.")?;
            Ok(Exit::Holds)
        }
    }
}

async fn tell_code(
    opened: &Opened,
    settings: &Settings,
    user: UserId,
    username: &str,
) -> anyhow::Result<Exit> {
    let (code, expires_at) = one_time_code(opened, settings, user).await?;
    let until = expires_at.strftime("%Y-%m-%d %H:%M UTC");
    let mut out = std::io::stdout().lock();
    writeln!(out, "One-time code for {username}: {}", code.expose_secret())?;
    writeln!(out, "It sets a password with POST /api/v1/password, once, until {until}.")?;
    Ok(Exit::Holds)
}

fn read_password(file: &Path) -> anyhow::Result<SecretString> {
    let mut line = String::new();
    if file == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line)?;
    } else {
        let read = std::fs::File::open(file);
        let read = read.with_context(|| format!("reading {}", file.display()))?;
        std::io::BufReader::new(read).read_line(&mut line)?;
    }
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n'])))
}

async fn list(settings: &Settings) -> anyhow::Result<Exit> {
    let viewing = view(settings).await?;
    let (reader, sight) = (&viewing.reader, Sight::house());
    let found: Vec<UserDoc> =
        all(|cursor, limit| users::page(reader, &sight, At::Head, cursor, limit))?;
    let mut rows = table(&["Username", "Name", "Roles", "May see up to", "State", "Since"]);
    for user in found {
        let (username, name) = user.profile.map_or_else(
            || ("(forgotten)".to_owned(), String::new()),
            |profile| (profile.username.into(), profile.display_name.into()),
        );
        let roles: Vec<String> = user.roles.iter().map(word).collect();
        rows.add_row(vec![
            username,
            name,
            roles.join(", "),
            user.clearance.as_str().to_owned(),
            if user.suspended.is_some() { "suspended" } else { "active" }.to_owned(),
            instant(user.registered.at),
        ]);
    }
    writeln!(std::io::stdout(), "{rows}")?;
    Ok(Exit::Holds)
}

/// A word of the domain as somebody typed it.
fn value<T: DeserializeOwned>(what: &str, text: &str) -> anyhow::Result<T> {
    serde_json::from_value(serde_json::Value::from(text))
        .map_err(|error| usage(format!("the {what} {text:?} does not fit: {error}")))
}

fn reason_of(reason: String) -> anyhow::Result<Reason> {
    Reason::try_from(reason).map_err(|error| usage(format!("the reason: {}", error.detail)))
}
