//! Real PostgreSQL servers for tests: from Debian's programs, in a temporary directory, gone afterwards.
//!
//! Read in this order: [`server`] (one server: start it, kill it, pause it), [`pair`] (a primary
//! and its synchronous standby, and failing over), `template` (the data directory all begin with),
//! `tls` (certificates), `home` (the directory and the watchdog that clears it away even when the
//! test is killed), `processes` (what runs there), `programs` (which binaries, and as whom),
//! `ports` (where to listen).
//!
//! Everything blocks and nothing is skipped: without PostgreSQL on the machine every start is an
//! error that says what to install. Linux only, because it looks into `/proc`.

mod home;
pub mod pair;
mod ports;
mod processes;
mod programs;
pub mod server;
mod template;
mod tls;

pub use pair::{Pair, Rejoined};
pub use server::Server;
