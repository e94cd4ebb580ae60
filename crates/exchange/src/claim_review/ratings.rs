//! The rating of a verdict: from 1, refuted, to 5, supported; what says neither is on a scale of one step.

use assay_domain::claim::Outcome;
use serde_json::{Value, json};

/// The scale in words; said with every rating, since ratings have no direction of their own.
const SCALE: &str = "From 1, refuted by the evidence (worst), over 3, conflicting evidence, to 5, supported by the \
evidence (best); 2 and 4 are not used.";
/// What a scale of one step means.
const NO_SCALE: &str = "A scale of one step: this says neither that the claim is true nor that it is false, and is \
not a middle between them.";
/// What is said of a verdict whose basis moved.
const STALE: &str = "what this rests on has changed since, and it has not been looked at again";

/// The rating of an outcome.
pub(super) fn of(outcome: Outcome, stale: bool) -> Value {
    let (value, best, words) = match outcome {
        Outcome::Supported => (5, 5, "Supported by the evidence"),
        Outcome::ConflictingEvidence => (3, 5, "Conflicting evidence"),
        Outcome::Refuted => (1, 5, "Refuted by the evidence"),
        Outcome::NotEnoughEvidence => (1, 1, "Not enough evidence"),
        Outcome::CannotBeJudged => (1, 1, "Cannot be judged"),
        // These are said of claims without a truth value, which have no review.
        Outcome::OccurrenceConfirmed => (1, 1, "It was said"),
        Outcome::OccurrenceNotConfirmed => (1, 1, "Not shown to have been said"),
        Outcome::PredictionFulfilled => (1, 1, "It came about"),
        Outcome::PredictionFailed => (1, 1, "It did not come about"),
    };
    let words = if stale { format!("{words}; {STALE}") } else { words.to_owned() };
    json!({
        "@type": "Rating",
        "ratingValue": value,
        "worstRating": 1,
        "bestRating": best,
        "alternateName": words,
        "ratingExplanation": if best == 1 { NO_SCALE } else { SCALE },
    })
}
