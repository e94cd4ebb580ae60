//! The notary: signs what the journal holds, has it witnessed and timestamped, publishes it, and notices when that stops.
//!
//! Read in this order: [`config`] (what it is told), [`notary`] (what it is and how it opens), `sign` (the one way a
//! checkpoint comes to be), `reading` (tiles and proofs), [`anchor`] (everybody outside who is shown a checkpoint),
//! `run` (the schedule), [`mod@check`] (is all of it still right?). Beneath them: `edge` (the growing edge, in tiles),
//! `shelf` (full tiles on disk), `checkpoints` (signed notes on disk), `files` (how anything is written at all).
//!
//! Four rules are never broken. A checkpoint is never larger than the durable journal. It continues every checkpoint
//! signed before. It is on disk, and in the second place, before anybody is given it. A journal that is behind the
//! last signed checkpoint, or contradicts it, is not opened.

pub mod anchor;
pub mod check;
mod checkpoints;
pub mod config;
mod edge;
mod error;
mod files;
pub mod notary;
mod opening;
mod reading;
mod run;
mod second;
mod shelf;
mod sign;
#[cfg(test)]
mod tests;
mod words;

pub use anchor::{AnchorStatus, Failure, Success};
pub use check::{Fault, Known, LedgerReport, check};
pub use config::{AnchorConfig, AnchorKind, Config};
pub use error::NotaryError;
pub use notary::{Clock, Notary, NotaryState, Published};
