//! What sources say, with nothing rounded off: quantities, times, places, holders, hedges, grades, words.

mod anchor;
mod chain;
mod digest;
mod grade;
mod likelihood;
mod marking;
mod place;
mod quantity;
mod stance;
mod time;

pub use anchor::{Anchor, AnchorError, Quote, sha256_hex};
pub use chain::{Act, Chain, ChainLink, Directness, Holder, Number, Scope};
pub use digest::Digest;
pub use grade::{Credibility, Reliability};
pub use likelihood::{Confidence, Likelihood, Scheme};
pub use marking::Tlp;
pub use place::{FuzzyPlace, Precision, PrecisionCode, Relation, RelationKind};
pub use quantity::{Amount, CasualtyStatus, Exhaustive, Form, Quantity, QuantityFlag};
pub use stance::{Hedge, HedgeLevel, Polarity, Stance};
pub use time::{Bounds, Clock, Edge, Edtf, FuzzyTime, Match, Order, TimeAnchor, TimeOrder};
