//! An assertion: one holder chain taking one stance towards a claim in one report at certain words.

use serde::{Deserialize, Serialize};

use crate::id::{AssertionId, ClaimId};
use crate::report::ToolUse;
use crate::text::{Phrase, Reason};
use crate::value::{Anchor, Chain, Hedge, Polarity, sha256_hex};

/// What somebody says, how, and in which words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AssertionContent {
    /// Who says that who says it.
    pub chain: Chain,
    /// How strongly.
    pub hedge: Hedge,
    /// Whether it is affirmed or negated.
    pub polarity: Polarity,
    /// The words themselves, pinned.
    pub anchors: Vec<Anchor>,
    /// The narrator's evaluative words, kept verbatim and out of the proposition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editorial: Vec<Phrase>,
    /// What is to be said about this reading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Reason>,
    /// The tool that proposed it, where one did; a person accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolUse>,
}

impl AssertionContent {
    /// What a citation pins: SHA-256 of its stored JSON.
    pub fn sha256(&self) -> String {
        // A value made of strings, numbers and lists always serialises.
        sha256_hex(&serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Names an assertion of any claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AssertionRef {
    /// The claim.
    pub claim: ClaimId,
    /// Its assertion.
    pub assertion: AssertionId,
}

/// Why an assertion is taken back by those who recorded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssertionWithdrawal {
    /// The words were misread.
    Misread,
    /// It is here twice.
    Duplicate,
    /// It belongs to another claim.
    WrongClaim,
}
