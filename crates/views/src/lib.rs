//! Facts become versioned rows; rows become answers, now or as of any past position.
//!
//! Read in this order: [`at`] (now or a past position), [`page`] (what an answer looks like),
//! [`db`] (the file and its readers), [`members`] (who sees what: the only maker of a
//! [`members::Sight`]), then one module a subject, each with its table, its fold and its queries:
//! [`users`], [`cases`], [`sources`], [`reports`], [`coverage`], [`claims`], [`links`],
//! [`contradictions`], [`queue`], [`history`], [`changes`], [`search`], [`diff`]. [`projector`]
//! keeps the file up with the journal, [`rebuild`] makes it anew, [`dump`] prints it in one order.

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
pub mod error;
pub mod history;
pub mod links;
pub mod members;
pub mod page;
pub mod projector;
pub mod queue;
pub mod rebuild;
pub mod reports;
pub mod search;
pub mod sources;
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
