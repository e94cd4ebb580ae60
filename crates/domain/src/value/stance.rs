//! Stance, hedge and polarity: three different things, each kept.

use serde::{Deserialize, Serialize};

use crate::text::Phrase;

/// What a holder does towards a claim. Denial, admission, omission and question are stances, not claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// States it.
    Asserts,
    /// Claims it, the narrator keeping a distance.
    Claims,
    /// Passes it on.
    Reports,
    /// Denies it.
    Denies,
    /// Admits a part of it.
    PartiallyAdmits,
    /// Takes it back.
    Retracts,
    /// Corrects it.
    Corrects,
    /// Asks whether it is so.
    Questions,
    /// Says that it is not known.
    Unknown,
    /// Foretells it.
    Predicts,
    /// Means to bring it about.
    Intends,
    /// Asks for it.
    Appeals,
    /// Condemns it.
    Condemns,
    /// Leaves it out where it would be expected.
    Omits,
    /// Quotes it without taking it on.
    QuotesWithoutEndorsing,
}

impl Stance {
    /// Whether it stands against the claim.
    pub const fn opposes(self) -> bool {
        matches!(self, Self::Denies | Self::Retracts)
    }

    /// Whether it stands for the claim, in whole or in part.
    pub const fn supports(self) -> bool {
        matches!(self, Self::Asserts | Self::Claims | Self::Reports | Self::PartiallyAdmits)
    }
}

/// How strongly it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HedgeLevel {
    /// Without a hedge.
    Flat,
    /// "reported"
    Reported,
    /// "claimed"
    Claimed,
    /// "alleged"
    Alleged,
    /// "may"
    Possible,
    /// "probably"
    Likely,
    /// "it is unclear whether"
    Unclear,
    /// Taken for granted, not stated.
    Presupposed,
    /// "tried to"
    Attempted,
    /// "so-called"
    Nominal,
}

/// A hedge and the words that carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// How strongly.
    pub level: HedgeLevel,
    /// The words as they stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<Phrase>,
}

/// Whether it is affirmed or negated; a second axis, not the stance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// It is so.
    Affirmed,
    /// It is not so.
    Negated,
    /// Whether it is so is not known.
    Unknown,
    /// It is not spoken of.
    NotAddressed,
}
