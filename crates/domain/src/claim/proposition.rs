//! What is said, whoever says it: kind, gist, who takes part in which role, when, where, how many, with what.

use serde::{Deserialize, Serialize};

use super::{PARTS_MAX, Refusal};
use crate::id::ClaimId;
use crate::text::{Name, Phrase, Reason};
use crate::value::{Edtf, FuzzyPlace, FuzzyTime, Polarity, Quantity, TimeAnchor};

/// What kind of thing a claim is about; it decides which verdicts fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// Something happened.
    Event,
    /// Something is or was so.
    State,
    /// Two parties stand in a relation.
    Relation,
    /// Something was measured.
    Measurement,
    /// People were killed, wounded, captured.
    Casualty,
    /// Things were lost or taken.
    MaterielLoss,
    /// Somebody holds a place.
    Control,
    /// Somebody belongs to or commands something.
    Membership,
    /// Somebody means to do something.
    Intent,
    /// Something will happen.
    Prediction,
    /// A reading or a hypothesis.
    Judgement,
    /// A label put on somebody.
    Characterisation,
    /// Somebody said something; the saying itself.
    SpeechAct,
    /// Somebody asked for something.
    Appeal,
    /// Something is not known.
    KnowledgeGap,
    /// A picture or a film shows something.
    MediaContent,
}

impl ClaimKind {
    /// Whether it can be true or false now. An appeal, an intent or a gap cannot.
    pub const fn has_truth_value(self) -> bool {
        match self {
            Self::Appeal
            | Self::Intent
            | Self::SpeechAct
            | Self::KnowledgeGap
            | Self::Prediction => false,
            Self::Event
            | Self::State
            | Self::Relation
            | Self::Measurement
            | Self::Casualty
            | Self::MaterielLoss
            | Self::Control
            | Self::Membership
            | Self::Judgement
            | Self::Characterisation
            | Self::MediaContent => true,
        }
    }
}

/// The part somebody plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ParticipantRole))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Does it.
    Agent,
    /// It is done to them.
    Target,
    /// Gains by it.
    Beneficiary,
    /// Gives something.
    Supplier,
    /// Gets something.
    Recipient,
    /// Says something.
    Speaker,
    /// Belongs to something.
    Member,
    /// What somebody belongs to.
    Organisation,
    /// Is a party to something.
    Party,
    /// Has something.
    Possessor,
    /// What is spoken of.
    Subject,
    /// What is acted on.
    Object,
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Who {
    /// By name.
    Named {
        /// The name as it stood.
        name: Name,
    },
    /// By a label that is no stable body ("rebels"): as used by this source, then.
    Umbrella {
        /// The label as it stood.
        label: Name,
    },
    /// Described, not named.
    Unnamed {
        /// The description as it stood.
        description: Name,
    },
    /// Not named at all; what context implies is kept apart, with its basis.
    NotNamed {
        /// Whom context implies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        implied: Option<Name>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<Reason>,
    },
}

/// Somebody in a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The part they play.
    pub role: Role,
    /// Who.
    pub who: Who,
}

/// A thing: arms, vehicles, supplies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Materiel {
    /// What it is.
    pub item: Name,
    /// The words of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<Phrase>,
    /// Who is said to have given it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<Name>,
    /// Who is said to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possessor: Option<Name>,
}

/// How a prediction will be seen to have come true or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// By what.
    pub criteria: Reason,
    /// By when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Edtf>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Proposition {
    /// In one neutral sentence.
    pub gist: Reason,
    /// Whether it is put as being so.
    pub polarity: Polarity,
    /// Who takes part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub participants: Vec<Participant>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<FuzzyTime>,
    /// Where; several where the source names several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<FuzzyPlace>,
    /// How many, how much.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantities: Vec<Quantity>,
    /// With what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub materiel: Vec<Materiel>,
    /// For predictions: how it will be resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
}

impl Proposition {
    /// The claims its time hangs on.
    pub(super) fn hangs_on(&self) -> impl Iterator<Item = ClaimId> {
        let time = self.time.as_ref();
        let relative = time.and_then(|time| time.relative.as_ref()).map(|order| order.to);
        let anchor = time.and_then(|time| match time.anchor.as_ref()? {
            TimeAnchor::Claim { claim, .. } => Some(*claim),
            TimeAnchor::Publication { .. } | TimeAnchor::Date { .. } => None,
        });
        relative.into_iter().chain(anchor)
    }

    /// The same with its time resolved; refuses what breaks the law of a value, naming the field.
    pub(super) fn resolved(mut self, kind: ClaimKind) -> Result<Self, Refusal> {
        let lengths = [
            self.participants.len(),
            self.places.len(),
            self.quantities.len(),
            self.materiel.len(),
        ];
        if lengths.iter().any(|length| *length > PARTS_MAX) {
            return Err(Refusal::TooManyParts);
        }
        if self.resolution.is_some() && kind != ClaimKind::Prediction {
            return Err(Refusal::ResolutionMisplaced.at("/resolution"));
        }
        for (quantity, at) in self.quantities.iter().zip(0..) {
            quantity
                .check()
                .map_err(|error| Refusal::Value(error).at(format!("/quantities/{at}")))?;
        }
        for (place, at) in self.places.iter().zip(0..) {
            place.check().map_err(|error| Refusal::Value(error).at(format!("/places/{at}")))?;
        }
        let time = self.time.take().map(FuzzyTime::resolved).transpose();
        self.time = time.map_err(|error| Refusal::Value(error).at("/time"))?;
        Ok(self)
    }
}
