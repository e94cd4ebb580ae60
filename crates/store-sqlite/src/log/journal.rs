//! The file as the node's journal.

use assay_ledger::Frontier;
use assay_store::journal::{Entry, Journal};
use assay_store::leaf::LeafHash;
use assay_store::log::{LogError, Token};
use tokio::sync::watch;
use uuid::Uuid;

use super::SqliteLog;

impl Journal for SqliteLog {
    fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, LogError> {
        self.readers.entries(after, limit)
    }

    fn leaves(&self, after: u64, limit: usize) -> Result<Vec<LeafHash>, LogError> {
        self.readers.leaves(after, limit)
    }

    fn head(&self) -> Result<u64, LogError> {
        Journal::head(&*self.readers)
    }

    fn watch(&self) -> watch::Receiver<u64> {
        Journal::watch(&*self.readers)
    }

    fn locate(&self, fact: Uuid) -> Result<Option<Entry>, LogError> {
        self.readers.locate(fact)
    }

    fn position_at(&self, recorded_at: i64) -> Result<u64, LogError> {
        self.readers.position_at(recorded_at)
    }

    fn reached(&self, token: Token) -> Result<Option<u64>, LogError> {
        self.readers.reached(token)
    }

    fn frontier(&self) -> Result<Frontier, LogError> {
        self.readers.frontier()
    }
}
