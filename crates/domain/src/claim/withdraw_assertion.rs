//! «We misread that.» A verdict resting on it goes stale; nothing flips by itself.

use uuid::Uuid;

use super::{AssertionWithdrawal, Claim, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::{AssertionId, ClaimId};
use crate::policy::Permission;
use crate::text::Reason;

/// Takes an assertion back. One taken back already changes nothing.
#[derive(Clone, Debug)]
pub struct WithdrawAssertion {
    /// Of which claim.
    pub claim: ClaimId,
    /// Which assertion.
    pub assertion: AssertionId,
    /// Why.
    pub why: AssertionWithdrawal,
    /// In more words.
    pub note: Option<Reason>,
}

impl Command for WithdrawAssertion {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn decide(&self, claim: &Claim, _: &Context) -> Result<Vec<Event>, Refusal> {
        let assertion = claim.assertions.get(&self.assertion).ok_or(Refusal::AssertionUnknown)?;
        if assertion.withdrawn {
            return Ok(vec![]);
        }
        let withdrawn = Event::AssertionWithdrawn {
            assertion: self.assertion,
            why: self.why,
            note: self.note.clone().map(Into::into),
        };
        Ok(std::iter::once(withdrawn).chain(claim.basis_changed(self.assertion)).collect())
    }
}
