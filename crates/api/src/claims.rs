//! Claims: what is said, who says it in which words, how far they are to be relied on.

use actix_web::{post, put};
use assay_domain::claim::{
    AssertionRef, AssertionWithdrawal, AssessCredibility, AssessReliability, ClaimKind, Materiel,
    Participant, ProposeClaim, Proposition, ReattributeAssertion, RecordAssertion, RefineClaim,
    ReinstateClaim, Resolution, WithdrawAssertion, WithdrawClaim,
};
use assay_domain::id::{AssertionId, CaseId, ClaimId, ReportId};
use assay_domain::report::ToolUse;
use assay_domain::text::{Name, Phrase, Reason};
use assay_domain::value::{
    Chain, Credibility, FuzzyPlace, FuzzyTime, Hedge, Polarity, Quantity, Quote, Reliability,
    Stance,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::door::{Act, Place};
use crate::users::ReasonBody;
use crate::write::{Answer, Written};

/// A claim to be proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClaim {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<ClaimId>,
    /// What kind it is.
    kind: ClaimKind,
    /// What is said, in one neutral sentence.
    gist: Reason,
    /// Whether it is affirmed or negated.
    polarity: Polarity,
    /// Who takes part in which role.
    #[serde(default)]
    participants: Vec<Participant>,
    /// When it is said to have been.
    #[serde(default)]
    time: Option<FuzzyTime>,
    /// Where.
    #[serde(default)]
    places: Vec<FuzzyPlace>,
    /// How many.
    #[serde(default)]
    quantities: Vec<Quantity>,
    /// With what.
    #[serde(default)]
    materiel: Vec<Materiel>,
    /// How a prediction will be resolved.
    #[serde(default)]
    resolution: Option<Resolution>,
}

/// A claim put more exactly.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refinement {
    /// What is said, in one neutral sentence.
    gist: Reason,
    /// Whether it is affirmed or negated.
    polarity: Polarity,
    /// Who takes part in which role.
    #[serde(default)]
    participants: Vec<Participant>,
    /// When it is said to have been.
    #[serde(default)]
    time: Option<FuzzyTime>,
    /// Where.
    #[serde(default)]
    places: Vec<FuzzyPlace>,
    /// How many.
    #[serde(default)]
    quantities: Vec<Quantity>,
    /// With what.
    #[serde(default)]
    materiel: Vec<Materiel>,
    /// How a prediction will be resolved.
    #[serde(default)]
    resolution: Option<Resolution>,
    /// Why.
    reason: Reason,
}

/// An assertion to be recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAssertion {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<AssertionId>,
    /// In which report.
    report: ReportId,
    /// Who says that who says it, publisher first, origin last.
    chain: Chain,
    /// What the holder does towards the claim.
    stance: Stance,
    /// How strongly.
    hedge: Hedge,
    /// Whether it is affirmed or negated.
    polarity: Polarity,
    /// The words themselves.
    #[schema(min_items = 1, max_items = 50)]
    quotes: Vec<Quote>,
    /// The narrator's evaluative words, verbatim.
    #[serde(default)]
    editorial: Vec<Phrase>,
    /// What is to be said about this reading.
    #[serde(default)]
    note: Option<Reason>,
    /// The tool that proposed it, where one did.
    #[serde(default)]
    tool: Option<ToolUse>,
}

/// Another attribution.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChainBody {
    /// Who says that who says it, publisher first, origin last.
    chain: Chain,
    /// Why.
    reason: Reason,
}

/// Why an assertion is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawAssertionBody {
    /// Why.
    why: AssertionWithdrawal,
    /// In more words.
    #[serde(default)]
    note: Option<Reason>,
}

/// How far a holder can be relied on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReliabilityBody {
    /// Which link of the chain, from 0, the publisher.
    link: u8,
    /// The grade, A to F.
    grade: Reliability,
    /// On which topic.
    #[serde(default)]
    topic: Option<Name>,
    /// Why.
    rationale: Reason,
}

/// How far an information is to be believed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CredibilityBody {
    /// The grade, `1` to `6`.
    grade: Credibility,
    /// The assertions that corroborate it.
    #[serde(default)]
    #[schema(max_items = 100)]
    corroborated_by: Vec<AssertionRef>,
    /// Why.
    rationale: Reason,
}

/// Propose a claim in a case.
#[utoipa::path(tag = "claims", request_body = NewClaim,
    responses((status = 201, description = "The claim is proposed.", body = Written)))]
#[post("/cases/{case}/claims")]
pub(crate) async fn propose(act: Act<NewClaim>, case: Place<CaseId>) -> Answer {
    let Act { asking, body } = act;
    let NewClaim { gist, polarity, participants, time, places, quantities, .. } = body;
    let NewClaim { id, kind, materiel, resolution, .. } = body;
    let claim = asking.id(id, "claim");
    let proposition = Proposition {
        gist,
        polarity,
        participants,
        time,
        places,
        quantities,
        materiel,
        resolution,
    };
    let command = ProposeClaim { case: *case, claim, kind, proposition, flags: Vec::new() };
    asking.create(&command, claim.0, &format!("claims/{claim}")).await
}

