//! The double, driven by the official client.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests: what is not as expected may panic"
)]

mod append;
mod cluster;
mod faults;
mod process;
mod read;
mod subscribe;
mod world;
