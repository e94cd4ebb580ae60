//! The claim card as the API sends it.

use std::collections::BTreeSet;

use assay_domain::claim::{
    AssertionContent, AssertionRef, AssertionWithdrawal, Change, Citation, Cited, ClaimKind,
    Outcome, Proposition, VerdictText,
};
use assay_domain::id::{
    AssertionId, CaseId, ClaimId, LinkId, ReportId, SourceId, UserId, VerdictId,
};
use assay_domain::link::LinkType;
use assay_domain::text::{Label, Phrase};
use assay_domain::value::{
    Confidence, Credibility, Holder, Likelihood, QuantityFlag, Reliability, Stance,
};
use serde::{Deserialize, Serialize};

use crate::doc::{Deed, Remark};

/// Where a claim stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = ClaimStanding))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Put forward, not yet looked at.
    Proposed,
    /// Waiting for a reviewer.
    UnderReview,
    /// A verdict stands.
    Adjudicated,
    /// A verdict stands whose basis has changed.
    Stale,
    /// Taken out of the work.
    Withdrawn,
}

/// Where a link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LinkStanding {
    /// Put forward.
    Proposed,
    /// Agreed to by another.
    Confirmed,
    /// Refused by another.
    Rejected,
    /// Taken back.
    Withdrawn,
}

/// Which end of a link a claim is; of no meaning where the link reads the same from both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The link goes out from this claim.
    From,
    /// The link comes to this claim.
    To,
}

/// What is odd about one of the quantities of a proposition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FlaggedQuantity {
    /// Which of its quantities, from 0.
    pub quantity: u32,
    /// What is odd about it.
    pub flags: Vec<QuantityFlag>,
}

/// A holder's reliability as one person assessed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReliabilityGrade {
    /// Which link of the chain, from 0, the publisher.
    pub link: u8,
    /// The grade, A to F.
    pub grade: Reliability,
    /// On which topic.
    pub topic: Option<String>,
    /// Who, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// An information's credibility as one person assessed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CredibilityGrade {
    /// The grade, 1 to 6.
    pub grade: Credibility,
    /// The assertions that corroborate it.
    pub corroborated_by: Vec<AssertionRef>,
    /// Who, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// Why an assertion was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = AssertionTakenBack))]
pub struct AssertionGone {
    /// Why.
    pub why: AssertionWithdrawal,
    /// Who, when and in more words.
    #[serde(flatten)]
    pub said: Remark,
}

/// One holder's stance towards the claim, in one report, at certain words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Assertion))]
pub struct AssertionDoc {
    /// Which.
    pub id: AssertionId,
    /// In which report.
    pub report: ReportId,
    /// Who published that, where it was known.
    pub publisher: Option<SourceId>,
    /// What the holder does towards the claim.
    pub stance: Stance,
    /// The side of the innermost holder that has one.
    pub side: Option<Label>,
    /// Whose statement it is in the end.
    pub holder: Option<Holder>,
    /// Who says that who says it, how strongly, in which words; null where it was erased.
    pub content: Option<AssertionContent>,
    /// What a citation of it pins: SHA-256 of its content.
    pub sha256: Option<String>,
    /// Whether its content was erased.
    pub erased: bool,
    /// Who recorded it.
    pub recorded: Deed,
    /// Reliability, every assessment in order.
    pub reliability: Vec<ReliabilityGrade>,
    /// Credibility, every assessment in order.
    pub credibility: Vec<CredibilityGrade>,
    /// When it was found that somebody else says it, and why.
    pub reattributed: Vec<Remark>,
    /// Why it was taken back; null while it is live.
    pub withdrawn: Option<AssertionGone>,
}

/// How many live assertions of one side take one stance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StanceCount {
    /// The side; null where the holders have none.
    pub side: Option<Label>,
    /// The stance.
    pub stance: Stance,
    /// How many.
    pub count: u32,
}

/// A link as one of its claims shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CardLink {
    /// Which link.
    pub id: LinkId,
    /// How one stands to the other.
    #[serde(rename = "type")]
    pub kind: LinkType,
    /// Where the link stands.
    pub standing: LinkStanding,
    /// Which end this claim is.
    pub direction: Direction,
    /// The assertion of this claim that is meant, where one is.
    pub assertion: Option<AssertionId>,
    /// The other claim.
    pub other: ClaimId,
    /// The assertion of the other claim that is meant, where one is.
    pub other_assertion: Option<AssertionId>,
    /// Whether its proposer is unsure.
    pub tentative: bool,
}

/// How a round of review ended without a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReviewReturn {
    /// Who returned it.
    pub by: UserId,
    /// When.
    pub at: crate::doc::Instant,
    /// What is missing; null where it was erased.
    pub questions: Option<String>,
    /// Whether the questions were erased.
    pub erased: bool,
}

/// One time that review was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReviewRound {
    /// The how-manieth time, from 1.
    pub round: u32,
    /// How urgent: 1 high, 2 normal, 3 low.
    pub priority: u8,
    /// Who asked, when, and what to look at.
    #[serde(flatten)]
    pub said: Remark,
    /// How it ended without a verdict; null where it did not.
    pub returned: Option<ReviewReturn>,
}

