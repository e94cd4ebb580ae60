//! An erasure: a request to forget what one subject's key seals; decided by two persons, carried out by destroying the key.

mod carry_out;
mod lift;
mod refuse;
mod request;
mod restrict;

use serde::{Deserialize, Serialize};
use strum::EnumCount;
use uuid::Uuid;

pub use carry_out::CarryOutErasure;
pub use lift::LiftRestriction;
pub use refuse::RefuseErasure;
pub use request::RequestErasure;
pub use restrict::RestrictProcessing;

use crate::aggregate::{Aggregate, Home, Stamp};
use crate::id::{CaseId, ErasureId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::Reason;

/// What kind of subject is to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErasableKind {
    /// What names a user.
    User,
    /// What names a source.
    Source,
    /// The texts of a report.
    Report,
    /// What a claim and its assertions say.
    Claim,
    /// The rationale of a link.
    Link,
    /// The title and the mandate of a case.
    Case,
}

impl ErasableKind {
    /// The category of its stream.
    pub const fn category(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Source => "source",
            Self::Report => "report",
            Self::Claim => "claim",
            Self::Link => "link",
            Self::Case => "case",
        }
    }
}

/// What is to be forgotten: everything personal of one subject, in every fact of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Erasable {
    /// What kind of subject it is.
    pub kind: ErasableKind,
    /// Which.
    pub id: Uuid,
}

impl Erasable {
    /// The name of its stream.
    pub fn stream(&self) -> String {
        format!("{}-{}", self.kind.category(), self.id)
    }
}

/// Whether the person it is about lives; who may be alive is treated as living.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Living {
    /// They live.
    Living,
    /// Nobody knows for sure, or it is disputed: treated as living.
    HeldAsLiving,
    /// They are dead, beyond dispute.
    Dead,
}

/// What happened to an erasure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// Somebody asks to be forgotten, or somebody asks for them.
    #[serde(rename = "erasure.requested.v1")]
    Requested {
        /// Which erasure this is.
        erasure: ErasureId,
        /// What is to be forgotten.
        subject: Erasable,
        /// Whether the person it is about lives.
        living: Living,
        /// On what ground.
        ground: Personal<Reason>,
    },
    /// Until it is decided, what it is about is stored and not shown.
    #[serde(rename = "erasure.restricted.v1")]
    Restricted {
        /// Why.
        reason: Personal<Reason>,
    },
    /// What it is about is shown again.
    #[serde(rename = "erasure.restriction_lifted.v1")]
    RestrictionLifted {
        /// Why.
        reason: Personal<Reason>,
    },
    /// It stays: the law, the public interest, a hold.
    #[serde(rename = "erasure.refused.v1")]
    Refused {
        /// On what ground.
        ground: Personal<Reason>,
    },
    /// It is to be forgotten now: the key is destroyed, and every row made of it.
    #[serde(rename = "erasure.carried_out.v1")]
    CarriedOut {
        /// What is forgotten.
        subject: Erasable,
    },
}

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErasureStanding {
    /// It waits for a decision.
    #[default]
    Requested,
    /// It waits, and what it is about is not shown meanwhile.
    Restricted,
    /// It was refused.
    Refused,
    /// It was carried out.
    CarriedOut,
}

/// What the rules ask of an erasure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Erasure {
    /// Which erasure this is, once requested.
    pub id: Option<ErasureId>,
    /// What is to be forgotten.
    pub subject: Option<Erasable>,
    /// Who asked.
    pub requester: Option<UserId>,
    /// Where it stands.
    pub standing: ErasureStanding,
}

impl Erasure {
    const fn place(&self) -> Home {
        if self.id.is_some() { Home::House } else { Home::Nowhere }
    }

    const fn must_be_undecided(&self) -> Result<(), Refusal> {
        match self.standing {
            ErasureStanding::Requested | ErasureStanding::Restricted => Ok(()),
            ErasureStanding::Refused | ErasureStanding::CarriedOut => Err(Refusal::Decided),
        }
    }
}

impl Aggregate for Erasure {
    const CATEGORY: &'static str = "erasure";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Requested { erasure, subject, .. } => {
                self.id = Some(*erasure);
                self.subject = Some(*subject);
                self.requester = Some(stamp.actor);
            }
            Event::Restricted { .. } => self.standing = ErasureStanding::Restricted,
            Event::RestrictionLifted { .. } => self.standing = ErasureStanding::Requested,
            Event::Refused { .. } => self.standing = ErasureStanding::Refused,
            Event::CarriedOut { .. } => self.standing = ErasureStanding::CarriedOut,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        None
    }
}

refusals! {
    Taken = Conflicting, "erasure_exists", "an erasure with this id exists already and is another";
    Decided = Conflicting, "erasure_decided", "the erasure is decided already";
    FourEyes = Barred, "erasure_four_eyes", "who asked for an erasure does not carry it out";
}
