//! A replay: a reader's walk through a case's past, saved with what was seen there, to go on with later.

mod drop;
mod goto;
mod save;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use drop::DropReplay;
pub use goto::GotoStep;
pub use save::SaveReplay;

use crate::aggregate::{Aggregate, Home, Stamp};
use crate::id::{CaseId, ReplayId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Reason, Title};
use crate::value::Digest;

/// What a case was at a moment, in two digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StateDigest {
    /// The RFC 6962 root over the leaves of the case's entries up to then: never changes.
    pub entries: Digest,
    /// SHA-256 over the rows shown of the case: changes only where something of it was erased since.
    pub shown: Digest,
}

/// What happened to a replay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// Somebody replayed a case and saved where they are.
    #[serde(rename = "replay.saved.v1")]
    Saved {
        /// Which replay this is.
        replay: ReplayId,
        /// Of which case.
        case: CaseId,
        /// What its owner calls it.
        title: Personal<Title>,
        /// From after this position.
        from: u64,
        /// Up to this position, included.
        to: u64,
        /// What the case was at `to`.
        state: StateDigest,
    },
    /// Its owner went to another step.
    #[serde(rename = "replay.went_to.v1")]
    WentTo {
        /// After which entry they stand.
        position: u64,
        /// What they noted there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Reason>>,
    },
    /// Its owner needs it no more.
    #[serde(rename = "replay.dropped.v1")]
    Dropped {},
}

/// What the rules ask of a replay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replay {
    /// Which replay this is, once saved.
    pub id: Option<ReplayId>,
    /// Of which case.
    pub in_case: Option<CaseId>,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// From after this position, up to that one.
    pub range: (u64, u64),
    /// Where its owner stands.
    pub position: u64,
    /// Whether it was dropped.
    pub dropped: bool,
}

impl Replay {
    fn place(&self) -> Home {
        self.in_case.map_or(Home::Nowhere, Home::Case)
    }

    fn must_be_of(&self, user: UserId) -> Result<(), Refusal> {
        if self.owner == Some(user) { Ok(()) } else { Err(Refusal::NotOwner) }
    }
}

impl Aggregate for Replay {
    const CATEGORY: &'static str = "replay";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Saved { replay, case, from, to, .. } => {
                self.id = Some(*replay);
                self.in_case = Some(*case);
                self.owner = Some(stamp.actor);
                self.range = (*from, *to);
                self.position = *from;
            }
            Event::WentTo { position, .. } => self.position = *position,
            Event::Dropped {} => self.dropped = true,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}

refusals! {
    Taken = Conflicting, "replay_exists", "a replay with this id exists already and is another";
    RangeInvalid = Invalid, "replay_range_invalid", "`from` is at most `to`";
    OutOfRange = Invalid, "replay_out_of_range", "the position lies outside the replay";
    NotOwner = Barred, "replay_not_owner", "only who saved a replay goes on with it";
    Gone = Conflicting, "replay_dropped", "the replay was dropped";
}
