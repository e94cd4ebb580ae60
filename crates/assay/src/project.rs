//! Bringing the views up to date from the console, where no server does it.

use std::sync::Arc;

use anyhow::Context as _;
use assay_views::Views;
use assay_views::projector::catch_up as follow;
use tokio::runtime::Handle;

use crate::open::Opened;
use crate::progress::Progress;

/// Projects what the journal has and the views have not; answers the position reached.
pub(crate) async fn catch_up(opened: &Opened) -> anyhow::Result<u64> {
    let views = Views::open(opened.dir.views()).context("opening the views")?;
    let (journal, keys) = (opened.journal(), Arc::clone(&opened.keys));
    aside(move |runtime| {
        let mut progress = Progress::new("entries brought into the views");
        let reached = follow(&views, &journal, &keys, runtime, |done, all| progress.set(done, all));
        progress.finish();
        reached.context("bringing the views up to date")
    })
    .await
}

/// Does work that waits, on a thread that may.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce(&Handle) -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || work(&runtime)).await.context("the work broke off")?
}
