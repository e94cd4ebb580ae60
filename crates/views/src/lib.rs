//! Facts become versioned rows; rows become answers, now or as of any past position.
//!
//! Read in this order: [`at`] (now or a past position), [`page`] (what an answer looks like),
//! [`db`] (the file and its readers), [`members`] (who sees what: the only maker of a
//! [`members::Sight`]), then one module a subject, each with its table, its fold and its queries:
//! [`users`], [`cases`], [`sources`], [`reports`], [`coverage`], [`claims`], [`links`],
//! [`contradictions`], [`queue`], [`findings`], [`reads`], [`replays`], [`erasures`], [`adoptions`],
//! [`log_keys`], [`history`], [`changes`], [`search`], [`diff`], [`steps`], [`state`], [`reach`],
//! [`select`]. [`projector`] keeps the file up with the journal, [`rebuild`] makes it anew, [`dump`]
//! prints it in one order.

pub mod adoptions;
pub mod at;
pub mod cases;
pub mod changes;
pub mod claims;
pub mod contradictions;
pub mod coverage;
pub mod db;
pub mod diff;
pub mod doc;
pub mod dump;
pub mod erasures;
pub mod error;
pub mod findings;
pub mod history;
pub mod links;
pub mod log_keys;
pub mod members;
pub mod page;
pub mod projector;
pub mod queue;
pub mod reach;
pub mod reads;
pub mod rebuild;
pub mod replays;
pub mod reports;
pub mod search;
pub mod select;
pub mod sources;
pub mod state;
pub mod steps;
pub mod users;

mod assertions;
mod fact;
mod list;
mod project;
mod renditions;
mod rows;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub use at::At;
pub use db::{Reader, Views};
pub use error::ViewError;
pub use members::Sight;
pub use page::{Cursor, Document, Limit, Page};
