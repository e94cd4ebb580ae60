//! Words to what STIX has for them: by term, and nothing where STIX has none.

use assay_domain::claim::Outcome;
use assay_domain::value::{Confidence, Credibility};

/// The `confidence` of a credibility (STIX 2.1 appendix A, Admiralty); 6 is unknown and has none.
pub const fn of_credibility(grade: Credibility) -> Option<u8> {
    match grade {
        Credibility::Confirmed => Some(90),
        Credibility::ProbablyTrue => Some(70),
        Credibility::PossiblyTrue => Some(50),
        Credibility::Doubtful => Some(30),
        Credibility::Improbable => Some(10),
        Credibility::CannotBeJudged => None,
    }
}

/// The `confidence` of a verdict (STIX 2.1 appendix A, Low / Med / High). Its likelihood has no place there.
pub const fn of_confidence(confidence: Confidence) -> u8 {
    match confidence {
        Confidence::Low => 15,
        Confidence::Moderate => 50,
        Confidence::High => 85,
    }
}

/// The step of an opinion that a verdict takes; none where it says nothing for or against.
///
/// The outer steps are for persons: how confident a verdict is stands in `confidence`.
pub const fn of_outcome(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Supported | Outcome::PredictionFulfilled => Some("agree"),
        Outcome::Refuted | Outcome::PredictionFailed => Some("disagree"),
        Outcome::ConflictingEvidence => Some("neutral"),
        Outcome::NotEnoughEvidence
        | Outcome::CannotBeJudged
        | Outcome::OccurrenceConfirmed
        | Outcome::OccurrenceNotConfirmed => None,
    }
}

/// The step of an opinion that a number stands for: 1 strongly disagrees, 5 strongly agrees.
pub const fn of_dissent(opinion: u8) -> Option<&'static str> {
    match opinion {
        1 => Some("strongly-disagree"),
        2 => Some("disagree"),
        3 => Some("neutral"),
        4 => Some("agree"),
        5 => Some("strongly-agree"),
        _ => None,
    }
}
