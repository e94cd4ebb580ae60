//! Words of likelihood as a versioned scale: the term is stored, never a number.

use serde::{Deserialize, Serialize};

use crate::text::{Phrase, ValueError};

/// A scale of likelihood words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// ICD 203 (2015, amended 2022), both rows of words.
    Icd203,
    /// The PHIA yardstick of 2025; its gaps are deliberate.
    Phia,
}

/// How confident a judgement is; never said in one sentence with a likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Scant, fragmented or weakly corroborated sourcing.
    Low,
    /// Credible sourcing, not enough for more.
    Moderate,
    /// Good sourcing, few assumptions, a solid argument.
    High,
}

/// A term on a scale of a certain version: `{"scheme":"icd203","version":"2022","term":"likely"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Likelihood {
    /// The scale.
    pub scheme: Scheme,
    /// Its edition.
    pub version: Phrase,
    /// The word.
    pub term: Phrase,
}

/// The words of ICD 203: its two rows, and the band in per cent that both stand for.
const ICD203: [(&str, &str, u8, u8); 7] = [
    ("almost no chance", "remote", 1, 5),
    ("very unlikely", "highly improbable", 5, 20),
    ("unlikely", "improbable", 20, 45),
    ("roughly even chance", "roughly even odds", 45, 55),
    ("likely", "probable", 55, 80),
    ("very likely", "highly probable", 80, 95),
    ("almost certain", "nearly certain", 95, 99),
];

const PHIA: [(&str, u8, u8); 7] = [
    ("remote chance", 0, 5),
    ("highly unlikely", 10, 20),
    ("unlikely", 25, 35),
    ("realistic possibility", 40, 50),
    ("likely", 55, 75),
    ("highly likely", 80, 90),
    ("almost certain", 95, 100),
];

impl Likelihood {
    /// Refuses words and editions the scale does not have.
    pub fn check(&self) -> Result<(), ValueError> {
        if self.band().is_some() {
            return Ok(());
        }
        Err(ValueError::new("likelihood_unknown", "this edition of the scale has no such term"))
    }

    /// The band it stands for, in per cent; for display, never for arithmetic.
    pub fn band(&self) -> Option<(u8, u8)> {
        let term = self.term.as_str();
        match (self.scheme, self.version.as_str()) {
            (Scheme::Icd203, "2015" | "2022") => ICD203
                .iter()
                .find(|(one, two, ..)| *one == term || *two == term)
                .map(|(_, _, low, high)| (*low, *high)),
            (Scheme::Phia, "2025") => {
                PHIA.iter().find(|(word, ..)| *word == term).map(|(_, low, high)| (*low, *high))
            }
            (Scheme::Icd203 | Scheme::Phia, _) => None,
        }
    }
}
