//! The one way a fact is made: authorise, load, decide, seal, append.
//!
//! Read in this order: `request` (who asks), `execute` (the way itself), then its steps: `load`,
//! `authorise`, `look_up`, `codec`; `forget` destroys keys; `take` brings in what another house wrote; `error` says how it can end otherwise.

mod authorise;
mod codec;
mod error;
mod execute;
mod forget;
mod load;
mod look_up;
mod request;
mod take;

pub use codec::{CodecError, decode};
pub use error::{Error, Fault, Since};
pub use execute::{ATTEMPTS_MAX, House};
pub use load::{Cached, Loaded};
pub use request::{Actor, Clock, HOUSE, Receipt, Request, Taken, event_id};
pub use take::Foreign;
