//! What can happen to a claim.

use serde::{Deserialize, Serialize};
use strum::EnumCount;

use super::{
    AssertionContent, AssertionRef, AssertionWithdrawal, Change, Citation, Cited, ClaimKind,
    Outcome, Proposition, VerdictText,
};
use crate::id::{AssertionId, CaseId, ReportId, SourceId, VerdictId};
use crate::personal::Personal;
use crate::text::{Name, Passage, Phrase, Reason};
use crate::value::{Chain, Confidence, Credibility, Likelihood, Reliability, Stance};

/// What happened to a claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// It was put forward.
    #[serde(rename = "claim.proposed.v1")]
    Proposed {
        /// In which case.
        case: CaseId,
        /// What kind it is.
        kind: ClaimKind,
        /// What is said.
        proposition: Personal<Proposition>,
        /// What was odd in what was imported and kept all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<Phrase>,
    },
    /// It was put more exactly, before anybody judged it.
    #[serde(rename = "claim.refined.v1")]
    Refined {
        /// What is said now.
        proposition: Personal<Proposition>,
        /// Why.
        reason: Personal<Reason>,
    },
    /// Somebody's stance towards it was recorded.
    #[serde(rename = "claim.assertion_recorded.v1")]
    AssertionRecorded {
        /// Its name.
        assertion: AssertionId,
        /// In which report.
        report: ReportId,
        /// Who published that, where it was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publisher: Option<SourceId>,
        /// What the holder does towards the claim.
        stance: Stance,
        /// Who, how, in which words.
        content: Personal<AssertionContent>,
    },
    /// Somebody else says it than was recorded.
    #[serde(rename = "claim.assertion_reattributed.v1")]
    AssertionReattributed {
        /// Which assertion.
        assertion: AssertionId,
        /// Who says that who says it.
        chain: Personal<Chain>,
        /// Why.
        reason: Personal<Reason>,
    },
    /// An assertion was taken back by those who recorded it.
    #[serde(rename = "claim.assertion_withdrawn.v1")]
    AssertionWithdrawn {
        /// Which.
        assertion: AssertionId,
        /// Why.
        why: AssertionWithdrawal,
        /// In more words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Reason>>,
    },
    /// A holder's reliability in this context was assessed.
    #[serde(rename = "claim.reliability_assessed.v1")]
    ReliabilityAssessed {
        /// In which assertion.
        assertion: AssertionId,
        /// Which link of its chain, from 0, the publisher.
        link: u8,
        /// The grade, A to F.
        grade: Reliability,
        /// On which topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        topic: Option<Personal<Name>>,
        /// Why.
        rationale: Personal<Reason>,
    },
    /// An information's credibility was assessed.
    #[serde(rename = "claim.credibility_assessed.v1")]
    CredibilityAssessed {
        /// Of which assertion.
        assertion: AssertionId,
        /// The grade, 1 to 6.
        grade: Credibility,
        /// The assertions that corroborate it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        corroborated_by: Vec<AssertionRef>,
        /// Why.
        rationale: Personal<Reason>,
    },
    /// A reviewer is asked to look.
    #[serde(rename = "claim.review_requested.v1")]
    ReviewRequested {
        /// The how-manieth time, from 1.
        round: u32,
        /// How urgent: 1 high, 2 normal, 3 low.
        priority: u8,
        /// What to look at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Reason>>,
    },
    /// The reviewer cannot judge yet and asks back.
    #[serde(rename = "claim.review_returned.v1")]
    ReviewReturned {
        /// The round it ends.
        round: u32,
        /// What is missing.
        questions: Personal<Passage>,
    },
    /// A verdict was passed.
    #[serde(rename = "claim.verdict_issued.v1")]
    VerdictIssued {
        /// Its name.
        verdict: VerdictId,
        /// What it says.
        outcome: Outcome,
        /// How likely, on a scale of words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        likelihood: Option<Likelihood>,
        /// How confident.
        confidence: Confidence,
        /// What it rests on, by name.
        cites: Vec<Cited>,
        /// What it rests on, pinned.
        citations: Personal<Vec<Citation>>,
        /// Its words.
        text: Personal<VerdictText>,
        /// The revision of this claim it was passed on.
        basis: u64,
    },
    /// A verdict gives way to another, which follows at once.
    #[serde(rename = "claim.verdict_superseded.v1")]
    VerdictSuperseded {
        /// Which.
        verdict: VerdictId,
        /// By which.
        by: VerdictId,
        /// How they differ.
        change: Change,
        /// Why.
        reason: Personal<Reason>,
    },
    /// Something the current verdict rests on is not what it was.
    #[serde(rename = "claim.verdict_basis_changed.v1")]
    VerdictBasisChanged {
        /// Which verdict.
        verdict: VerdictId,
        /// The assertion that changed.
        assertion: AssertionId,
    },
    /// A reviewer sees it otherwise.
    #[serde(rename = "claim.dissent_recorded.v1")]
    DissentRecorded {
        /// Than which verdict.
        verdict: VerdictId,
        /// 1 strongly disagrees, 5 strongly agrees.
        opinion: u8,
        /// Why.
        reasons: Personal<Passage>,
    },
    /// It was taken out of the work.
    #[serde(rename = "claim.withdrawn.v1")]
    Withdrawn {
        /// Why.
        reason: Personal<Reason>,
    },
    /// It was taken in again.
    #[serde(rename = "claim.reinstated.v1")]
    Reinstated {
        /// Why.
        reason: Personal<Reason>,
    },
}
