//! «We see it otherwise now.» The earlier verdict stays in the series.

use uuid::Uuid;

use super::issue_verdict::{judged, needs};
use super::{Claim, Event, Judgement, Refusal, Supersession};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::ClaimId;
use crate::policy::Permission;

/// Replaces the current verdict by another. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct SupersedeVerdict {
    /// On which claim.
    pub claim: ClaimId,
    /// The new judgement.
    pub judgement: Judgement,
    /// What it says of the one before.
    pub supersession: Supersession,
}

impl Command for SupersedeVerdict {
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
        let current = claim.current.as_ref().ok_or(Refusal::NotJudged)?;
        if current.verdict == self.judgement.verdict && current.by == ctx.actor {
            return Ok(vec![]);
        }
        if !claim.verdicts.contains(&self.supersession.verdict) {
            return Err(Refusal::VerdictUnknown);
        }
        if current.verdict != self.supersession.verdict {
            return Err(Refusal::VerdictNotCurrent);
        }
        let issued = judged(self.claim, &self.judgement, claim, ctx)?;
        let superseded = Event::VerdictSuperseded {
            verdict: self.supersession.verdict,
            by: self.judgement.verdict,
            change: self.supersession.change,
            reason: self.supersession.reason.clone().into(),
        };
        Ok(vec![superseded, issued])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{cites_assertion, judgement, under_review, with_report_for};
    use super::super::{Change, IssueVerdict, Outcome};
    use super::*;
    use crate::testing::{decide_from, rao, reason};

    fn claim() -> ClaimId {
        Uuid::from_u128(5).into()
    }

    fn supersede(old: u128, new: u128) -> SupersedeVerdict {
        let mut judgement = judgement(Outcome::Refuted, vec![cites_assertion()]);
        judgement.verdict = Uuid::from_u128(new).into();
        for citation in &mut judgement.citations {
            citation.role = super::super::CitationRole::Refutes;
        }
        let supersession = Supersession {
            verdict: Uuid::from_u128(old).into(),
            change: Change::Reversed,
            reason: reason("new footage"),
        };
        SupersedeVerdict { claim: claim(), judgement, supersession }
    }

    #[test]
    fn the_chain_of_verdicts_is_linear() {
        let ctx = with_report_for(rao());
        let mut past = under_review();
        assert_eq!(decide_from(&past, &supersede(7, 8), &ctx), Err(Refusal::NotJudged));
        let first = IssueVerdict {
            claim: claim(),
            judgement: judgement(Outcome::Supported, vec![cites_assertion()]),
        };
        past.extend(decide_from(&past, &first, &ctx).unwrap_or_default());
        past.extend(decide_from(&past, &supersede(7, 8), &ctx).unwrap_or_default());
        assert!(matches!(
            past.last(),
            Some(Event::VerdictIssued { outcome: Outcome::Refuted, .. })
        ));
        assert_eq!(decide_from(&past, &supersede(7, 9), &ctx), Err(Refusal::VerdictNotCurrent));
        assert_eq!(decide_from(&past, &supersede(42, 9), &ctx), Err(Refusal::VerdictUnknown));
        assert_eq!(decide_from(&past, &first, &ctx), Err(Refusal::VerdictStands));
    }
}
