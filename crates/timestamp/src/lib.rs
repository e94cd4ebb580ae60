//! RFC 3161 timestamps: asking for one, and checking one without a network.
//!
//! Read in this order: [`request`] (what is asked), [`token`] (what an authority states), [`mod@verify`] (whether to
//! believe it), [`trust`] (whose word counts), [`error`] (every reason for saying no). Beneath them: `reply` and
//! `signed_data` (the envelopes), `certificate`, `signing_certificate`, `algorithm`, `name`, `time`, and DER itself in
//! `der` and `write`. For tests there is `stub`, an authority of one's own, behind the feature of the same name.
//!
//! The crate is pure: no disk, no network, no clock, no chance. The nonce is the caller's, and certificates are judged
//! at the time the token states, never at «now». What this cannot see is revocation: it asks nobody. (The `stub` alone
//! draws on chance: ECDSA needs it for every signature.)

mod algorithm;
mod certificate;
mod der;
pub mod error;
mod name;
mod oid;
mod reply;
pub mod request;
mod signed_data;
mod signing_certificate;
#[cfg(feature = "stub")]
pub mod stub;
mod time;
pub mod token;
pub mod trust;
pub mod verify;
mod write;

pub use algorithm::HashAlgorithm;
pub use error::TimestampError;
pub use reply::REPLY_BYTES_MAX;
pub use request::{QUERY_TYPE, REPLY_TYPE, Request};
pub use token::{Imprint, Statement};
pub use trust::{Anchor, Trust};
pub use verify::{Verified, verify, verify_imprint};
