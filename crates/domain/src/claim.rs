//! A claim: what is said; in its stream stand its assertions, grades, reviews and verdicts, so that every rule sees all of it.

mod assertion;
mod assess_credibility;
mod assess_reliability;
mod dissent;
mod event;
mod issue_verdict;
mod propose;
mod proposition;
mod reattribute;
mod record_assertion;
mod refine;
mod request_review;
mod return_review;
mod state;
mod supersede_verdict;
mod verdict;
mod withdraw;
mod withdraw_assertion;

#[cfg(test)]
mod tests_support;

pub use assertion::{AssertionContent, AssertionRef, AssertionWithdrawal};
pub use assess_credibility::AssessCredibility;
pub use assess_reliability::AssessReliability;
pub use dissent::RecordDissent;
pub use event::Event;
pub use issue_verdict::IssueVerdict;
pub use propose::ProposeClaim;
pub use proposition::{ClaimKind, Materiel, Participant, Proposition, Resolution, Role, Who};
pub use reattribute::ReattributeAssertion;
pub use record_assertion::RecordAssertion;
pub use refine::RefineClaim;
pub use request_review::RequestReview;
pub use return_review::ReturnReview;
pub use state::{Assertion, Claim, CurrentVerdict, Standing};
pub use supersede_verdict::SupersedeVerdict;
pub use verdict::{
    Change, Citation, CitationRole, Cited, CitedWords, Cluster, Judgement, Outcome, Supersession,
    VerdictText,
};
pub use withdraw::{ReinstateClaim, WithdrawClaim};
pub use withdraw_assertion::WithdrawAssertion;

use crate::refusal::refusals;

refusals! {
    Taken = Conflicting, "claim_exists", "a claim with this id exists already and is another";
    Withdrawn = Conflicting, "claim_withdrawn", "the claim was withdrawn";
    Judged = Conflicting, "claim_judged", "the claim has a verdict; propose another claim and link it";
    UnderReview = Conflicting, "claim_under_review", "the claim is under review";
    NotUnderReview = Conflicting, "claim_not_under_review", "the claim is not under review; ask for review first";
    NotJudged = Conflicting, "claim_not_judged", "the claim has no verdict to supersede";
    NoAssertion = Conflicting, "claim_without_assertion", "record at least one assertion before asking for review";
    ClaimUnknown = Invalid, "claim_unknown", "there is no such claim in this case";
    ReportUnknown = Invalid, "report_unknown", "there is no such report in this case";
    ReportWithdrawn = Conflicting, "report_withdrawn", "the report was withdrawn";
    SourceUnknown = Invalid, "source_unknown", "there is no such source";
    RelativeToItself = Invalid, "time_relative_to_itself", "a claim's time is not relative to itself";
    TooManyParts = Invalid, "claim_parts_max", "at most 50 participants, places, quantities or things each";
    ResolutionMisplaced = Invalid, "claim_resolution", "predictions, and only they, have a resolution";
    AnchorsEmpty = Invalid, "assertion_anchors_empty", "an assertion is anchored to at least one passage, at most 50";
    AssertionTaken = Conflicting, "assertion_exists", "an assertion with this id exists already and is another";
    AssertionUnknown = Missing, "assertion_missing", "the claim has no such assertion";
    AssertionWithdrawn = Conflicting, "assertion_withdrawn", "the assertion was withdrawn";
    LinkIndexOutside = Invalid, "chain_link_unknown", "the chain has no such link";
    CorroborationMissing = Invalid, "credibility_uncorroborated", "credibility 1 names assertions of at least two other origins";
    CorroborationUnknown = Invalid, "corroboration_unknown", "there is no such assertion in this case";
    FourEyes = Barred, "claim_four_eyes", "nobody passes a verdict on what they proposed, recorded or collected";
    VerdictTaken = Conflicting, "verdict_exists", "a verdict with this id exists already";
    VerdictUnknown = Missing, "verdict_missing", "the claim has no such verdict";
    VerdictStands = Conflicting, "verdict_stands", "the claim has a verdict; supersede it";
    VerdictNotCurrent = Conflicting, "verdict_not_current", "only the current verdict can be superseded";
    OutcomeUnfit = Invalid, "verdict_outcome_unfit", "this kind of claim does not take this outcome";
    CitationMissing = Invalid, "verdict_citation_missing", "this outcome needs a citation of the matching role";
    CitationUnknown = Invalid, "citation_unknown", "there is no such assertion or report in this case";
    CitationMoved = Conflicting, "citation_moved", "what is cited is not what was seen: its hash is another";
    CitationTwice = Invalid, "citation_twice", "the same thing is cited twice";
    CitationsMax = Invalid, "citations_max", "at most 100 citations";
    SettleMissing = Invalid, "verdict_would_settle_missing", "say what would settle it";
    OpinionOutside = Invalid, "dissent_opinion", "an opinion is 1 (strongly disagree) to 5 (strongly agree)";
}

/// The most entries of each list in a proposition, and the most anchors of an assertion.
pub(crate) const PARTS_MAX: usize = 50;
