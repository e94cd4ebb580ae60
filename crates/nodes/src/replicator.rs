//! The replicator: one task that fills this node's journal by following the log upstream.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assay_store::log::{Log, LogError, Token};
use assay_store::replica::Replica;
use futures_util::FutureExt as _;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::backoff::Backoff;
use crate::error::ClusterError;
use crate::following::{Ended, Following};
use crate::lag::watch_head;
use crate::overlap::End;
use crate::replicated::Replicated;
use crate::shared::Shared;
use crate::state::{Place, Progress, State};
use crate::{Clock, stopped};

/// How long the log's first answer is waited for.
const START_WAIT: Duration = Duration::from_secs(30);
/// How often whoever waits is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// How long following must have lasted to count as a success although nothing came.
const SETTLED_AFTER: Duration = Duration::from_secs(10);
/// How long the log's head is waited for by whoever waits to be caught up.
const HEAD_WAIT: Duration = Duration::from_secs(5);
/// How long it is waited until the log is asked again for its head.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// Fills a journal from a log until it is stopped or dropped.
pub struct Replication {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl fmt::Debug for Replication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replication, {:?}", self.progress())
    }
}

impl Replication {
    /// Starts to fill a journal from a log. Needs a runtime; the clock says microseconds since 1970 (UTC).
    ///
    /// A journal that is the log's copy already is served although the log is away, and followed
    /// on when it is back.
    ///
    /// # Errors
    ///
    /// `OtherLog` and `OwnEntries` where the journal is no copy of this log, `Upstream` where an
    /// empty journal cannot ask which log it is to copy, `Journal`.
    pub async fn start(
        upstream: Arc<dyn Log>,
        journal: Arc<dyn Replica>,
        clock: Clock,
    ) -> Result<Self, ClusterError> {
        let named = timeout(START_WAIT, upstream.log_id()).await;
        let named = named.unwrap_or(Err(LogError::Unavailable { outcome_unknown: false }));
        let copied = journal.upstream().map_err(ClusterError::Journal)?;
        match named {
            Ok(named) => adopt(&*journal, copied, named).await?,
            Err(LogError::Unavailable { .. }) if copied.is_some() => {
                tracing::warn!("the log upstream is away; this node shows what it has");
            }
            Err(error) => return Err(ClusterError::Upstream(error)),
        }
        let end = read_end(journal.clone()).await?;
        let shared = Arc::new(Shared::new(upstream, journal, clock, &end));
        let stop = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(replicate(shared.clone(), stop.subscribe()));
        tasks.spawn(watch_head(shared.clone(), stop.subscribe()));
        // Dropping the handle says stop, and lets a batch on its way arrive.
        Ok(Self { shared, stop, tasks: Mutex::new(Some(tasks)) })
    }

    /// The log as everything above is to see it.
    pub fn log(&self) -> Arc<dyn Log> {
        Arc::new(Replicated::new(self.shared.clone()))
    }

    /// What is being done, and word of every change.
    pub fn state(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.shared.progress()
    }

    /// How far behind this node is: 0 when all that is known of the log is here, otherwise how long
    /// ago the oldest head not reached yet was first seen.
    pub fn lag(&self) -> Duration {
        self.shared.lag()
    }

    /// Waits until all the log holds now is in the journal, and tells how far it is meanwhile, a few
    /// times a second. A log that is away is waited for; whoever wants a limit sets one around it.
    ///
    /// # Errors
    ///
    /// `Diverged` where it will never be there, `Stopped`.
    pub async fn caught_up(
        &self,
        mut on_progress: impl FnMut(Progress),
    ) -> Result<(), ClusterError> {
        let mut state = self.state();
        let mut place = self.shared.place.subscribe();
        let mut target: Option<Option<Token>> = None;
        loop {
            match &*state.borrow_and_update() {
                State::Diverged { why } => return Err(ClusterError::Diverged { why: why.clone() }),
                State::Stopped => return Err(ClusterError::Stopped),
                State::CatchingUp { .. } | State::Following | State::Away { .. } => {}
            }
            on_progress(self.progress());
            let rest = if let Some(target) = target {
                let reached = |place: &Place| place.checked && place.seen >= target;
                if reached(&place.borrow_and_update()) {
                    return Ok(());
                }
                TELL_EVERY
            } else {
                let head = timeout(HEAD_WAIT, self.shared.upstream.head()).await;
                if let Ok(Ok(head)) = head {
                    self.shared.saw(head);
                    target = Some(head);
                    continue;
                }
                ASK_AGAIN
            };
            let reached = async {
                match target {
                    Some(target) => place.wait_for(|p| p.checked && p.seen >= target).await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = reached => {}
                _ = state.changed() => {}
                () = sleep(rest) => {}
            }
        }
    }

    /// Stops it and waits until a batch on its way is in the journal. Harmless when done twice.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut tasks) = tasks {
            while tasks.join_next().await.is_some() {}
        }
    }
}

impl Drop for Replication {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        let tasks = self.tasks.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut tasks) = tasks {
            tasks.detach_all();
        }
    }
}

async fn read_end(journal: Arc<dyn Replica>) -> Result<End, ClusterError> {
    let end = tokio::task::spawn_blocking(move || End::of(&*journal)).await;
    let end = end.unwrap_or_else(|error| Err(LogError::Corrupt(error.to_string())));
    end.map_err(ClusterError::Journal)
}

async fn adopt(
    journal: &dyn Replica,
    copied: Option<Uuid>,
    named: Uuid,
) -> Result<(), ClusterError> {
    match journal.adopt(named).await {
        Ok(()) => Ok(()),
        Err(LogError::Invalid(_)) => {
            if let Some(copied) = copied {
                return Err(ClusterError::OtherLog { copied, named });
            }
            let entries = journal.head().map_err(ClusterError::Journal)?;
            Err(ClusterError::OwnEntries { entries, named })
        }
        Err(error) => Err(ClusterError::Journal(error)),
    }
}

/// Follows the log again and again, until it is stopped or contradicts the journal.
async fn replicate(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut backoff = Backoff::new();
    loop {
        let (before, began) = (shared.place(), Instant::now());
        let time = AssertUnwindSafe(follow_once(&shared, &mut stop)).catch_unwind().await;
        let ended = time.unwrap_or_else(|_| Ended::Away("following broke down".to_owned()));
        match ended {
            Ended::Stopped => break,
            Ended::Diverged(why) => {
                tracing::error!(%why, "this node's journal and the log upstream contradict each other");
                shared.enter(State::Diverged { why });
                return stopped(&mut stop).await;
            }
            Ended::Again(why) => tracing::warn!(why, "the log upstream is followed anew"),
            Ended::Away(why) => shared.away(why),
        }
        if shared.place() != before || began.elapsed() >= SETTLED_AFTER {
            backoff.succeeded();
        }
        metrics::counter!("assay_replication_restarts_total").increment(1);
        tokio::select! {
            () = stopped(&mut stop) => break,
            () = sleep(backoff.next()) => {}
        }
    }
    shared.enter(State::Stopped);
}

async fn follow_once(shared: &Arc<Shared>, stop: &mut watch::Receiver<bool>) -> Ended {
    let started = tokio::select! {
        () = stopped(stop) => return Ended::Stopped,
        started = Following::start(shared) => started,
    };
    match started {
        Ok(following) => following.run(stop).await,
        Err(ended) => ended,
    }
}
