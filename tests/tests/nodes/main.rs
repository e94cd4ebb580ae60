//! Several nodes over one log: the real binary on loopback, a real PostgreSQL (once the KurrentDB double), HTTP and the console.
#![expect(clippy::indexing_slicing, reason = "a story that does not go as told has failed")]

mod away;
mod console;
mod forgetting;
mod joining;
mod kurrentdb;
mod one_house;
mod one_key;
mod peers;
mod refusals;
mod restored;
mod revoked;
mod runner;
mod team;
