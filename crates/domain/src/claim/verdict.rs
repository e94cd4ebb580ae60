//! A verdict: an outcome on cited evidence, with reasons; never edited, only superseded.

use serde::{Deserialize, Serialize};

use super::{AssertionRef, ClaimKind, Refusal};
use crate::id::{ReportId, SourceId, VerdictId};
use crate::text::{Passage, Phrase, Reason};
use crate::value::{Confidence, Likelihood};

/// What a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The evidence supports it.
    Supported,
    /// The evidence refutes it.
    Refuted,
    /// The evidence conflicts.
    ConflictingEvidence,
    /// There is not enough evidence.
    NotEnoughEvidence,
    /// It cannot be judged at all.
    CannotBeJudged,
    /// The speech, appeal or intent was voiced.
    OccurrenceConfirmed,
    /// It was not shown to have been voiced.
    OccurrenceNotConfirmed,
    /// What was foretold came about.
    PredictionFulfilled,
    /// It did not.
    PredictionFailed,
}

impl Outcome {
    /// Whether a kind of claim takes this outcome.
    pub const fn fits(self, kind: ClaimKind) -> bool {
        match self {
            Self::NotEnoughEvidence | Self::CannotBeJudged => true,
            Self::Supported | Self::Refuted | Self::ConflictingEvidence => kind.has_truth_value(),
            Self::PredictionFulfilled | Self::PredictionFailed => {
                matches!(kind, ClaimKind::Prediction)
            }
            Self::OccurrenceConfirmed | Self::OccurrenceNotConfirmed => !kind.has_truth_value(),
        }
    }

    /// The roles of citation it cannot do without.
    pub const fn needs(self) -> &'static [CitationRole] {
        match self {
            Self::Supported | Self::OccurrenceConfirmed | Self::PredictionFulfilled => {
                &[CitationRole::Supports]
            }
            Self::Refuted | Self::PredictionFailed => &[CitationRole::Refutes],
            Self::ConflictingEvidence => &[CitationRole::Supports, CitationRole::Refutes],
            Self::NotEnoughEvidence | Self::CannotBeJudged | Self::OccurrenceNotConfirmed => &[],
        }
    }

    /// Whether it must say what would settle the matter.
    pub const fn says_what_would_settle(self) -> bool {
        matches!(self, Self::NotEnoughEvidence)
    }
}

/// What a citation does for the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CitationRole {
    /// Speaks for it.
    Supports,
    /// Speaks against it.
    Refutes,
    /// Helps to understand it.
    Context,
}

/// What is cited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cited {
    /// An assertion, of this or another claim.
    Assertion(AssertionRef),
    /// A report as a whole, by its first rendition.
    Report(ReportId),
}

/// The origin a citation counts for: what shares one is not independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cluster {
    /// Everything one source published.
    Source(SourceId),
    /// A report whose publisher is not known counts for itself.
    Report(ReportId),
}

/// What a client cites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CitedWords {
    /// What.
    pub cites: Cited,
    /// For what.
    pub role: CitationRole,
    /// The hash the reviewer saw, where the client wants it checked.
    #[serde(default)]
    pub sha256: Option<Phrase>,
    /// What it shows.
    #[serde(default)]
    pub note: Option<Reason>,
}

/// A citation as it is kept: pinned to the hash and the version that were seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// What.
    pub cites: Cited,
    /// For what.
    pub role: CitationRole,
    /// SHA-256 of the assertion's content or of the rendition's text, hex.
    pub sha256: String,
    /// The revision of the stream it stands in, when it was cited.
    pub version: u64,
    /// The origin it counts for.
    pub cluster: Cluster,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Reason>,
}

/// The words of a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VerdictText {
    /// Why.
    pub justification: Passage,
    /// What it takes for granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<Reason>,
    /// What else was considered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternatives: Vec<Reason>,
    /// What would settle it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_settle: Option<Reason>,
}

/// A judgement as a reviewer gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict's name.
    pub verdict: VerdictId,
    /// What it says.
    pub outcome: Outcome,
    /// How likely, on a scale of words.
    pub likelihood: Option<Likelihood>,
    /// How confident; never in one sentence with the likelihood.
    pub confidence: Confidence,
    /// On what.
    pub citations: Vec<CitedWords>,
    /// In which words.
    pub text: VerdictText,
}

/// How a verdict differs from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It says the same on a new basis.
    Unchanged,
    /// It says so more strongly.
    Strengthened,
    /// It says so less strongly.
    Weakened,
    /// It says the opposite.
    Reversed,
}

/// What a superseding verdict says of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supersession {
    /// The verdict it replaces.
    pub verdict: VerdictId,
    /// How it differs.
    pub change: Change,
    /// Why.
    pub reason: Reason,
}

impl Judgement {
    /// The laws of a judgement that need no history.
    pub(super) fn check(&self, kind: ClaimKind) -> Result<(), Refusal> {
        if !self.outcome.fits(kind) {
            return Err(Refusal::OutcomeUnfit.at("/outcome"));
        }
        if self.citations.len() > 100 {
            return Err(Refusal::CitationsMax.at("/citations"));
        }
        let cited =
            |role: &CitationRole| self.citations.iter().any(|citation| citation.role == *role);
        if !self.outcome.needs().iter().all(cited) {
            return Err(Refusal::CitationMissing.at("/citations"));
        }
        if self.outcome.says_what_would_settle() && self.text.would_settle.is_none() {
            return Err(Refusal::SettleMissing.at("/would_settle"));
        }
        if let Some(likelihood) = &self.likelihood {
            likelihood.check().map_err(|error| Refusal::Value(error).at("/likelihood"))?;
        }
        Ok(())
    }
}
