//! «It was somebody else who said it.» The earlier attribution stays in the history.

use uuid::Uuid;

use super::record_assertion::known_sources;
use super::{Claim, Event, Refusal};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::{AssertionId, ClaimId};
use crate::policy::Permission;
use crate::text::Reason;
use crate::value::{Chain, Holder};

/// Attributes an assertion to another chain. The same chain again changes nothing.
#[derive(Clone, Debug)]
pub struct ReattributeAssertion {
    /// Of which claim.
    pub claim: ClaimId,
    /// Which assertion.
    pub assertion: AssertionId,
    /// Who says that who says it.
    pub chain: Chain,
    /// Why.
    pub reason: Reason,
}

impl Command for ReattributeAssertion {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn needs(&self, _: &Claim, _: &Found) -> Vec<Need> {
        let source = |holder: &Holder| match holder {
            Holder::Source { source } => Some(Need::Source(*source)),
            _ => None,
        };
        self.chain.links().filter_map(|link| source(&link.holder)).collect()
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        let assertion = claim.live(self.assertion)?;
        known_sources(&self.chain, ctx)?;
        if assertion.content.as_ref().is_some_and(|content| content.chain == self.chain) {
            return Ok(vec![]);
        }
        let changed = Event::AssertionReattributed {
            assertion: self.assertion,
            chain: self.chain.clone().into(),
            reason: self.reason.clone().into(),
        };
        Ok(std::iter::once(changed).chain(claim.basis_changed(self.assertion)).collect())
    }
}
