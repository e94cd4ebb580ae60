//! Moving the WAL into the file, beside the writer and without ever making it wait.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::connection;
use crate::error::OpenError;
use crate::stats::{Counters, add};

/// Checkpoints passively: at most one in each interval, none while nothing is written.
///
/// PASSIVE takes what no reader needs any more and waits for nobody. It never truncates: the WAL
/// is written again from its start, so that a commit does not have to extend the file.
pub(crate) struct Checkpointer {
    connection: Connection,
    counters: Arc<Counters>,
    interval: Duration,
}

impl Checkpointer {
    pub(crate) fn open(
        path: &Path,
        counters: Arc<Counters>,
        interval: Duration,
    ) -> Result<Self, OpenError> {
        Ok(Self { connection: connection::for_writing(path)?, counters, interval })
    }

    /// Works until the writer is gone.
    pub(crate) fn run(self, written: &Receiver<()>) {
        while written.recv().is_ok() {
            thread::sleep(self.interval);
            let passive =
                self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            match passive {
                Ok(()) => add(&self.counters.checkpoints, 1),
                // The writer's own automatic checkpoint is behind us; nothing is lost.
                Err(error) => tracing::warn!(%error, "a checkpoint failed"),
            }
        }
    }
}
