//! The projector: a thread of its own that keeps the views up with the journal, and stops at what it cannot read.

mod pump;
mod renew;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use assay_store::journal::Journal;
use assay_store::keyring::KeyRing;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::db::{Views, position, remove, with_end, writer};
use crate::error::{Result, ViewError};
use crate::rows::Tables;

pub(crate) use pump::{must_be_of, pump, step};
use renew::{Making, Sources, shadow_of};
pub use renew::{NotRenewed, Renewal, RenewalState, Renewer};

/// How long the projector sleeps at most before it looks for itself.
const NAP: Duration = Duration::from_secs(1);
/// How far behind it must be to decode and write at the same time.
const BEHIND: u64 = 4_000;

/// How the projector fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It keeps up.
    Running,
    /// It waits for something that is away and will try again.
    Waiting {
        /// For what.
        reason: String,
    },
    /// It met something it cannot read, and projects nothing after it.
    Failed {
        /// Where.
        position: u64,
        /// Why.
        reason: String,
    },
    /// It was stopped.
    Stopped,
}

/// A running projector.
#[derive(Debug)]
pub struct Projector {
    projected: watch::Receiver<u64>,
    status: watch::Receiver<Status>,
    stop: watch::Sender<bool>,
    renewer: Renewer,
    thread: Option<JoinHandle<()>>,
}

/// Starts projecting a journal into a file of views, on a thread of its own.
pub fn start(
    views: impl AsRef<Path>,
    journal: Arc<dyn Journal>,
    keys: Arc<KeyRing>,
    runtime: Handle,
) -> Result<Projector> {
    let views = Views::open(views)?;
    // What an earlier process left unfinished.
    remove(&shadow_of(views.path()))?;
    remove(&with_end(views.path(), ".old"))?;
    let conn = writer(views.path())?;
    must_be_of(&conn, journal.as_ref())?;
    let renewer = Renewer::new();
    let (projected_tx, projected) = watch::channel(position(&conn)?);
    let (status_tx, status) = watch::channel(Status::Running);
    let (stop, stopped) = watch::channel(false);
    let worker = Worker {
        views,
        conn,
        tables: Tables::default(),
        journal,
        keys,
        runtime,
        projected: projected_tx,
        status: status_tx,
        stop: stopped,
        renewer: renewer.clone(),
        making: None,
    };
    let thread = std::thread::Builder::new()
        .name("assay-projector".to_owned())
        .spawn(move || worker.run())?;
    Ok(Projector { projected, status, stop, renewer, thread: Some(thread) })
}

impl Projector {
    /// A watch on the last position projected.
    pub fn projected(&self) -> watch::Receiver<u64> {
        self.projected.clone()
    }

    /// How it fares now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// A watch on how it fares.
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Asks for views made anew while they are read: after something was forgotten, hidden or shown
    /// again. Answers the number of the asking; [`Renewer::status`] says how far it is.
    pub fn renew(&self) -> u64 {
        self.renewer.renew()
    }

    /// A handle to ask for new views with, for whoever does not have the projector.
    pub fn renewer(&self) -> Renewer {
        self.renewer.clone()
    }

    /// Projects what the journal has, then ends. Blocks until it has ended.
    pub fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the projector panicked");
        }
    }
}

struct Worker {
    views: Views,
    conn: Connection,
    tables: Tables,
    journal: Arc<dyn Journal>,
    keys: Arc<KeyRing>,
    runtime: Handle,
    projected: watch::Sender<u64>,
    status: watch::Sender<Status>,
    stop: watch::Receiver<bool>,
    renewer: Renewer,
    making: Option<Making>,
}

/// Says that there are no renewals any more, also where the projector panics.
struct Over(Renewer);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.over();
    }
}

impl Worker {
    fn run(mut self) {
        let _over = Over(self.renewer.clone());
        let last = self.work();
        if let Some(making) = self.making.take() {
            making.cancel();
        }
        self.say(last);
    }

