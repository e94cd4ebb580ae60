//! A harness that starts the real binary on port 0 and speaks HTTP to it, as its users do.

pub mod bench;
mod client;
mod nodes;
mod server;

pub use client::{Answer, Client};
pub use nodes::Nodes;
pub use server::{Server, assay, run, run_failing};
