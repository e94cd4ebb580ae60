//! Forgetting, put together: keys destroyed or held back, and the views made anew without what they sealed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use assay_api::app::Forget;
use assay_commands::House;
use assay_domain::erasure::{Erasable, ErasureStanding};
use assay_views::projector::{Projector, Renewer};
use assay_views::{Reader, Views, erasures};
use tokio::sync::watch;

use crate::data_dir::{DataDir, write_private};
use crate::open::Opened;

/// Sees to the keys and the views after each decision on an erasure.
#[derive(Clone)]
struct Forgetting {
    house: Arc<House>,
    renewer: Renewer,
    mark: PathBuf,
    pending: Arc<AtomicU64>,
}

/// What the API calls after a decision on an erasure.
pub(crate) fn forget(opened: &Opened, projector: &Projector) -> Forget {
    let forgetting = Forgetting::new(opened, projector);
    Arc::new(move |subject, standing| {
        let forgetting = forgetting.clone();
        Box::pin(async move {
            forgetting.see_to(subject, standing).await.map_err(|error| format!("{error:#}"))
        })
    })
}

impl Forgetting {
    fn new(opened: &Opened, projector: &Projector) -> Self {
        Self {
            house: Arc::clone(&opened.house),
            renewer: projector.renewer(),
            mark: opened.dir.renewal_mark(),
            pending: Arc::default(),
        }
    }

    async fn see_to(&self, subject: Erasable, standing: ErasureStanding) -> anyhow::Result<()> {
        // Before the keys: should we end here, the next start makes the views anew.
        mark(&self.mark)?;
        settle(&self.house, subject, standing).await?;
        let number = self.pending.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
        let this = self.clone();
        actix_web::rt::spawn(async move {
            match this.renewer.renewed().await {
                Ok(()) if this.pending.load(Ordering::SeqCst) == number => unmark(&this.mark),
                Ok(()) => {} // A later one is under way and sees to the mark.
                Err(error) => {
                    tracing::error!(%error, "the views were not made anew; the next start does it")
                }
            }
        });
        Ok(())
    }
}

/// Destroys, holds back or gives back the keys of a subject.
async fn settle(house: &House, subject: Erasable, standing: ErasureStanding) -> anyhow::Result<()> {
    let stream = subject.stream();
    match standing {
        ErasureStanding::CarriedOut => {
            house.forget(subject).await?;
            house.keys().give_back(&stream).await?; // There is nothing left to hold back.
        }
        ErasureStanding::Restricted => house.keys().hold_back(&stream).await?,
        ErasureStanding::Requested | ErasureStanding::Refused => {
            house.keys().give_back(&stream).await?;
        }
    }
    Ok(())
}

/// Before the views are opened: views that were to be made anew when the last process ended are removed.
pub(crate) fn remove_stale_views(dir: &DataDir) -> anyhow::Result<()> {
    let mark = dir.renewal_mark();
    if !mark.exists() {
        return Ok(());
    }
    tracing::warn!(
        "the last process ended before the views were made anew: they are made anew now"
    );
    crate::rebuild::remove(&dir.views())?;
    dir.make_files()?;
    unmark(&mark);
    Ok(())
}

/// Settles again every decision that the views know of; answers how many.
pub(crate) async fn settle_known(opened: &Opened) -> anyhow::Result<usize> {
    let reader = Views::open(opened.dir.views()).and_then(|views| views.reader())?;
    settle_all(&opened.house, &reader).await
}

async fn settle_all(house: &House, reader: &Reader) -> anyhow::Result<usize> {
    let known = erasures::hidden(reader)?;
    for (subject, standing) in &known {
        settle(house, *subject, *standing).await.context("settling an erasure again")?;
    }
    Ok(known.len())
}

/// Once the views have caught up with what was there at the start: settles what they did not know before.
pub(crate) fn settle_late(opened: &Opened, projector: &Projector, known: usize, head: u64) {
    let forgetting = Forgetting::new(opened, projector);
    let (views, mut projected) = (opened.dir.views(), projector.projected());
    actix_web::rt::spawn(async move {
        if caught_up(&mut projected, head).await {
            let settled = settle_now(&forgetting, &views, known).await;
            if let Err(error) = settled {
                tracing::error!(error = %format!("{error:#}"), "an erasure could not be settled");
            }
        }
    });
}

async fn caught_up(projected: &mut watch::Receiver<u64>, head: u64) -> bool {
    projected.wait_for(|position| *position >= head).await.is_ok()
}

async fn settle_now(forgetting: &Forgetting, views: &Path, known: usize) -> anyhow::Result<()> {
    let reader = Views::open(views).and_then(|views| views.reader())?;
    let found = erasures::hidden(&reader)?;
    drop(reader);
    if found.len() > known {
        for (subject, standing) in found {
            forgetting.see_to(subject, standing).await?;
        }
    }
    Ok(())
}

fn mark(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    write_private(path, b"the views are to be made anew\n")
}

fn unmark(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::error!(%error, path = %path.display(), "the mark could not be removed");
    }
}
