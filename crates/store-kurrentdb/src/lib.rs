//! The log and the vault on KurrentDB.
