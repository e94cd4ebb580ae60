//! «This is what the evidence shows.» Four eyes, cited evidence, no skipped state.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    AssertionContent, Citation, Cited, CitedWords, Claim, ClaimKind, Cluster, Event, Judgement,
    Refusal, Standing,
};
use crate::aggregate::{At, Command, Context, Found, Need};
use crate::id::{ClaimId, ReportId, UserId};
use crate::policy::Permission;
use crate::report::Report;

/// Passes the first verdict on a claim under review. The same verdict again changes nothing.
#[derive(Clone, Debug)]
pub struct IssueVerdict {
    /// On which claim.
    pub claim: ClaimId,
    /// The judgement.
    pub judgement: Judgement,
}

impl Command for IssueVerdict {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Judge;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn needs(&self, claim: &Claim, found: &Found) -> Vec<Need> {
        needs(self.claim, &self.judgement, claim, found)
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        if let Some(current) = &claim.current {
            let same = current.verdict == self.judgement.verdict && current.by == ctx.actor;
            return if same { Ok(vec![]) } else { Err(Refusal::VerdictStands) };
        }
        if claim.standing != Standing::UnderReview {
            return Err(Refusal::NotUnderReview);
        }
        Ok(vec![judged(self.claim, &self.judgement, claim, ctx)?])
    }
}

/// What must be known of what is cited: the claims, then the reports behind their assertions.
pub(super) fn needs(id: ClaimId, judgement: &Judgement, claim: &Claim, found: &Found) -> Vec<Need> {
    let mut needs = Vec::new();
    for citation in &judgement.citations {
        match citation.cites {
            Cited::Report(report) => needs.push(Need::Report(report)),
            Cited::Assertion(cited) => {
                let other = found.claims.get(&cited.claim).map(|found| found.state.as_ref());
                let holder = if cited.claim == id { Some(claim) } else { other };
                match holder {
                    None => needs.push(Need::Claim(cited.claim)),
                    Some(holder) => {
                        let assertion = holder.assertions.get(&cited.assertion);
                        needs.extend(assertion.map(|known| Need::Report(known.report)));
                    }
                }
            }
        }
    }
    needs
}

/// The fact of a verdict, after every rule that holds for all verdicts.
pub(super) fn judged(
    id: ClaimId,
    judgement: &Judgement,
    claim: &Claim,
    ctx: &Context,
) -> Result<Event, Refusal> {
    if claim.verdicts.contains(&judgement.verdict) {
        return Err(Refusal::VerdictTaken);
    }
    let mut hands =
        Hands { on_claim: claim.authors.clone(), on_cited: BTreeSet::new(), filed: Vec::new() };
    hands.must_not_include(ctx.actor)?;
    judgement.check(claim.kind.unwrap_or(ClaimKind::Event))?;
    let mut citations = Vec::with_capacity(judgement.citations.len());
    let mut seen = BTreeSet::new();
    for (cited, at) in judgement.citations.iter().zip(0..) {
        if !seen.insert(cited.cites) {
            return Err(Refusal::CitationTwice.at(format!("/citations/{at}")));
        }
        let pinned = pin(id, cited, claim, ctx, &mut hands);
        citations.push(pinned.map_err(|refusal| refusal.at(format!("/citations/{at}")))?);
    }
    hands.must_not_include(ctx.actor)?;
    Ok(Event::VerdictIssued {
        verdict: judgement.verdict,
        outcome: judgement.outcome,
        likelihood: judgement.likelihood.clone(),
        confidence: judgement.confidence,
        cites: citations.iter().map(|citation: &Citation| citation.cites).collect(),
        citations: citations.into(),
        text: judgement.text.clone().into(),
        basis: ctx.revision.unwrap_or_default(),
    })
}

/// Whose hands were on what a verdict rests on.
struct Hands {
    on_claim: BTreeSet<UserId>,
    on_cited: BTreeSet<UserId>,
    filed: Vec<Option<UserId>>,
}

impl Hands {
    /// Four eyes: not who proposed it, not who recorded what is cited, not who alone collected all of it.
    fn must_not_include(&self, issuer: UserId) -> Result<(), Refusal> {
        let collected_all =
            !self.filed.is_empty() && self.filed.iter().all(|by| *by == Some(issuer));
        if self.on_claim.contains(&issuer) || self.on_cited.contains(&issuer) || collected_all {
            return Err(Refusal::FourEyes);
        }
        Ok(())
    }
}

