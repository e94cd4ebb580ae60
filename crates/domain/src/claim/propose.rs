//! «Somebody says this.» The claim is what is said; who says it is recorded as assertions.

use uuid::Uuid;

use super::{Claim, ClaimKind, Event, Proposition, Refusal};
use crate::aggregate::{Command, Context, Found, Home, Need};
use crate::id::{CaseId, ClaimId};
use crate::policy::Permission;
use crate::text::Phrase;

/// Proposes a claim. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct ProposeClaim {
    /// In which case.
    pub case: CaseId,
    /// Which claim.
    pub claim: ClaimId,
    /// What kind it is.
    pub kind: ClaimKind,
    /// What is said.
    pub proposition: Proposition,
    /// What was odd in what was imported.
    pub flags: Vec<Phrase>,
}

impl Command for ProposeClaim {
    type On = Claim;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.claim.0
    }

    fn home(&self, claim: &Claim) -> Home {
        Home::Case(claim.in_case.unwrap_or(self.case))
    }

    fn needs(&self, _: &Claim, _: &Found) -> Vec<Need> {
        self.proposition.hangs_on().map(Need::Claim).collect()
    }

    fn decide(&self, claim: &Claim, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        let proposition = checked(self.claim, &self.proposition, self.kind, Some(self.case), ctx)?;
        if claim.in_case.is_some() {
            let same = claim.in_case == Some(self.case)
                && claim.proposition.as_ref() == Some(&proposition);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        Ok(vec![Event::Proposed {
            case: self.case,
            kind: self.kind,
            proposition: proposition.into(),
            flags: self.flags.clone(),
        }])
    }
}

/// A proposition with its time resolved and the claims it hangs on known.
pub(super) fn checked(
    claim: ClaimId,
    proposition: &Proposition,
    kind: ClaimKind,
    case: Option<CaseId>,
    ctx: &Context,
) -> Result<Proposition, Refusal> {
    for other in proposition.hangs_on() {
        if other == claim {
            return Err(Refusal::RelativeToItself.at("/time"));
        }
        ctx.found.claim(other, case).ok_or_else(|| Refusal::ClaimUnknown.at("/time"))?;
    }
    proposition.clone().resolved(kind)
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{proposal, proposed};
    use super::*;
    use crate::testing::{ctx, decide_from};
    use crate::value::{Form, FuzzyTime, Order, Quantity, TimeOrder};

    #[test]
    fn proposing_twice_is_harmless() {
        assert_eq!(decide_from(&proposed(), &proposal(), &ctx()), Ok(vec![]));
    }

    #[test]
    fn a_quantity_with_lower_above_upper_is_refused_where_it_stands() {
        let mut command = proposal();
        command.proposition.quantities = vec![Quantity {
            population: crate::testing::name("villages"),
            status: None,
            form: Form::Range { low: 9.into(), high: 3.into(), best: None },
            unit: None,
            qualifier: None,
        }];
        let refused = decide_from(&[], &command, &ctx()).map_err(|refusal| {
            use crate::aggregate::Refusal as _;
            (refusal.code(), refusal.pointer())
        });
        assert_eq!(refused, Err(("quantity_range_inverted", Some("/quantities/0".to_owned()))));
    }

    #[test]
    fn a_time_relative_to_an_unknown_claim_is_refused() {
        let mut command = proposal();
        let relative = Some(TimeOrder { rel: Order::After, to: Uuid::from_u128(99).into() });
        command.proposition.time = Some(FuzzyTime { relative, ..FuzzyTime::default() });
        assert_eq!(decide_from(&[], &command, &ctx()), Err(Refusal::ClaimUnknown.at("/time")));
    }
}
