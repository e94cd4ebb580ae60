//! A double of KurrentDB: its gRPC protocol, spoken on 127.0.0.1 to the official client, with switches for what goes wrong.
//!
//! Written from the public behaviour of the protocol and from what the client sends and expects; everything is kept in
//! memory, and the memory plays the disk: it outlives a stopped node, and the nodes of a cluster share it.
//!
//! It serves reading, subscribing, appending, gossip and the list of features; `$maxCount` in a stream's metadata; and a
//! check of user and password. Everything else (persistent subscriptions, projections, batches, deletion) is answered
//! «unimplemented».
//!
//! **What it does not prove**
//!
//! - *Elections and replication*: the test says who leads ([`Double::lead`]); there are no votes, no lag of followers, no
//!   unacknowledged writes that a new leader truncates.
//! - *TLS and certificates*: plaintext on the loopback only. *Access rules*: one login for all, no lists of rights.
//! - *Speed, size and disks*: everything is in memory, nothing is written or synchronised.
//! - *Scavenging*: `$all` keeps for ever what a stream's `$maxCount` hides.
//! - *The exact words and codes* of rare refusals (a position inside a record, a bad pattern). Patterns are of Rust's
//!   dialect, not of .NET's.
//! - *Pages*: a read sees the log as it was when the read began, however slowly it is fetched.
//! - *Truncation* by `$maxAge` or `$tb`, and every other key of a stream's metadata, is not honoured.
//! - Idempotency of `Any` never forgets here; the real one remembers only the latest writes.
//!
//! In reading order: `records` (the log), `filter`, `faults`, `members`, `shared` (all of these together), `answers`
//! (messages and statuses), `request` (what a client asks), `outlet` and `subscription` (streams of answers), `streams`
//! and `about` (the services), `socket`, `node`, `double`, `control`.

#![expect(
    clippy::result_large_err,
    reason = "a status is what every step of a server of this kind answers"
)]

mod about;
mod answers;
mod control;
mod double;
mod faults;
mod filter;
mod members;
mod node;
mod outlet;
mod records;
mod request;
mod shared;
mod socket;
mod streams;
mod subscription;
mod wire;

pub use control::control;
pub use double::Double;
pub use faults::{Faults, Happened};
