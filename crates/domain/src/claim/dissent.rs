//! «I do not agree with this verdict.» It stands beside the verdict, for ever.

use uuid::Uuid;

use super::{Claim, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::{ClaimId, VerdictId};
use crate::policy::Permission;
use crate::text::Passage;

/// Records a reviewer's opinion on a verdict. The same opinion again changes nothing.
#[derive(Clone, Debug)]
pub struct RecordDissent {
    /// On which claim.
    pub claim: ClaimId,
    /// On which of its verdicts.
    pub verdict: VerdictId,
    /// 1 strongly disagrees, 5 strongly agrees.
    pub opinion: u8,
    /// Why.
    pub reasons: Passage,
}

impl Command for RecordDissent {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Judge;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if !claim.verdicts.contains(&self.verdict) {
            return Err(Refusal::VerdictUnknown);
        }
        if !(1..=5).contains(&self.opinion) {
            return Err(Refusal::OpinionOutside.at("/opinion"));
        }
        if claim.dissents.get(&(self.verdict, ctx.actor)) == Some(&self.opinion) {
            return Ok(vec![]);
        }
        Ok(vec![Event::DissentRecorded {
            verdict: self.verdict,
            opinion: self.opinion,
            reasons: self.reasons.clone().into(),
        }])
    }
}
