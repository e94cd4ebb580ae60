//! The log and the vault on PostgreSQL.
