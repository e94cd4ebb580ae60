//! The protocol's messages and servers, as generated from `proto/`.

#![expect(
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::as_conversions,
    reason = "generated"
)]
#![allow(dead_code, reason = "generated; an expectation of dead code counts as its use")]

include!(concat!(env!("OUT_DIR"), "/messages.rs"));