    /// Projects until it is stopped or cannot go on; how it ended.
    fn work(&mut self) -> Status {
        let mut wake = self.journal.watch();
        loop {
            let stopping = *self.stop.borrow();
            self.renew();
            match self.advance() {
                Ok(true) => self.say(Status::Running),
                Ok(false) if stopping => return Status::Stopped,
                Ok(false) => {
                    self.say(Status::Running);
                    self.nap(&mut wake);
                }
                Err(error) if error.passes() && !stopping => {
                    tracing::warn!(%error, "the projector waits");
                    self.say(Status::Waiting { reason: error.to_string() });
                    self.nap(&mut wake);
                }
                Err(error) => {
                    let at = position(&self.conn).unwrap_or_default().saturating_add(1);
                    let position = match &error {
                        ViewError::Unreadable { position, .. } => *position,
                        _ => at,
                    };
                    tracing::error!(position, %error, "the projector stops");
                    return Status::Failed { position, reason: error.to_string() };
                }
            }
        }
    }

    /// Begins to make new views where somebody asked, and moves into them once they are made.
    fn renew(&mut self) {
        if let Some(making) = &self.making {
            let Some(made) = making.result() else { return };
            let (asked, shadow) = (making.asked, making.shadow.clone());
            self.making = None;
            match made.and_then(|()| self.move_in(&shadow)) {
                Ok(()) => self.renewer.done(asked),
                Err(error) => self.renewer.failed(asked, &error),
            }
        }
        let Some(asked) = self.renewer.waiting() else { return };
        let (journal, keys) = (Arc::clone(&self.journal), Arc::clone(&self.keys));
        let sources = Sources { journal, keys, runtime: self.runtime.clone() };
        match Making::begin(&self.views, asked, sources, self.renewer.clone()) {
            Ok(making) => self.making = Some(making),
            Err(error) => self.renewer.failed(asked, &error),
        }
    }

    /// Brings new views up to where the live ones are, and puts them in their place.
    fn move_in(&mut self, shadow: &Path) -> Result<()> {
        let known = position(&self.conn)?;
        let (mut fresh, mut tables) = (writer(shadow)?, Tables::default());
        // Nobody who has seen an entry sees it gone.
        while position(&fresh)? < known {
            step(&mut fresh, &mut tables, &self.journal, &self.keys, &self.runtime)?;
        }
        fresh.close().map_err(|(_, error)| error)?;
        File::open(shadow)?.sync_all()?;
        let old = std::mem::replace(&mut self.conn, Connection::open_in_memory()?);
        self.tables.clear();
        let moved = self.views.replace(shadow, old);
        let conn = moved.or_else(|error| {
            tracing::error!(%error, "new views could not be put in place");
            self.conn = self.views.writer()?;
            Err(error)
        });
        self.conn = conn?;
        Ok(())
    }

    /// Projects what is there; whether there was anything.
    fn advance(&mut self) -> Result<bool> {
        let before = position(&self.conn)?;
        let behind = self.journal.head()?.saturating_sub(before);
        let (journal, keys) = (&self.journal, &self.keys);
        let (conn, tables) = (&mut self.conn, &mut self.tables);
        let result = if behind > BEHIND {
            pump(conn, tables, journal, keys, &self.runtime, |done, _| {
                self.projected.send_replace(done);
                Ok(())
            })
        } else {
            step(conn, tables, journal, keys, &self.runtime)
        };
        let after = position(&self.conn)?;
        self.projected.send_if_modified(|seen| std::mem::replace(seen, after) != after);
        result.map(|()| after > before)
    }

    fn say(&self, status: Status) {
        self.status.send_if_modified(|known| {
            let new = *known != status;
            *known = status;
            new
        });
    }

    fn nap(&self, wake: &mut watch::Receiver<u64>) {
        let mut stop = self.stop.clone();
        self.runtime.block_on(async {
            let woken = async {
                // Without a sender nobody wakes us: the nap does.
                if wake.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = woken => (),
                () = self.renewer.woken() => (),
                _ = stop.wait_for(|stop| *stop) => (),
                () = tokio::time::sleep(NAP) => (),
            }
        });
    }
}

/// Projects until the journal's head, decoding and writing at the same time; for the console and tests.
///
/// `progress` hears how far it is and where it is going. Answers the position reached.
pub fn catch_up(
    views: &Views,
    journal: &Arc<dyn Journal>,
    keys: &Arc<KeyRing>,
    runtime: &Handle,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64> {
    let mut conn = writer(views.path())?;
    must_be_of(&conn, journal.as_ref())?;
    pump(&mut conn, &mut Tables::default(), journal, keys, runtime, |done, head| {
        progress(done, head);
        Ok(())
    })?;
    position(&conn)
}

#[cfg(test)]
mod tests;
