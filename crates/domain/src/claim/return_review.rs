//! «I cannot judge this yet; tell me …»

use uuid::Uuid;

use super::{Claim, Event, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::ClaimId;
use crate::policy::Permission;
use crate::text::Passage;

/// Returns a claim with questions. Only while it is under review.
#[derive(Clone, Debug)]
pub struct ReturnReview {
    /// Which claim.
    pub claim: ClaimId,
    /// What is missing.
    pub questions: Passage,
}

impl Command for ReturnReview {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Judge;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, _: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        if claim.standing != Standing::UnderReview {
            return Err(Refusal::NotUnderReview);
        }
        let questions = self.questions.clone().into();
        Ok(vec![Event::ReviewReturned { round: claim.round, questions }])
    }
}
