//! Moving a house as a whole: its log into another one, a backup of it, and the way back.
//!
//! Read in this order. Copying a log: `reading` (a log up to the head it had), `fold` (the ledger over
//! what was read), `group` (entries as appends), `copying` (from one log into another), `vault` (the keys
//! and secrets that belong to it), `keys` (those that sign its checkpoints), `stores` (where both are), `log` (all of it as a command). Backups:
//! `files` (copying and bringing to disk), `manifest` (what a backup says of itself), `backup` (making
//! one), `verify` (is it right?), `restore` (putting it in place).

mod backup;
mod copying;
mod files;
mod fold;
mod group;
mod keys;
mod log;
mod manifest;
mod reading;
mod restore;
mod stores;
#[cfg(test)]
mod testing;
mod vault;
mod verify;

pub(crate) use backup::run as backup;
pub(crate) use log::run as copy;
pub(crate) use restore::run as restore;
