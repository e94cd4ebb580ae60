//! A case on its way: entries, disclosed keys and proofs in one file, and the verifier that needs no server.
//!
//! Read in this order: [`limits`] (how large anything may be), [`manifest`] and [`line`](mod@line) (what the members
//! say), [`write`](mod@write) (how a bundle is made), [`trust`] (whom its reader trusts), [`report`] (what the reader
//! is told), [`verify`](mod@verify) (every check), [`open`] (a bundle that holds, to be taken over), [`mirror`]
//! (the same for a mirror of a whole log). Beneath them: `layout` and `container` (the ZIP file, to the byte), `keys`
//! and `sealed` (what disclosed keys open), `streams` (what can be missing). Every byte is described in
//! `docs/verification.md`.
//!
//! Nothing here knows a network, a clock or chance. The keys that decide are the caller's, never the file's.

mod container;
mod error;
#[cfg(feature = "fixtures")]
pub mod fixtures;
mod keys;
mod layout;
pub mod limits;
pub mod line;
pub mod manifest;
pub mod mirror;
pub mod open;
pub mod report;
mod sealed;
mod streams;
mod text;
pub mod trust;
pub mod verify;
pub mod write;

pub use error::BundleError;
pub use line::{Data, Line};
pub use manifest::{Manifest, Withheld};
pub use mirror::{Directory, MirrorFiles, verify_tiles};
pub use open::{Bundle, open_verified};
pub use report::{Check, CheckName, Report, State};
pub use trust::Trust;
pub use verify::verify;
pub use write::{About, Disclosure, Failure, Order, Written, write};

/// What stands in every bundle's `README.txt`, byte for byte: a part of the format.
pub const README: &str = include_str!("readme.txt");