/// Put a claim more exactly, until somebody has judged it.
#[utoipa::path(tag = "claims", request_body = Refinement,
    responses((status = 200, description = "It says this now.", body = Written)))]
#[put("/claims/{claim}/proposition")]
pub(crate) async fn refine(act: Act<Refinement>, claim: Place<ClaimId>) -> Answer {
    let Refinement { gist, polarity, participants, time, places, quantities, .. } = act.body;
    let Refinement { materiel, resolution, reason, .. } = act.body;
    let proposition = Proposition {
        gist,
        polarity,
        participants,
        time,
        places,
        quantities,
        materiel,
        resolution,
    };
    act.asking.change(&RefineClaim { claim: *claim, proposition, reason }, claim.0).await
}

/// Record who says it, in which words.
#[utoipa::path(tag = "claims", request_body = NewAssertion,
    responses((status = 201, description = "The assertion is recorded.", body = Written)))]
#[post("/claims/{claim}/assertions")]
pub(crate) async fn assert(act: Act<NewAssertion>, claim: Place<ClaimId>) -> Answer {
    let Act { asking, body } = act;
    let NewAssertion { id, report, chain, stance, hedge, polarity, quotes, .. } = body;
    let NewAssertion { editorial, note, tool, .. } = body;
    let (claim, assertion) = (*claim, asking.id(id, "assertion"));
    let command = RecordAssertion {
        claim,
        assertion,
        report,
        chain,
        stance,
        hedge,
        polarity,
        quotes,
        editorial,
        note,
        tool,
    };
    asking.create(&command, assertion.0, &format!("claims/{claim}/assertions")).await
}

/// Say that somebody else says it.
#[utoipa::path(tag = "claims", request_body = ChainBody,
    responses((status = 200, description = "It is attributed so.", body = Written)))]
#[put("/claims/{claim}/assertions/{assertion}/chain")]
pub(crate) async fn reattribute(
    act: Act<ChainBody>,
    place: Place<(ClaimId, AssertionId)>,
) -> Answer {
    let (claim, assertion) = place.into_inner();
    let ChainBody { chain, reason } = act.body;
    let command = ReattributeAssertion { claim, assertion, chain, reason };
    act.asking.change(&command, assertion.0).await
}

/// Take an assertion back.
#[utoipa::path(tag = "claims", request_body = WithdrawAssertionBody,
    responses((status = 200, description = "It is taken back.", body = Written)))]
#[post("/claims/{claim}/assertions/{assertion}/withdraw")]
pub(crate) async fn withdraw_assertion(
    act: Act<WithdrawAssertionBody>,
    place: Place<(ClaimId, AssertionId)>,
) -> Answer {
    let (claim, assertion) = place.into_inner();
    let WithdrawAssertionBody { why, note } = act.body;
    act.asking.change(&WithdrawAssertion { claim, assertion, why, note }, assertion.0).await
}

/// Grade how far a holder can be relied on.
#[utoipa::path(tag = "claims", request_body = ReliabilityBody,
    responses((status = 200, description = "It is graded.", body = Written)))]
#[post("/claims/{claim}/assertions/{assertion}/reliability")]
pub(crate) async fn assess_reliability(
    act: Act<ReliabilityBody>,
    place: Place<(ClaimId, AssertionId)>,
) -> Answer {
    let (claim, assertion) = place.into_inner();
    let ReliabilityBody { link, grade, topic, rationale } = act.body;
    let command = AssessReliability { claim, assertion, link, grade, topic, rationale };
    act.asking.change(&command, assertion.0).await
}

/// Grade how far an information is to be believed.
#[utoipa::path(tag = "claims", request_body = CredibilityBody,
    responses((status = 200, description = "It is graded.", body = Written)))]
#[post("/claims/{claim}/assertions/{assertion}/credibility")]
pub(crate) async fn assess_credibility(
    act: Act<CredibilityBody>,
    place: Place<(ClaimId, AssertionId)>,
) -> Answer {
    let (claim, assertion) = place.into_inner();
    let CredibilityBody { grade, corroborated_by, rationale } = act.body;
    let command = AssessCredibility { claim, assertion, grade, corroborated_by, rationale };
    act.asking.change(&command, assertion.0).await
}

/// Take a claim out of the work.
#[utoipa::path(tag = "claims", request_body = ReasonBody,
    responses((status = 200, description = "It is withdrawn.", body = Written)))]
#[post("/claims/{claim}/withdraw")]
pub(crate) async fn withdraw(act: Act<ReasonBody>, claim: Place<ClaimId>) -> Answer {
    let command = WithdrawClaim { claim: *claim, reason: act.body.reason };
    act.asking.change(&command, claim.0).await
}

/// Take a withdrawn claim in again.
#[utoipa::path(tag = "claims", request_body = ReasonBody,
    responses((status = 200, description = "It stands again.", body = Written)))]
#[post("/claims/{claim}/reinstate")]
pub(crate) async fn reinstate(act: Act<ReasonBody>, claim: Place<ClaimId>) -> Answer {
    let command = ReinstateClaim { claim: *claim, reason: act.body.reason };
    act.asking.change(&command, claim.0).await
}
