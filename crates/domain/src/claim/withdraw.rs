//! «Leave this claim out», and «take it in again».

use uuid::Uuid;

use super::{Claim, Event, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::ClaimId;
use crate::policy::Permission;
use crate::text::Reason;

/// Withdraws a claim. A withdrawn one stays withdrawn.
#[derive(Clone, Debug)]
pub struct WithdrawClaim {
    /// Which claim.
    pub claim: ClaimId,
    /// Why.
    pub reason: Reason,
}

/// Takes a withdrawn claim in again, where it stood. One that stands already changes nothing.
#[derive(Clone, Debug)]
pub struct ReinstateClaim {
    /// Which claim.
    pub claim: ClaimId,
    /// Why.
    pub reason: Reason,
}

impl Command for WithdrawClaim {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, _: &Context) -> Result<Vec<Event>, Refusal> {
        match claim.standing {
            Standing::Withdrawn => Ok(vec![]),
            Standing::UnderReview => Err(Refusal::UnderReview),
            Standing::Proposed | Standing::Adjudicated | Standing::Stale => {
                Ok(vec![Event::Withdrawn { reason: self.reason.clone().into() }])
            }
        }
    }
}

impl Command for ReinstateClaim {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, _: &Context) -> Result<Vec<Event>, Refusal> {
        if claim.standing != Standing::Withdrawn {
            return Ok(vec![]);
        }
        Ok(vec![Event::Reinstated { reason: self.reason.clone().into() }])
    }
}
