//! A link: how two claims, or two assertions of them, stand to each other, put forward by one and confirmed by another.

mod confirm;
mod propose;
mod reject;
mod withdraw;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use confirm::ConfirmLink;
pub use propose::ProposeLink;
pub use reject::RejectLink;
pub use withdraw::WithdrawLink;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{AssertionId, CaseId, ClaimId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::Reason;

/// How one stands to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkType {
    /// They cannot both be so.
    Contradicts,
    /// It makes the other likelier.
    Corroborates,
    /// It limits the other.
    Qualifies,
    /// It says more of the other.
    Elaborates,
    /// They speak of one event.
    SameEvent,
    /// It takes the other for granted.
    Presupposes,
    /// If it is so, so is the other.
    Entails,
    /// They sit badly together.
    InTension,
    /// Only one of them explains the matter.
    AlternativeTo,
    /// The other is concluded from it.
    PremiseOf,
    /// They come from one origin: no added independence.
    SameOrigin,
    /// It replaces the other.
    Supersedes,
    /// It speaks for the other.
    Supports,
    /// It speaks against the other.
    Undermines,
    /// They go together.
    ConsistentWith,
    /// They speak of different events.
    DistinctFrom,
    /// It helps to understand the other.
    ContextFor,
    /// It asks about the other.
    AsksAbout,
}

impl LinkType {
    /// Whether it reads the same from both ends.
    pub const fn symmetric(self) -> bool {
        matches!(
            self,
            Self::Contradicts
                | Self::SameEvent
                | Self::InTension
                | Self::AlternativeTo
                | Self::SameOrigin
                | Self::ConsistentWith
                | Self::DistinctFrom
        )
    }
}

/// One end of a link: a claim, or one assertion of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = LinkEnd))]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The claim.
    pub claim: ClaimId,
    /// The assertion, where one holder's stance is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<AssertionId>,
}

/// What happened to a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// It was put forward.
    #[serde(rename = "link.proposed.v1")]
    Proposed {
        /// In which case.
        case: CaseId,
        /// From here.
        from: End,
        /// How.
        #[serde(rename = "link")]
        kind: LinkType,
        /// To there.
        to: End,
        /// Whether its proposer is unsure.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        tentative: bool,
        /// Why.
        rationale: Personal<Reason>,
    },
    /// Somebody else agrees.
    #[serde(rename = "link.confirmed.v1")]
    Confirmed {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Reason>>,
    },
    /// Somebody else does not agree.
    #[serde(rename = "link.rejected.v1")]
    Rejected {
        /// Why.
        reason: Personal<Reason>,
    },
    /// It was taken back.
    #[serde(rename = "link.withdrawn.v1")]
    Withdrawn {
        /// Why.
        reason: Personal<Reason>,
    },
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Put forward.
    #[default]
    Proposed,
    /// Agreed to by another.
    Confirmed,
    /// Refused by another.
    Rejected,
    /// Taken back.
    Withdrawn,
}

/// What the rules ask of a link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// In which case it is, once proposed.
    pub in_case: Option<CaseId>,
    /// From here.
    pub from: Option<End>,
    /// How.
    pub kind: Option<LinkType>,
    /// To there.
    pub to: Option<End>,
    /// Who put it forward.
    pub proposer: Option<UserId>,
    /// Where it stands.
    pub standing: Standing,
}

impl Link {
    /// A second person decides on a proposed link.
    fn must_await(&self, second: UserId) -> Result<(), Refusal> {
        if self.proposer == Some(second) {
            return Err(Refusal::FourEyes);
        }
        match self.standing {
            Standing::Proposed => Ok(()),
            Standing::Confirmed | Standing::Rejected | Standing::Withdrawn => Err(Refusal::Decided),
        }
    }
}

impl Aggregate for Link {
    const CATEGORY: &'static str = "link";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Proposed { case, from, kind, to, .. } => {
                self.in_case = Some(*case);
                self.from = Some(*from);
                self.kind = Some(*kind);
                self.to = Some(*to);
                self.proposer = Some(stamp.actor);
            }
            Event::Confirmed { .. } => self.standing = Standing::Confirmed,
            Event::Rejected { .. } => self.standing = Standing::Rejected,
            Event::Withdrawn { .. } => self.standing = Standing::Withdrawn,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}

refusals! {
    Taken = Conflicting, "link_exists", "a link with this id exists already and is another";
    SelfLink = Invalid, "link_self", "a link joins two different ends";
    EndUnknown = Invalid, "link_end_unknown", "there is no such claim or assertion in this case";
    FourEyes = Barred, "link_four_eyes", "who proposed a link neither confirms nor rejects it";
    Decided = Conflicting, "link_decided", "the link was confirmed, rejected or withdrawn already";
}
