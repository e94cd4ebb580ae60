//! The log and the vault on PostgreSQL, shared by many nodes; high availability is PostgreSQL's own.
//!
//! Read in this order: [`options`] (how to reach the server, and every limit), `address` (the URL
//! as hosts), [`error`] (what its errors mean), `session` (one connection), `readers` (several, for
//! reading), [`schema`] (the tables), `rows` (a row as a fact), `batch` (a group of appends, decided
//! in memory), `transaction` (a group, committed), `writer` (the one task that writes), `follow`
//! (following), [`log`] (all of it as a log), [`stats`] (what is counted), [`vault`] (keys and
//! secrets).

mod address;
mod batch;
pub mod error;
mod follow;
pub mod log;
pub mod options;
mod readers;
mod rows;
pub mod schema;
mod session;
pub mod stats;
mod transaction;
pub mod vault;
mod writer;

pub use error::OpenError;
pub use log::PostgresLog;
pub use options::Options;
pub use schema::prepare;
pub use stats::Stats;
pub use vault::{CheckError, Clock, PostgresVault, VaultFault, VaultReport, VaultRow};
