//! `assay bundle`: a case comes from another house, in a file that proves itself.

mod import;
mod people;

use crate::cli::BundleAct;
use crate::exit::Exit;
use crate::settings::Settings;

/// Does what was asked.
pub(crate) async fn run(settings: &Settings, act: BundleAct) -> anyhow::Result<Exit> {
    match act {
        BundleAct::Import(asked) => import::run(settings, &asked).await,
    }
}
