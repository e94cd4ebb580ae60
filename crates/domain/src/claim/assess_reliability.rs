//! «How far can they be relied on?» One axis, one act.

use uuid::Uuid;

use super::{Claim, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::{AssertionId, ClaimId};
use crate::policy::Permission;
use crate::text::{Name, Reason};
use crate::value::Reliability;

/// Grades a holder's reliability in this context. The same grade by the same person changes nothing.
#[derive(Clone, Debug)]
pub struct AssessReliability {
    /// Of which claim.
    pub claim: ClaimId,
    /// In which assertion.
    pub assertion: AssertionId,
    /// Which link of its chain, from 0, the publisher.
    pub link: u8,
    /// The grade.
    pub grade: Reliability,
    /// On which topic.
    pub topic: Option<Name>,
    /// Why.
    pub rationale: Reason,
}

impl Command for AssessReliability {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Grade;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        let assertion = claim.live(self.assertion)?;
        let links = assertion.content.as_ref().map_or(0, |content| content.chain.len());
        if usize::from(self.link) >= links {
            return Err(Refusal::LinkIndexOutside.at("/link"));
        }
        if assertion.reliability.get(&(ctx.actor, self.link)) == Some(&self.grade) {
            return Ok(vec![]);
        }
        Ok(vec![Event::ReliabilityAssessed {
            assertion: self.assertion,
            link: self.link,
            grade: self.grade,
            topic: self.topic.clone().map(Into::into),
            rationale: self.rationale.clone().into(),
        }])
    }
}
