//! The API over HTTP: the real server on port 0 over a memory log, with a clock that stands still.
#![expect(
    clippy::indexing_slicing,
    clippy::similar_names,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "tests: what is not as expected may panic, and tables are long"
)]

mod audit;
mod bad_input;
mod balky;
mod document;
mod exports;
mod headers;
mod ledger;
mod login;
mod pass;
mod reading;
mod strangers;
mod tokens;
mod unsound;
mod world;
