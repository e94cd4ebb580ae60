//! «How far is it to be believed, whoever says it?» The other axis, another act.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{AssertionRef, Claim, Cluster, Event, Refusal};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::{AssertionId, ClaimId};
use crate::policy::Permission;
use crate::text::Reason;
use crate::value::Credibility;

/// Grades an information's credibility. The same grade by the same person changes nothing.
#[derive(Clone, Debug)]
pub struct AssessCredibility {
    /// Of which claim.
    pub claim: ClaimId,
    /// Of which assertion.
    pub assertion: AssertionId,
    /// The grade.
    pub grade: Credibility,
    /// The assertions that corroborate it.
    pub corroborated_by: Vec<AssertionRef>,
    /// Why.
    pub rationale: Reason,
}

impl AssessCredibility {
    /// The origins of what corroborates it.
    fn origins(&self, claim: &Claim, ctx: &Context) -> Result<BTreeSet<Cluster>, Refusal> {
        let mut origins = BTreeSet::new();
        for (other, at) in self.corroborated_by.iter().zip(0..) {
            let unknown = || Refusal::CorroborationUnknown.at(format!("/corroborated_by/{at}"));
            let own = other.claim == self.claim;
            let found =
                ctx.found.claim(other.claim, claim.in_case).map(|found| found.state.as_ref());
            let holder = if own { Some(claim) } else { found };
            let assertion = holder.and_then(|holder| holder.live(other.assertion).ok());
            origins.insert(assertion.ok_or_else(unknown)?.cluster());
        }
        Ok(origins)
    }
}

impl Command for AssessCredibility {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Grade;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn needs(&self, _: &Claim, _: &Found) -> Vec<Need> {
        let others = self.corroborated_by.iter().filter(|other| other.claim != self.claim);
        others.map(|other| Need::Claim(other.claim)).collect()
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        let assertion = claim.live(self.assertion)?;
        let mut origins = self.origins(claim, ctx)?;
        origins.remove(&assertion.cluster());
        if self.grade == Credibility::Confirmed && origins.len() < 2 {
            return Err(Refusal::CorroborationMissing.at("/corroborated_by"));
        }
        if assertion.credibility.get(&ctx.actor) == Some(&self.grade) {
            return Ok(vec![]);
        }
        Ok(vec![Event::CredibilityAssessed {
            assertion: self.assertion,
            grade: self.grade,
            corroborated_by: self.corroborated_by.clone(),
            rationale: self.rationale.clone().into(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{asserted, assertion_id};
    use super::*;
    use crate::testing::{ctx, decide_from, reason};

    fn assess(grade: Credibility) -> AssessCredibility {
        AssessCredibility {
            claim: Uuid::from_u128(5).into(),
            assertion: assertion_id(),
            grade,
            corroborated_by: vec![],
            rationale: reason("seen elsewhere"),
        }
    }

    #[test]
    fn confirmed_needs_two_other_origins() {
        let refused = decide_from(&asserted(), &assess(Credibility::Confirmed), &ctx());
        assert_eq!(refused, Err(Refusal::CorroborationMissing.at("/corroborated_by")));
        assert!(decide_from(&asserted(), &assess(Credibility::ProbablyTrue), &ctx()).is_ok());
    }

    #[test]
    fn the_same_grade_by_the_same_person_adds_nothing() {
        let mut past = asserted();
        let command = assess(Credibility::CannotBeJudged);
        past.extend(decide_from(&past, &command, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &command, &ctx()), Ok(vec![]));
    }
}
