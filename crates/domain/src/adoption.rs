//! An adoption: a case of another house taken over with its times, its actors and its proofs.

mod begin;
mod finish;
mod lead;
mod note_entries;
mod take;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::EnumCount;
use uuid::Uuid;

pub use begin::BeginAdoption;
pub use finish::FinishAdoption;
pub use lead::LeadHere;
pub use note_entries::NoteEntries;
pub use take::Take;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{AdoptionId, CaseId, UserId};
use crate::refusal::refusals;
use crate::text::{Passage, Phrase};
use crate::value::Digest;

/// Who somebody of the other house is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kinship {
    /// An account of ours, named by whoever took the case over.
    Mapped,
    /// An account made for them, that nobody logs in with.
    Foreign,
}

/// Somebody of the other house, and who they are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Their id there.
    pub there: UserId,
    /// Their id here.
    pub here: UserId,
    /// How that is known.
    pub how: Kinship,
}

/// Where an entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The fact's id there; here it stands as the cause of the fact that was taken over.
    pub fact: Uuid,
    /// Its position there.
    pub position: u64,
    /// Its leaf there.
    pub leaf: Digest,
    /// When it was recorded there.
    pub recorded_at: Timestamp,
    /// Who did it, as they are called there.
    pub actor: UserId,
}

/// What happened to an adoption.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// A verified bundle is about to be taken over.
    #[serde(rename = "adoption.began.v1")]
    Began {
        /// Which adoption this is.
        adoption: AdoptionId,
        /// Which case.
        case: CaseId,
        /// The other log, as its checkpoints call it.
        origin: Phrase,
        /// Its size at the checkpoint.
        size: u64,
        /// Its root at the checkpoint.
        root: Digest,
        /// The digest of the bundle.
        bundle: Digest,
        /// The signed checkpoint the bundle was verified against.
        checkpoint: Passage,
        /// Who is who.
        actors: Vec<Actor>,
    },
    /// These entries are taken over next.
    #[serde(rename = "adoption.entries_noted.v1")]
    EntriesNoted {
        /// Where they come from, in their order there.
        entries: Vec<Origin>,
    },
    /// All of it is here.
    #[serde(rename = "adoption.finished.v1")]
    Finished {},
}

/// What the rules ask of an adoption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adoption {
    /// The digest of the bundle, once begun.
    pub bundle: Option<Digest>,
    /// Who is who.
    pub actors: Vec<Actor>,
    /// The last position there that was noted.
    pub noted: u64,
    /// Whether all of it is here.
    pub finished: bool,
}

impl Aggregate for Adoption {
    const CATEGORY: &'static str = "adoption";
    type Event = Event;

    fn evolve(mut self, event: &Event, _: &Stamp) -> Self {
        match event {
            Event::Began { bundle, actors, .. } => {
                self.bundle = Some(*bundle);
                self.actors.clone_from(actors);
            }
            Event::EntriesNoted { entries } => {
                self.noted = entries.last().map_or(self.noted, |last| last.position);
            }
            Event::Finished {} => self.finished = true,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        None
    }
}

refusals! {
    Taken = Conflicting, "adoption_exists", "this case was taken over from another bundle, or with other people";
    NotBegun = Missing, "adoption_missing", "this adoption was never begun";
    Merged = Invalid, "adoption_actors_merged", "two people of the other house cannot be one person here";
    LeadUnknown = Invalid, "adoption_lead_unknown", "who leads the case here is an active user and neither auditor nor admin";
    Unsealed = Invalid, "adoption_unsealed", "a fact holds something personal in clear: no log of ours wrote it";
    Differs = Conflicting, "adoption_stream_differs", "what is here already is not what the bundle says";
}
