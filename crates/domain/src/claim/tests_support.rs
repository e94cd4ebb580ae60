//! A claim, a report and a judgement for the tests of this subject.

use uuid::Uuid;

use super::{
    AssertionRef, CitationRole, Cited, CitedWords, Claim, ClaimKind, Event, Judgement, Outcome,
    ProposeClaim, Proposition, RecordAssertion, RequestReview, VerdictText,
};
use crate::aggregate::{At, Context};
use crate::id::{AssertionId, UserId};
use crate::report::{self, Report};
use crate::testing::{ana, by, ctx, decide_from, reason, state_by};
use crate::text::Passage;
use crate::value::{
    Act, Chain, ChainLink, Confidence, Directness, Hedge, HedgeLevel, Holder, Polarity, Quote,
    Scope, Stance,
};

pub(super) fn assertion_id() -> AssertionId {
    Uuid::from_u128(6).into()
}

pub(super) fn proposal() -> ProposeClaim {
    ProposeClaim {
        case: Uuid::from_u128(1).into(),
        claim: Uuid::from_u128(5).into(),
        kind: ClaimKind::Event,
        proposition: Proposition {
            gist: reason("rebels took villages"),
            polarity: Polarity::Affirmed,
            participants: vec![],
            time: None,
            places: vec![],
            quantities: vec![],
            materiel: vec![],
            resolution: None,
        },
        flags: vec![],
    }
}

pub(super) fn proposed() -> Vec<Event> {
    decide_from(&[], &proposal(), &ctx()).unwrap_or_default()
}

pub(super) fn narrator() -> Chain {
    let link = ChainLink {
        holder: Holder::Narrator,
        side: None,
        act: Act::Asserts,
        directness: Directness::Narration,
        verb: None,
        scope: Scope::Explicit,
    };
    Chain::try_from(vec![link]).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn recording(words: &str) -> RecordAssertion {
    let quote = Quote {
        rendition: None,
        exact: Some(words.to_owned()),
        prefix: None,
        suffix: None,
        start: None,
        end: None,
        span_sha256: None,
        text_sha256: None,
    };
    RecordAssertion {
        claim: Uuid::from_u128(5).into(),
        assertion: assertion_id(),
        report: Uuid::from_u128(2).into(),
        chain: narrator(),
        stance: Stance::Asserts,
        hedge: Hedge { level: HedgeLevel::Flat, marker: None },
        polarity: Polarity::Affirmed,
        quotes: vec![quote],
        editorial: vec![],
        note: None,
        tool: None,
    }
}

/// Ana filed the report; somebody asks.
pub(super) fn with_report_for(actor: UserId) -> Context {
    let state: Report = state_by(&report::test_support::filed(), ana());
    let mut ctx = by(actor);
    ctx.revision = Some(2);
    ctx.found.reports.insert(Uuid::from_u128(2).into(), At { state: state.into(), revision: 0 });
    ctx
}

pub(super) fn with_report() -> Context {
    with_report_for(ana())
}

pub(super) fn asserted() -> Vec<Event> {
    let mut past = proposed();
    past.extend(decide_from(&past, &recording("16 villages"), &with_report()).unwrap_or_default());
    past
}

pub(super) fn under_review() -> Vec<Event> {
    let mut past = asserted();
    let request = RequestReview { claim: Uuid::from_u128(5).into(), priority: 2, note: None };
    past.extend(decide_from(&past, &request, &ctx()).unwrap_or_default());
    past
}

pub(super) fn cites_assertion() -> CitedWords {
    let cites = AssertionRef { claim: Uuid::from_u128(5).into(), assertion: assertion_id() };
    CitedWords {
        cites: Cited::Assertion(cites),
        role: CitationRole::Supports,
        sha256: None,
        note: None,
    }
}

pub(super) fn judgement(outcome: Outcome, citations: Vec<CitedWords>) -> Judgement {
    Judgement {
        verdict: Uuid::from_u128(7).into(),
        outcome,
        likelihood: None,
        confidence: Confidence::Moderate,
        citations,
        text: VerdictText {
            justification: Passage::try_from("seen").unwrap_or_else(|error| panic!("{error}")),
            assumptions: vec![],
            alternatives: vec![],
            would_settle: None,
        },
    }
}

#[test]
fn a_withdrawn_assertion_makes_its_verdict_stale_once() {
    use super::{AssertionWithdrawal, IssueVerdict, Standing, WithdrawAssertion};
    let claim = Uuid::from_u128(5).into();
    let ctx = with_report_for(crate::testing::rao());
    let mut past = under_review();
    let issue =
        IssueVerdict { claim, judgement: judgement(Outcome::Supported, vec![cites_assertion()]) };
    past.extend(decide_from(&past, &issue, &ctx).unwrap_or_default());
    let withdraw = WithdrawAssertion {
        claim,
        assertion: assertion_id(),
        why: AssertionWithdrawal::Misread,
        note: None,
    };
    past.extend(decide_from(&past, &withdraw, &ctx).unwrap_or_default());
    let state: Claim = state_by(&past, ana());
    assert_eq!(state.standing, Standing::Stale);
    assert_eq!(decide_from(&past, &withdraw, &ctx), Ok(vec![]));
}
