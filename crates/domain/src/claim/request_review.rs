//! «Please look at this.»

use uuid::Uuid;

use super::{Claim, Event, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::ClaimId;
use crate::policy::Permission;
use crate::text::{Reason, ValueError};

/// Asks for review. A claim under review stays under review.
#[derive(Clone, Debug)]
pub struct RequestReview {
    /// Of which claim.
    pub claim: ClaimId,
    /// How urgent: 1 high, 2 normal, 3 low.
    pub priority: u8,
    /// What to look at.
    pub note: Option<Reason>,
}

impl Command for RequestReview {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::RequestReview;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, _: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        if !(1..=3).contains(&self.priority) {
            let error = ValueError::new("review_priority", "1 high, 2 normal, 3 low");
            return Err(Refusal::Value(error).at("/priority"));
        }
        if claim.standing == Standing::UnderReview {
            return Ok(vec![]);
        }
        if claim.assertions.values().all(|assertion| assertion.withdrawn) {
            return Err(Refusal::NoAssertion);
        }
        Ok(vec![Event::ReviewRequested {
            round: claim.round.saturating_add(1),
            priority: self.priority,
            note: self.note.clone().map(Into::into),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{asserted, proposed};
    use super::*;
    use crate::testing::{ctx, decide_from};

    #[test]
    fn a_claim_nobody_makes_is_not_reviewed() {
        let request = RequestReview { claim: Uuid::from_u128(5).into(), priority: 2, note: None };
        assert_eq!(decide_from(&proposed(), &request, &ctx()), Err(Refusal::NoAssertion));
        let mut past = asserted();
        past.extend(decide_from(&past, &request, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &request, &ctx()), Ok(vec![]));
    }
}
