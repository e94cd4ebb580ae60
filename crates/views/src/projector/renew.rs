//! Making the views anew while they are read: a second file, folded from the first entry on, takes the place of the first.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use super::{BEHIND, pump};
use crate::db::{Views, position, remove, with_end, writer};
use crate::error::{Result, ViewError};
use crate::rebuild::build;
use crate::rows::Tables;

/// How often a new file is brought up with a journal that goes on growing, before it is taken as it is.
const ROUNDS_MAX: usize = 8;

/// How far the making of new views is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RenewalState {
    /// Nothing is made.
    #[default]
    Resting,
    /// New views are folded.
    Folding {
        /// Up to here.
        position: u64,
        /// Of so many entries.
        head: u64,
    },
}

/// How the renewals of a file fare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewal {
    /// How often one was asked for.
    pub asked: u64,
    /// Up to which asking new views are in place.
    pub renewed: u64,
    /// The last asking whose renewal failed, or 0: the views stayed as they were.
    pub failed: u64,
    /// Why it failed.
    pub reason: Option<String>,
    /// What is done now.
    pub state: RenewalState,
    /// Whether the projector ended, and with it all renewals.
    pub over: bool,
}

/// The views were not made anew; they are as they were.
#[derive(Debug, thiserror::Error)]
#[error("the views were not made anew: {0}")]
pub struct NotRenewed(pub String);

/// Asks a running projector for new views.
#[derive(Clone, Debug)]
pub struct Renewer {
    renewals: Arc<watch::Sender<Renewal>>,
    wake: Arc<Notify>,
}

impl Renewer {
    pub(super) fn new() -> Self {
        let (renewals, _) = watch::channel(Renewal::default());
        Self { renewals: Arc::new(renewals), wake: Arc::new(Notify::new()) }
    }

    /// Asks for views made anew with the keys as they are from now on; answers the number of the asking.
    ///
    /// What is being made already may have been folded with other keys: another is made after it.
    pub fn renew(&self) -> u64 {
        let mut asked = 0;
        self.renewals.send_modify(|renewal| {
            renewal.asked = renewal.asked.saturating_add(1);
            asked = renewal.asked;
        });
        self.wake.notify_one();
        asked
    }

    /// Asks for new views and waits until they are in place.
    ///
    /// # Errors
    ///
    /// Where they could not be made, and where the projector ended before.
    pub async fn renewed(&self) -> std::result::Result<(), NotRenewed> {
        let mut watch = self.renewals.subscribe();
        let asked = self.renew();
        let answered = |now: &Renewal| now.over || now.renewed >= asked || now.failed >= asked;
        let Ok(now) = watch.wait_for(answered).await.map(|now| now.clone()) else {
            return Err(NotRenewed("the projector ended".to_owned()));
        };
        if now.renewed >= asked {
            return Ok(());
        }
        let reason = now.reason.filter(|_| now.failed >= asked);
        Err(NotRenewed(reason.unwrap_or_else(|| "the projector ended".to_owned())))
    }

    /// How renewals fare now.
    pub fn status(&self) -> Renewal {
        self.renewals.borrow().clone()
    }

    /// A watch on how renewals fare.
    pub fn watch(&self) -> watch::Receiver<Renewal> {
        self.renewals.subscribe()
    }

    /// Waits until somebody asks, or until new views are ready.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The asking that waits for new views, if one does.
    pub(super) fn waiting(&self) -> Option<u64> {
        let now = self.renewals.borrow();
        (now.asked > now.renewed.max(now.failed)).then_some(now.asked)
    }

    pub(super) fn folding(&self, position: u64, head: u64) {
        let state = RenewalState::Folding { position, head };
        self.renewals.send_modify(|renewal| renewal.state = state);
    }

    pub(super) fn done(&self, asked: u64) {
        self.renewals.send_modify(|renewal| {
            renewal.renewed = asked;
            renewal.reason = None;
            renewal.state = RenewalState::Resting;
        });
    }

    pub(super) fn failed(&self, asked: u64, error: &ViewError) {
        tracing::error!(%error, "the views could not be made anew; they stay as they were");
        self.renewals.send_modify(|renewal| {
            renewal.failed = asked;
            renewal.reason = Some(error.to_string());
            renewal.state = RenewalState::Resting;
        });
    }

    pub(super) fn over(&self) {
        self.renewals.send_modify(|renewal| {
            renewal.over = true;
            renewal.state = RenewalState::Resting;
        });
    }
}

/// New views in the making, on a thread of their own.
#[derive(Debug)]
pub(super) struct Making {
    /// Which asking they answer.
    pub(super) asked: u64,
    /// Where they are made.
    pub(super) shadow: PathBuf,
    made: Receiver<Result<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What new views are made of.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) keys: Arc<KeyRing>,
    pub(super) runtime: Handle,
}

impl Making {
    /// Begins to make new views beside the live ones.
    pub(super) fn begin(
        views: &Views,
        asked: u64,
        sources: Sources,
        renewer: Renewer,
    ) -> Result<Self> {
        let live = views.path().to_path_buf();
        let shadow = shadow_of(&live);
        let (sender, made) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (told, target) = (Arc::clone(&stop), shadow.clone());
        let work = move || {
            let progress = |done, head| {
                renewer.folding(done, head);
                if told.load(Ordering::Relaxed) { Err(stopped()) } else { Ok(()) }
            };
            let result = make(&live, &target, &sources, progress);
            if result.is_err()
                && let Err(error) = remove(&target)
            {
                tracing::warn!(%error, "unfinished views could not be removed");
            }
            // Where nobody listens any more, nobody needs to hear.
            let _ = sender.send(result);
            renewer.wake.notify_one();
        };
        let thread = std::thread::Builder::new().name("assay-renewal".to_owned()).spawn(work)?;
        Ok(Self { asked, shadow, made, stop, thread: Some(thread) })
    }

    /// How it went, once it is done.
    pub(super) fn result(&self) -> Option<Result<()>> {
        match self.made.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                let panicked = std::io::Error::other("the making of new views panicked");
                Some(Err(panicked.into()))
            }
        }
    }

    /// Stops it, waits for it and removes what it made.
    pub(super) fn cancel(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the making of new views panicked");
        }
        if let Err(error) = remove(&self.shadow) {
            tracing::warn!(%error, "unfinished views could not be removed");
        }
    }
}

/// Where new views are made: beside the live ones.
pub(super) fn shadow_of(live: &Path) -> PathBuf {
    with_end(live, ".new")
}

fn stopped() -> ViewError {
    std::io::Error::new(std::io::ErrorKind::Interrupted, "the projector was stopped").into()
}

/// Folds the whole journal into a new file, and what came meanwhile, until little is left.
fn make(
    live: &Path,
    shadow: &Path,
    sources: &Sources,
    mut progress: impl FnMut(u64, u64) -> Result<()>,
) -> Result<()> {
    let Sources { journal, keys, runtime } = sources;
    remove(shadow)?;
    // As private as the live file from the first byte on.
    File::create(shadow)?.set_permissions(std::fs::metadata(live)?.permissions())?;
    build(shadow, journal, keys, runtime, &mut progress)?;
    let mut conn = writer(shadow)?;
    for _ in 0..ROUNDS_MAX {
        if journal.head()?.saturating_sub(position(&conn)?) <= BEHIND {
            break;
        }
        pump(&mut conn, &mut Tables::default(), journal, keys, runtime, &mut progress)?;
    }
    conn.close().map_err(|(_, error)| error)?;
    // Here, not while somebody waits for it.
    File::open(shadow)?.sync_all()?;
    Ok(())
}
