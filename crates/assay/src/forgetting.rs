//! Forgetting, put together: keys destroyed or held back, and the views made anew without what they sealed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use assay_api::app::Forget;
use assay_commands::House;
use assay_domain::access::Access;
use assay_domain::aggregate::Aggregate as _;
use assay_domain::erasure::{Erasable, ErasableKind, ErasureStanding};
use assay_domain::id::UserId;
use assay_views::projector::{Projector, Renewer};
use assay_views::{Views, erasures, reads};
use tokio::sync::watch;

use crate::open::Opened;

/// How often making the views anew is tried before the next start has to do it.
const RENEWALS_MAX: u32 = 5;
/// How often it is looked at most whether another node decided something.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long it is waited in between.
const REST: Duration = Duration::from_secs(10);

/// Sees to the keys and the views after each decision on an erasure.
#[derive(Clone)]
struct Forgetting {
    house: Arc<House>,
    views: Views,
    renewer: Renewer,
}

/// What the API calls after a decision on an erasure.
pub(crate) fn forget(opened: &Opened, projector: &Projector) -> anyhow::Result<Forget> {
    let forgetting = Forgetting::new(opened, projector)?;
    Ok(Arc::new(move |subject, standing| {
        let forgetting = forgetting.clone();
        Box::pin(async move {
            forgetting.see_to(subject, standing).await.map_err(|error| format!("{error:#}"))
        })
    }))
}

impl Forgetting {
    fn new(opened: &Opened, projector: &Projector) -> anyhow::Result<Self> {
        let views = Views::open(opened.dir.views())?;
        Ok(Self { house: Arc::clone(&opened.house), views, renewer: projector.renewer() })
    }

    async fn see_to(&self, subject: Erasable, standing: ErasureStanding) -> anyhow::Result<()> {
        settle(&self.house, &self.views, subject, standing).await?;
        let renewer = self.renewer.clone();
        actix_web::rt::spawn(async move {
            for _ in 0..RENEWALS_MAX {
                match renewer.renewed().await {
                    Ok(()) => return,
                    Err(error) => tracing::error!(%error, "the views were not made anew"),
                }
                tokio::time::sleep(REST).await;
            }
        });
        Ok(())
    }
}

/// Destroys, holds back or gives back the keys of a subject.
async fn settle(
    house: &House,
    views: &Views,
    subject: Erasable,
    standing: ErasureStanding,
) -> anyhow::Result<()> {
    let stream = subject.stream();
    match standing {
        ErasureStanding::CarriedOut => {
            house.forget(subject).await?;
            for record in records(views, subject)? {
                house.forget_stream(&record).await?;
            }
            house.keys().give_back(&stream).await?; // There is nothing left to hold back.
        }
        ErasureStanding::Restricted => house.keys().hold_back(&stream).await?,
        ErasureStanding::Requested | ErasureStanding::Refused => {
            house.keys().give_back(&stream).await?;
        }
    }
    Ok(())
}

/// What somebody searched for, and why they read, is theirs as well: the streams that hold it.
fn records(views: &Views, subject: Erasable) -> anyhow::Result<Vec<String>> {
    if subject.kind != ErasableKind::User {
        return Ok(Vec::new());
    }
    let found = reads::accesses_of(&views.reader()?, UserId(subject.id))?;
    Ok(found.into_iter().map(|access| format!("{}-{access}", Access::CATEGORY)).collect())
}

/// Before anybody reads: views made before something was forgotten or hidden are removed, to be folded anew.
pub(crate) fn remove_outdated_views(opened: &Opened) -> anyhow::Result<()> {
    let outdated = {
        let reader = Views::open(opened.dir.views()).and_then(|views| views.reader())?;
        erasures::outdated(&reader)?
    };
    if outdated {
        tracing::warn!(
            "the last process ended before the views were made anew: they are made anew now"
        );
        crate::rebuild::remove(&opened.dir.views())?;
        opened.dir.make_files(opened.replication.is_some())?;
    }
    Ok(())
}

/// Settles again every decision that the views know of; answers how many.
pub(crate) async fn settle_known(opened: &Opened) -> anyhow::Result<usize> {
    let views = Views::open(opened.dir.views())?;
    let known = erasures::hidden(&views.reader()?)?;
    for (subject, standing) in &known {
        let settled = settle(&opened.house, &views, *subject, *standing).await;
        settled.context("settling an erasure again")?;
    }
    Ok(known.len())
}

/// Once the views have caught up with what was there at the start: settles what they did not know before.
pub(crate) fn settle_late(
    opened: &Opened,
    projector: &Projector,
    known: usize,
    head: u64,
) -> anyhow::Result<()> {
    let forgetting = Forgetting::new(opened, projector)?;
    let (views, mut projected) = (opened.dir.views(), projector.projected());
    actix_web::rt::spawn(async move {
        if caught_up(&mut projected, head).await {
            let settled = settle_now(&forgetting, &views, known).await;
            if let Err(error) = settled {
                tracing::error!(error = %format!("{error:#}"), "an erasure could not be settled");
            }
        }
    });
    Ok(())
}

/// Sees to what was decided on other nodes, as soon as this one shows the decision.
///
/// Until the program ends; where a decision was made here it is seen to twice, which is harmless.
pub(crate) fn watch_others(opened: &Opened, projector: &Projector) -> anyhow::Result<()> {
    let forgetting = Forgetting::new(opened, projector)?;
    let mut projected = projector.projected();
    let mut known = forgetting.hidden()?;
    actix_web::rt::spawn(async move {
        while projected.changed().await.is_ok() {
            projected.borrow_and_update();
            while let Err(error) = forgetting.see_to_changes(&mut known).await {
                tracing::error!(
                    error = %format!("{error:#}"),
                    "an erasure that was decided elsewhere could not be settled; it is tried again"
                );
                tokio::time::sleep(REST).await;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    Ok(())
}

impl Forgetting {
    /// What must not be shown now, as this node's views know it.
    fn hidden(&self) -> anyhow::Result<BTreeMap<Erasable, ErasureStanding>> {
        Ok(erasures::hidden(&self.views.reader()?)?.into_iter().collect())
    }

    /// Sees to each subject that stands otherwise than it was known to.
    async fn see_to_changes(
        &self,
        known: &mut BTreeMap<Erasable, ErasureStanding>,
    ) -> anyhow::Result<()> {
        let now = self.hidden()?;
        for (subject, standing) in &now {
            if known.get(subject) != Some(standing) {
                self.see_to(*subject, *standing).await?;
                known.insert(*subject, *standing);
            }
        }
        let shown: Vec<Erasable> =
            known.keys().filter(|subject| !now.contains_key(*subject)).copied().collect();
        for subject in shown {
            self.see_to(subject, ErasureStanding::Requested).await?;
            known.remove(&subject);
        }
        Ok(())
    }
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
