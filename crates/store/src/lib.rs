//! The event log as a trait: names and bytes in one order for ever, and nothing of what they mean.
//!
//! Read in this order: [`fact`] (what is stored), [`log`] (how it is appended and followed),
//! [`journal`] (this node's dense copy, which everything that reads reads), [`follow`] (how it
//! is followed), [`replica`] (a journal filled from a log elsewhere), [`leaf`] (what of an entry is committed to the ledger), [`vault`] (keys and secrets beside the log), [`master`] (the
//! key that wraps them), [`mac`] (proof that we wrote it), [`seals`] (a vault's rows under both), [`checked`] (what checking them says), [`seal`] (personal data under those keys), [`keyring`] (keys at hand),
//! [`recent`] (the bounded map behind it), [`memory`] (all of it without a disk), [`contract`]
//! (what every implementation must pass).

pub mod checked;
pub mod contract;
pub mod fact;
pub mod follow;
pub mod journal;
pub mod keyring;
pub mod leaf;
pub mod log;
pub mod mac;
pub mod master;
pub mod memory;
pub mod recent;
pub mod replica;
pub mod seal;
pub mod seals;
pub mod vault;
