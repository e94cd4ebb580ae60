//! A thread that owns a connection and does one piece of work after the other.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use assay_store::vault::VaultError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::vault_error;

/// How many pieces of work may wait.
const QUEUE_MAX: usize = 1_024;

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// A queue of work in front of a connection; dropping it finishes what waits.
pub(crate) struct Worker {
    queue: Option<SyncSender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(name: &str, mut connection: Connection) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel::<Work>(QUEUE_MAX);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Ok(work) = waiting.recv() {
                work(&mut connection);
            }
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Does a piece of work and waits for its answer without blocking the caller's thread.
    ///
    /// The work's own error is inside: SQLite's is outside, so that `?` works in both.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<Result<T, VaultError>> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let done = work(connection).map_err(|error| vault_error(&error)).flatten();
            // Whoever went away does not need the answer.
            let _gone = answer.send(done);
        });
        let closed = || VaultError::Unavailable("it is closed".to_owned());
        self.queue.as_ref().ok_or_else(closed)?.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => VaultError::Unavailable("too much is waiting".to_owned()),
            TrySendError::Disconnected(_) => closed(),
        })?;
        answered.await.map_err(|_| closed())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.queue.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the vault's thread panicked");
        }
    }
}
