//! The two axes of the Admiralty code; two values, two acts, never multiplied.

use serde::{Deserialize, Serialize};

/// Reliability of a holder in this context (STANAG 2511): F is "cannot be judged", not the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Reliability {
    /// Completely reliable.
    A,
    /// Usually reliable.
    B,
    /// Fairly reliable.
    C,
    /// Not usually reliable.
    D,
    /// Unreliable.
    E,
    /// Reliability cannot be judged.
    F,
}

/// Credibility of an information (STANAG 2511): 6 is "cannot be judged", not the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Credibility {
    /// Confirmed by other independent sources.
    #[serde(rename = "1")]
    Confirmed,
    /// Probably true.
    #[serde(rename = "2")]
    ProbablyTrue,
    /// Possibly true.
    #[serde(rename = "3")]
    PossiblyTrue,
    /// Doubtful.
    #[serde(rename = "4")]
    Doubtful,
    /// Improbable.
    #[serde(rename = "5")]
    Improbable,
    /// Truth cannot be judged.
    #[serde(rename = "6")]
    CannotBeJudged,
}

impl Reliability {
    /// Its place from the best (0) to the worst (4); nothing for F, which enters no average.
    pub const fn rank(self) -> Option<u8> {
        match self {
            Self::A => Some(0),
            Self::B => Some(1),
            Self::C => Some(2),
            Self::D => Some(3),
            Self::E => Some(4),
            Self::F => None,
        }
    }
}

impl Credibility {
    /// Its place from the best (0) to the worst (4); nothing for 6, which enters no average.
    pub const fn rank(self) -> Option<u8> {
        match self {
            Self::Confirmed => Some(0),
            Self::ProbablyTrue => Some(1),
            Self::PossiblyTrue => Some(2),
            Self::Doubtful => Some(3),
            Self::Improbable => Some(4),
            Self::CannotBeJudged => None,
        }
    }
}
