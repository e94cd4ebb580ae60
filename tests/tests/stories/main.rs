//! Stories: the real binary, a real data directory, HTTP only.
#![expect(clippy::indexing_slicing, reason = "a story that does not go as told has failed")]

mod anchors;
mod auditor;
mod bad_input;
mod black_box;
mod crash;
mod demo;
mod elsewhere;
mod import;
mod moving;
mod second_verifier;
mod tamper;
mod team;
mod whole_job;