/// Something a verdict rests on is not what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BasisChange {
    /// The assertion that changed.
    pub assertion: AssertionId,
    /// By whose act, and when.
    #[serde(flatten)]
    pub said: Deed,
}

/// Somebody sees a verdict otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Dissent {
    /// 1 strongly disagrees, 5 strongly agrees.
    pub opinion: u8,
    /// Who, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// What became of a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Superseded {
    /// The verdict that replaced it.
    pub verdict: VerdictId,
    /// How they differ.
    pub change: Change,
    /// Who, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// One verdict of the series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Verdict))]
pub struct VerdictDoc {
    /// Which.
    pub id: VerdictId,
    /// What it says.
    pub outcome: Outcome,
    /// How likely, on a scale of words.
    pub likelihood: Option<Likelihood>,
    /// How confident; never one sentence with the likelihood.
    pub confidence: Confidence,
    /// What it rests on, by name.
    pub cites: Vec<Cited>,
    /// What it rests on, pinned; null where it was erased.
    pub citations: Option<Vec<Citation>>,
    /// Its words; null where they were erased.
    pub text: Option<VerdictText>,
    /// Whether something of it was erased.
    pub erased: bool,
    /// The revision of the claim it was passed on.
    pub basis: u64,
    /// Who passed it.
    pub issued: Deed,
    /// What became of it; null while it is current.
    pub superseded: Option<Superseded>,
    /// What of its basis has changed since.
    pub basis_changed: Vec<BasisChange>,
    /// Who sees it otherwise.
    pub dissents: Vec<Dissent>,
}

/// One time that a claim was taken out of the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClaimWithdrawal {
    /// Who, when and why.
    #[serde(flatten)]
    pub said: Remark,
    /// Where it stood before.
    pub stood: Standing,
    /// When and why it was taken in again; null while it is out.
    pub reinstated: Option<Remark>,
}

/// A claim with everything its stream holds and the links that touch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Claim))]
pub struct ClaimDoc {
    /// Which.
    pub id: ClaimId,
    /// In which case.
    pub case: CaseId,
    /// What kind it is.
    pub kind: ClaimKind,
    /// Where it stands.
    pub standing: Standing,
    /// What is said; null where it was erased.
    pub proposition: Option<Proposition>,
    /// What is odd about its quantities.
    pub quantity_flags: Vec<FlaggedQuantity>,
    /// Whether what is said was erased.
    pub erased: bool,
    /// What was odd in what was imported and kept all the same.
    pub flags: Vec<Phrase>,
    /// Who put it forward.
    pub proposed: Deed,
    /// When and why it was put more exactly.
    pub refined: Vec<Remark>,
    /// Whether one live assertion supports it and another opposes it.
    pub contested: bool,
    /// Live assertions by side and stance.
    pub stances: Vec<StanceCount>,
    /// Every assertion, also those taken back.
    pub assertions: Vec<AssertionDoc>,
    /// The links that touch it.
    pub links: Vec<CardLink>,
    /// Every time review was asked for.
    pub reviews: Vec<ReviewRound>,
    /// The verdict that stands.
    pub current_verdict: Option<VerdictId>,
    /// Every verdict, first first.
    pub verdicts: Vec<VerdictDoc>,
    /// Every time it was taken out of the work.
    pub withdrawals: Vec<ClaimWithdrawal>,
}

impl ClaimDoc {
    /// The gist, where it is known.
    pub(crate) fn gist(&self) -> Option<String> {
        self.proposition.as_ref().map(|known| known.gist.clone().into())
    }

    /// The assertions that were not taken back.
    pub(crate) fn live(&self) -> impl Iterator<Item = &AssertionDoc> {
        self.assertions.iter().filter(|assertion| assertion.withdrawn.is_none())
    }

    /// The assertions one end of a link means: the one it names, or all live ones.
    pub(crate) fn meant(&self, assertion: Option<AssertionId>) -> Vec<&AssertionDoc> {
        match assertion {
            Some(named) => self.assertions.iter().filter(|known| known.id == named).collect(),
            None => self.live().collect(),
        }
    }

    /// The sides of those assertions.
    pub(crate) fn sides(&self, assertion: Option<AssertionId>) -> BTreeSet<Label> {
        self.meant(assertion).into_iter().filter_map(|known| known.side.clone()).collect()
    }

    /// What the verdict that stands says.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let current = self.current_verdict?;
        self.verdicts.iter().find(|verdict| verdict.id == current).map(|verdict| verdict.outcome)
    }

    /// Who is barred from judging it: who proposed or refined it, or recorded a live assertion.
    pub(crate) fn barred(&self) -> BTreeSet<UserId> {
        let authors = std::iter::once(self.proposed.by).chain(self.refined.iter().map(|r| r.by));
        let recorders = self.live().flat_map(|assertion| {
            let again = assertion.reattributed.iter().map(|remark| remark.by);
            std::iter::once(assertion.recorded.by).chain(again)
        });
        authors.chain(recorders).collect()
    }
}
