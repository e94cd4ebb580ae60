//! «Put more exactly.» Only until somebody has judged it.

use uuid::Uuid;

use super::propose::checked;
use super::{Claim, ClaimKind, Event, Proposition, Refusal, Standing};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::ClaimId;
use crate::policy::Permission;
use crate::text::Reason;

/// Puts a claim more exactly. The same proposition again changes nothing.
#[derive(Clone, Debug)]
pub struct RefineClaim {
    /// Which claim.
    pub claim: ClaimId,
    /// What is said.
    pub proposition: Proposition,
    /// Why.
    pub reason: Reason,
}

impl Command for RefineClaim {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn needs(&self, _: &Claim, _: &Found) -> Vec<Need> {
        self.proposition.hangs_on().map(Need::Claim).collect()
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        claim.must_stand()?;
        let kind = claim.kind.unwrap_or(ClaimKind::Event);
        let proposition = checked(self.claim, &self.proposition, kind, claim.in_case, ctx)?;
        if claim.proposition.as_ref() == Some(&proposition) {
            return Ok(vec![]);
        }
        if !claim.verdicts.is_empty() {
            return Err(Refusal::Judged);
        }
        if claim.standing == Standing::UnderReview {
            return Err(Refusal::UnderReview);
        }
        Ok(vec![Event::Refined {
            proposition: proposition.into(),
            reason: self.reason.clone().into(),
        }])
    }
}
