//! KurrentDB as the log and as the vault, spoken to by its official client.
//!
//! Read in this order: [`options`] (what one asks for), `address` (which addresses are taken),
//! [`error`] (what an error of the client means), `connection` (one client behind all calls, made
//! anew where it died), `reads` (pages of a stream and of `$all`), `wire` (a fact as an event),
//! `birth` (what [`prepare`] makes), `append` (optimistic appends that may be asked again), `tail`
//! (going on in `$all` without missing anything), `follow` (that as a follower), [`log`] (all of it
//! as a log), [`vault`] (keys and secrets).
//!
//! **Why nothing here subscribes.** When the server ends a subscription cleanly, the client asks
//! the ended stream again and again without ever giving the thread back: no timer, no abort and no
//! watchdog in the same process reaches it, and a core is gone for good. So a follower reads `$all`
//! in pages instead. It reads the last event of `$all` first and then asks for our events and those
//! of that event's stream: until it has met that very event it is not at the head, whatever an
//! answer cut short may look like. Its own process's appends wake it at once; those of other nodes
//! are seen at its next look, after [`follow::LOOK_PAUSE_MAX`] at most.

mod address;
mod append;
mod birth;
mod connection;
pub mod error;
pub mod follow;
pub mod log;
pub mod options;
mod reads;
mod tail;
pub mod vault;
mod wire;

pub use birth::prepare;
pub use error::OpenError;
pub use log::KurrentLog;
pub use options::Options;
pub use vault::{CheckError, Clock, KurrentVault, VaultFault, VaultReport, VaultRow};
