//! `assay demo`: a house of its own with one real case in it, prepared through the same door as everything else.

mod file;
mod ids;
mod judging;
mod people;
mod stage;
mod story;
mod summary;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use assay_api::accounts::{self, Hashing};
use assay_commands::Clock;
use assay_domain::user::Profile;

use crate::clock::ScriptedClock;
use crate::data_dir::{DataDir, write_private};
use crate::exit::usage;
use crate::init::set_up;
use crate::open::Opened;
use crate::project;
use crate::settings::Settings;

/// Where the demo lies when nobody says otherwise.
pub(crate) const DIRECTORY: &str = "assay-demo";
/// When the story begins.
const BEGINS: &str = "2018-01-11T18:30:00Z";
/// What stands in the file that marks a directory as the demo's.
const MARK: &str = "Made by `assay demo`. Its pass phrases are public: for looking around only.\n";

/// The settings with the demo's own directory, unless one was named.
pub(crate) fn settings(settings: &Settings, named: bool) -> Settings {
    let mut own = settings.clone();
    if !named {
        own.data_dir = PathBuf::from(DIRECTORY);
    }
    own
}

/// Prepares the demo and says what there is to see. Run again, it adds nothing.
pub(crate) async fn prepare(settings: &Settings) -> anyhow::Result<()> {
    let (opened, told) = make(settings, |what| eprintln!("{what} …")).await?;
    let views = assay_views::Views::open(opened.dir.views())?;
    summary::print(&mut std::io::stdout().lock(), &opened, &views.reader()?, &told)
}

/// Makes the directory, tells the story, and brings the views up to date.
async fn make(
    settings: &Settings,
    progress: impl Fn(&'static str),
) -> anyhow::Result<(Opened, story::Told)> {
    let dir = DataDir::at(&settings.data_dir);
    if dir.is_initialised() && !dir.demo_mark().exists() {
        let shown = dir.root().display();
        return Err(usage(format!(
            "{shown} holds a house that is no demo; name another directory"
        )));
    }
    let file = file::CaseFile::read()?;
    let clock = Arc::new(ScriptedClock::starting(BEGINS.parse()?));
    let shared: Arc<dyn Clock> = clock.clone();
    let opened = set_up(settings, shared).await?;
    if !dir.demo_mark().exists() && opened.head()? > 0 {
        return Err(usage("there is a house that is no demo; name another directory or store"));
    }
    if !dir.demo_mark().exists() {
        write_private(&dir.demo_mark(), MARK.as_bytes())?;
    }
    let stage = stage::Stage { house: &opened.house, clock: &clock };
    let told = story::tell(stage, &file, &progress).await?;
    progress("setting pass phrases");
    let hashing = Hashing::new(&settings.api())?;
    for person in people::ALL {
        set_password(&opened, &hashing, person).await?;
    }
    progress("bringing the views up to date");
    project::catch_up(&opened).await?;
    Ok((opened, told))
}

async fn set_password(
    opened: &Opened,
    hashing: &Hashing,
    person: people::Person,
) -> anyhow::Result<()> {
    let Profile { username, .. } = person.registration()?.profile;
    let vault = opened.keys.vault().as_ref();
    let user = ids::user(person.username);
    accounts::reserve_username(vault, &username, user).await?;
    let password = person.password.to_owned();
    accounts::set_password(vault, hashing, user, &username, password)
        .await
        .with_context(|| format!("the pass phrase of {}", person.username))
}
