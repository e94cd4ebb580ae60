//! The schedule: sign when there is something new, show it to everybody in their own time, and look who is late.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::anchor::off;
use crate::error::NotaryError;
use crate::notary::{Notary, NotaryState};
use crate::words::{gauge, micros, seconds};

/// How often it is looked who is late.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The longest wait until it is looked again what an anchor needs.
const SLEEP_MAX: Duration = Duration::from_mins(1);

/// The shortest wait between two looks at anything, so that nothing spins.
const REST: Duration = Duration::from_millis(100);

/// How long it is waited before signing is tried again after it failed.
const SIGN_AGAIN: Duration = Duration::from_secs(5);

impl Notary {
    /// Signs, shows and looks until `stop` is true or its sender is gone. Never blocks the executor.
    pub async fn run(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(&self).sign_on(stop.clone()));
        tasks.spawn(Arc::clone(&self).look_on(stop.clone()));
        for index in 0..self.anchors.len() {
            tasks.spawn(Arc::clone(&self).send_on(index, stop.clone()));
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a part of the notary's schedule broke down");
            }
        }
    }

    /// Signs whenever the journal has grown, and at most once in each interval.
    async fn sign_on(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut journal = self.journal.watch();
        while !*stop.borrow() {
            // The clock may be set back: more than the interval is never waited.
            let wait = self.until(self.sign_at()).min(self.config.interval).max(REST);
            if rest(&mut stop, wait).await {
                return;
            }
            journal.borrow_and_update();
            let notary = Arc::clone(&self);
            let signed = tokio::task::spawn_blocking(move || notary.sign()).await;
            match signed {
                Ok(Ok(_) | Err(NotaryError::Nothing)) => {
                    tokio::select! {
                        () = stopped(&mut stop) => return,
                        changed = journal.changed() => if changed.is_err() { return },
                    }
                }
                Ok(Err(NotaryError::Refusing(_))) => return,
                Ok(Err(error)) => {
                    tracing::error!(%error, "no checkpoint could be signed");
                    if rest(&mut stop, SIGN_AGAIN).await {
                        return;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "signing broke down");
                    return;
                }
            }
        }
    }

    /// When the next checkpoint may be signed.
    fn sign_at(&self) -> i64 {
        let interval = micros(self.config.interval);
        self.latest().map_or(i64::MIN, |latest| latest.signed_at.saturating_add(interval))
    }

    /// Sends one anchor whatever is due; however slow it is, nobody waits for it.
    async fn send_on(self: Arc<Self>, index: usize, mut stop: watch::Receiver<bool>) {
        let mut latest = self.latest.subscribe();
        let mut turn = self.config.anchoring.clone();
        while !*stop.borrow() {
            tokio::select! {
                () = stopped(&mut stop) => return,
                () = our_turn(&mut turn) => {}
            }
            latest.borrow_and_update();
            tokio::select! {
                () = stopped(&mut stop) => return,
                _ = self.send(index) => {}
            }
            let notary = Arc::clone(&self);
            let at = off(move || Ok::<_, NotaryError>(notary.send_at(index))).await.ok().flatten();
            // The clock may be set back: nobody sleeps longer than a while.
            let wait = at.map_or(SLEEP_MAX, |at| self.until(at)).min(SLEEP_MAX);
            tokio::select! {
                () = stopped(&mut stop) => return,
                changed = latest.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait.max(REST)) => {}
            }
        }
    }

    async fn look_on(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            let notary = Arc::clone(&self);
            if let Err(why) = tokio::task::spawn_blocking(move || notary.look()).await {
                tracing::error!(%why, "looking who is late broke down");
            }
            if rest(&mut stop, LOOK_EVERY).await {
                return;
            }
        }
    }

    /// Says in metrics and in the log how it stands with checkpoints and anchors now.
    pub(crate) fn look(&self) {
        let now = self.now();
        metrics::gauge!("assay_checkpoint_size").set(gauge(self.published_size()));
        if let Some(latest) = self.latest() {
            let age = now.saturating_sub(latest.signed_at);
            metrics::gauge!("assay_checkpoint_age_seconds").set(seconds(age));
        }
        let refusing = matches!(self.state(), NotaryState::Refusing { .. });
        metrics::gauge!("assay_notary_refusing").set(f64::from(u8::from(refusing)));
        for anchor in &self.anchors {
            let status = self.status(anchor, now);
            let labels = [("anchor", anchor.name.clone())];
            // Whose turn it is not cannot know when another node showed it.
            let late = f64::from(u8::from(status.late && self.anchors_now()));
            metrics::gauge!("assay_anchor_late", &labels).set(late);
            if let Some(last) = status.last {
                let age = seconds(now.saturating_sub(last.at));
                metrics::gauge!("assay_anchor_age_seconds", &labels).set(age);
            }
            if self.anchors_now() {
                anchor.tell_lateness(&status);
            }
        }
    }

    /// Whether this node shows checkpoints to the anchors now.
    fn anchors_now(&self) -> bool {
        self.config.anchoring.as_ref().is_none_or(|turn| *turn.borrow())
    }

    /// How long it is until a moment; nothing once it has passed.
    fn until(&self, moment: i64) -> Duration {
        let wait = moment.saturating_sub(self.now());
        Duration::from_micros(u64::try_from(wait).unwrap_or(0))
    }
}

/// Waits, or hears meanwhile that it is time to stop.
async fn rest(stop: &mut watch::Receiver<bool>, wait: Duration) -> bool {
    tokio::select! {
        () = stopped(stop) => true,
        () = tokio::time::sleep(wait) => false,
    }
}

/// Waits until this node is the one that shows checkpoints to the anchors.
async fn our_turn(turn: &mut Option<watch::Receiver<bool>>) {
    if let Some(turn) = turn
        && turn.wait_for(|ours| *ours).await.is_err()
    {
        // Nobody decides any more: the house closes.
        std::future::pending::<()>().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    let _gone = stop.wait_for(|stop| *stop).await;
}
