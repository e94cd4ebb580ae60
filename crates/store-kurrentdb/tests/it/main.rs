//! The log and the vault on KurrentDB, against the protocol's double and, where there is one, a real server.
#![expect(clippy::unwrap_used, reason = "tests may")]

mod contract;
mod faults;
mod server;
mod traps;
mod vault;
