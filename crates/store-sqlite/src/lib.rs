//! The embedded store: `journal.db` is log and journal in one SQLite file, `vault.db` the vault beside it.
//!
//! Read in this order: [`error`] (why a file is refused), `connection` (how every connection is
//! made), `schema` (the tables), `shape` (whether they still are what was made), `origin`
//! (whose facts the journal holds), `rows` (a row as an entry), `readers` (reading), `batch` (a group
//! of appends in one transaction), `writer` (the one thread that writes), `checkpoint` (moving the
//! WAL into the file), [`log`] (all of it as a log), `summary` (what the file
//! says of itself), [`check`] (is the file still right?), `backup` (a copy while it is in use),
//! `worker` (a thread for the vault's writes), [`vault`] (keys and secrets). With the feature
//! `tamper`, and never without, `tamper` changes a journal behind its back, for tests.

mod backup;
mod batch;
pub mod check;
mod checkpoint;
mod connection;
pub mod error;
pub mod log;
mod origin;
mod readers;
mod rows;
mod schema;
mod shape;
mod stats;
mod summary;
#[cfg(feature = "tamper")]
pub mod tamper;
pub mod vault;
mod worker;
mod writer;

pub use backup::{backup_journal, backup_vault};
pub use check::{Checked, Fault, JournalReport, check_journal, check_journal_at};
pub use error::OpenError;
pub use log::{Options, SqliteLog, TAKE_FACTS_MAX};
pub use stats::Stats;
pub use summary::{JournalSummary, first_stream, journal_summary};
pub use vault::{SqliteVault, VaultFault, VaultReport, VaultRow};
