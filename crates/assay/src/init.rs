//! `assay init`: an empty house with its keys and its first admin.

use std::io::Write as _;
use std::sync::Arc;

use assay_commands::Clock;
use assay_domain::user::{HouseRole, Profile, RegisterUser};
use assay_domain::value::Tlp;
use secrecy::ExposeSecret as _;

use crate::accounts::{by_house, label, new_id, one_time_code, register};
use crate::cli::Init;
use crate::clock::SystemClock;
use crate::data_dir::{DataDir, write_private};
use crate::exit::{Exit, usage};
use crate::keys::{MasterFrom, make_jwt_key};
use crate::open::{Opened, must_be_ready, open_held};
use crate::settings::Settings;
use crate::upstream;

/// Makes a data directory with its keys and opens it; one that is there is opened as it is.
pub(crate) async fn set_up(settings: &Settings, clock: Arc<dyn Clock>) -> anyhow::Result<Opened> {
    let dir = DataDir::at(&settings.data_dir);
    dir.make()?;
    let held = dir.hold()?;
    MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir).make_if_missing()?;
    if settings.store.elsewhere() {
        upstream::prepare(&settings.store, settings).await?;
    } else if !dir.jwt_key().exists() {
        make_jwt_key(&dir)?;
    }
    open_held(settings, clock, dir, held).await
}

/// Sets up a house, once.
pub(crate) async fn run(settings: &Settings, asked: &Init) -> anyhow::Result<Exit> {
    let username = label(&asked.username)?;
    let dir = DataDir::at(&settings.data_dir);
    if dir.is_initialised() {
        must_be_ready(settings, &dir)?;
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let opened = set_up(settings, clock).await?;
    if opened.head()? > 0 {
        let what = if settings.store.elsewhere() {
            "the house at store.url".to_owned()
        } else {
            dir.root().display().to_string()
        };
        return Err(usage(format!("{what} is already initialised; nothing was changed")));
    }
    let user = new_id().into();
    let display_name = asked.username.clone().try_into()?;
    let command = RegisterUser {
        user,
        profile: Profile { username, display_name },
        roles: vec![HouseRole::Admin],
        clearance: Tlp::Clear,
    };
    register(&opened, &command, &by_house(new_id())).await?;
    let (secret, expires_at) = one_time_code(&opened, settings, user).await?;
    let path = dir.bootstrap_secret();
    write_private(&path, format!("{}\n", secret.expose_secret()).as_bytes())?;
    let root = dir.root().display();
    let mut out = std::io::stdout().lock();
    writeln!(out, "The house is set up in {root}.")?;
    if settings.store.elsewhere() {
        let master = MasterFrom::choose(settings.keys.master_key_file.as_deref(), &dir);
        writeln!(
            out,
            "Its log and its vault are at store.url. Every other node needs nothing but"
        )?;
        writeln!(out, "the same settings and the same master key: {}", master.describe())?;
    }
    writeln!(out, "First admin: {}", asked.username)?;
    writeln!(out, "One-time secret: in {}", path.display())?;
    writeln!(out, "  It works once, until {}.", expires_at.strftime("%Y-%m-%d %H:%M UTC"))?;
    writeln!(out, "Next:")?;
    writeln!(out, "  assay serve --data-dir {root}")?;
    writeln!(out, "  then set the admin's password with POST /api/v1/password, giving the")?;
    writeln!(out, "  username, the secret as `code` and the new password; delete the file after.")?;
    Ok(Exit::Holds)
}