/// Pins a citation to the hash and the version that stand now.
fn pin(
    id: ClaimId,
    words: &CitedWords,
    claim: &Claim,
    ctx: &Context,
    hands: &mut Hands,
) -> Result<Citation, Refusal> {
    let report = |report: ReportId| -> Result<&At<Report>, Refusal> {
        ctx.found.report(report, claim.in_case).ok_or(Refusal::CitationUnknown)
    };
    let (sha256, version, cluster) = match words.cites {
        Cited::Report(cites) => {
            let found = report(cites)?;
            hands.filed.push(found.state.filed_by);
            let original = found.state.original.and_then(|id| found.state.renditions.get(&id));
            let content = original.and_then(|rendition| rendition.content.as_ref());
            let cluster = found.state.publisher().map_or(Cluster::Report(cites), Cluster::Source);
            (content.map(|content| content.text_sha256.clone()), found.revision, cluster)
        }
        Cited::Assertion(cites) => {
            let found = ctx.found.claim(cites.claim, claim.in_case);
            let (holder, version) = match (cites.claim == id, found) {
                (true, _) => (claim, ctx.revision.unwrap_or_default()),
                (false, Some(found)) => (found.state.as_ref(), found.revision),
                (false, None) => return Err(Refusal::CitationUnknown),
            };
            let assertion = holder.live(cites.assertion).map_err(|_| Refusal::CitationUnknown)?;
            hands.on_cited.extend(assertion.recorders.iter());
            hands.filed.push(report(assertion.report)?.state.filed_by);
            (assertion.content.as_ref().map(AssertionContent::sha256), version, assertion.cluster())
        }
    };
    let sha256 = sha256.ok_or(Refusal::CitationUnknown)?;
    if words.sha256.as_ref().is_some_and(|seen| seen.as_str() != sha256) {
        return Err(Refusal::CitationMoved);
    }
    let note = words.note.clone();
    Ok(Citation { cites: words.cites, role: words.role, sha256, version, cluster, note })
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{
        assertion_id, cites_assertion, judgement, under_review, with_report_for,
    };
    use super::super::{AssertionRef, Outcome};
    use super::*;
    use crate::testing::{ana, decide_from, rao, reason};

    fn issue(judgement: Judgement) -> IssueVerdict {
        IssueVerdict { claim: Uuid::from_u128(5).into(), judgement }
    }

    #[test]
    fn the_proposer_does_not_judge() {
        let command = issue(judgement(Outcome::Supported, vec![cites_assertion()]));
        let refused = decide_from(&under_review(), &command, &with_report_for(ana()));
        assert_eq!(refused, Err(Refusal::FourEyes));
    }

    #[test]
    fn somebody_else_judges_with_a_citation() {
        let command = issue(judgement(Outcome::Supported, vec![cites_assertion()]));
        let facts = decide_from(&under_review(), &command, &with_report_for(rao()));
        assert!(facts.is_ok_and(|facts| matches!(
            facts.as_slice(),
            [Event::VerdictIssued { cites, .. }]
                if *cites == [Cited::Assertion(AssertionRef { claim: Uuid::from_u128(5).into(), assertion: assertion_id() })]
        )));
    }

    #[test]
    fn an_outcome_without_its_citation_is_refused() {
        for outcome in [Outcome::Supported, Outcome::Refuted, Outcome::ConflictingEvidence] {
            let refused = decide_from(
                &under_review(),
                &issue(judgement(outcome, vec![])),
                &with_report_for(rao()),
            );
            assert_eq!(refused, Err(Refusal::CitationMissing.at("/citations")), "{outcome:?}");
        }
    }

    #[test]
    fn not_enough_says_what_would_settle_it() {
        let mut silent = judgement(Outcome::NotEnoughEvidence, vec![]);
        let refused = decide_from(&under_review(), &issue(silent.clone()), &with_report_for(rao()));
        assert_eq!(refused, Err(Refusal::SettleMissing.at("/would_settle")));
        silent.text.would_settle = Some(reason("the footage of the prisoners"));
        assert!(decide_from(&under_review(), &issue(silent), &with_report_for(rao())).is_ok());
    }

    #[test]
    fn a_citation_that_moved_is_refused() {
        let seen = crate::text::Phrase::try_from("00").ok();
        let moved = CitedWords { sha256: seen, ..cites_assertion() };
        let refused = decide_from(
            &under_review(),
            &issue(judgement(Outcome::Supported, vec![moved])),
            &with_report_for(rao()),
        );
        assert_eq!(refused, Err(Refusal::CitationMoved.at("/citations/0")));
    }

    #[test]
    fn no_state_is_skipped() {
        let past = super::super::tests_support::asserted();
        let command = issue(judgement(Outcome::Supported, vec![cites_assertion()]));
        assert_eq!(
            decide_from(&past, &command, &with_report_for(rao())),
            Err(Refusal::NotUnderReview)
        );
    }
}
