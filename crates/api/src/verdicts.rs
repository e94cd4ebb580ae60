//! Reviews and verdicts: asking for judgement, returning it with questions, passing it, dissenting.

use actix_web::post;
use assay_domain::claim::{
    Change, CitedWords, IssueVerdict, Judgement, Outcome, RecordDissent, RequestReview,
    ReturnReview, SupersedeVerdict, Supersession, VerdictText,
};
use assay_domain::id::{ClaimId, VerdictId};
use assay_domain::text::{Passage, Reason};
use assay_domain::value::{Confidence, Likelihood};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::door::{Act, Place};
use crate::write::{Answer, Written};

/// What to look at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewBody {
    /// How urgent: 1 high, 2 normal, 3 low; normal where left out.
    #[serde(default = "normal")]
    #[schema(minimum = 1, maximum = 3)]
    priority: u8,
    /// What to look at.
    #[serde(default)]
    note: Option<Reason>,
}

/// What is missing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuestionsBody {
    /// What the reviewer must know first.
    questions: Passage,
}

/// A verdict to be passed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVerdict {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<VerdictId>,
    /// What it says.
    outcome: Outcome,
    /// How likely, on a scale of words.
    #[serde(default)]
    likelihood: Option<Likelihood>,
    /// How confident.
    confidence: Confidence,
    /// What it rests on.
    #[schema(max_items = 100)]
    citations: Vec<CitedWords>,
    /// Why.
    justification: Passage,
    /// What it takes for granted.
    #[serde(default)]
    #[schema(max_items = 50)]
    assumptions: Vec<Reason>,
    /// What else could be.
    #[serde(default)]
    #[schema(max_items = 50)]
    alternatives: Vec<Reason>,
    /// What would settle it.
    #[serde(default)]
    would_settle: Option<Reason>,
    /// The verdict it takes the place of.
    #[serde(default)]
    supersedes: Option<SupersedesBody>,
}

/// Which verdict gives way, and how the new one differs.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SupersedesBody {
    /// Which.
    verdict: VerdictId,
    /// How they differ.
    change: Change,
    /// Why.
    reason: Reason,
}

/// An opinion on a verdict.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DissentBody {
    /// 1 strongly disagrees, 5 strongly agrees.
    #[schema(minimum = 1, maximum = 5)]
    opinion: u8,
    /// Why.
    reasons: Passage,
}

const fn normal() -> u8 {
    2
}

/// Ask a reviewer to look.
#[utoipa::path(tag = "reviews", request_body = ReviewBody,
    responses((status = 200, description = "The claim is in the review queue.", body = Written)))]
#[post("/claims/{claim}/review")]
pub(crate) async fn request(act: Act<ReviewBody>, claim: Place<ClaimId>) -> Answer {
    let ReviewBody { priority, note } = act.body;
    act.asking.change(&RequestReview { claim: *claim, priority, note }, claim.0).await
}

/// Return a review with questions.
#[utoipa::path(tag = "reviews", request_body = QuestionsBody,
    responses((status = 200, description = "The claim is out of the queue, with questions.", body = Written)))]
#[post("/claims/{claim}/review/return")]
pub(crate) async fn give_back(act: Act<QuestionsBody>, claim: Place<ClaimId>) -> Answer {
    let command = ReturnReview { claim: *claim, questions: act.body.questions };
    act.asking.change(&command, claim.0).await
}

/// Pass a verdict on a claim under review, or one that supersedes the current one.
///
/// Nobody passes a verdict on what they proposed, recorded or collected.
#[utoipa::path(tag = "reviews", request_body = NewVerdict,
    responses((status = 201, description = "The verdict stands.", body = Written)))]
#[post("/claims/{claim}/verdicts")]
pub(crate) async fn issue(act: Act<NewVerdict>, claim: Place<ClaimId>) -> Answer {
    let Act { asking, body } = act;
    let (claim, verdict) = (*claim, asking.id(body.id, "verdict"));
    let (judgement, supersession) = judgement(verdict, body);
    let place = format!("claims/{claim}/verdicts");
    match supersession {
        None => asking.create(&IssueVerdict { claim, judgement }, verdict.0, &place).await,
        Some(supersession) => {
            let command = SupersedeVerdict { claim, judgement, supersession };
            asking.create(&command, verdict.0, &place).await
        }
    }
}

/// Say how far one agrees with a verdict; it stands beside it.
#[utoipa::path(tag = "reviews", request_body = DissentBody,
    responses((status = 200, description = "The opinion stands beside the verdict.", body = Written)))]
#[post("/claims/{claim}/verdicts/{verdict}/dissents")]
pub(crate) async fn dissent(act: Act<DissentBody>, place: Place<(ClaimId, VerdictId)>) -> Answer {
    let (claim, verdict) = place.into_inner();
    let DissentBody { opinion, reasons } = act.body;
    act.asking.change(&RecordDissent { claim, verdict, opinion, reasons }, verdict.0).await
}

fn judgement(verdict: VerdictId, body: NewVerdict) -> (Judgement, Option<Supersession>) {
    let NewVerdict { justification, assumptions, alternatives, would_settle, .. } = body;
    let NewVerdict { outcome, likelihood, confidence, citations, supersedes, .. } = body;
    let text = VerdictText { justification, assumptions, alternatives, would_settle };
    let supersession = supersedes.map(|SupersedesBody { verdict, change, reason }| Supersession {
        verdict,
        change,
        reason,
    });
    (Judgement { verdict, outcome, likelihood, confidence, citations, text }, supersession)
}
