//! «Only these may know of it.» Raising is free; lowering is the originator's, with a reason.

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::CaseId;
use crate::policy::Permission;
use crate::text::Reason;
use crate::value::Tlp;

/// Marks a case. The same marking again changes nothing.
#[derive(Clone, Debug)]
pub struct MarkCase {
    /// Which case.
    pub case: CaseId,
    /// Its new marking.
    pub marking: Tlp,
    /// Why; needed for lowering.
    pub reason: Option<Reason>,
}

impl Command for MarkCase {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageMembers;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        let marking = self.marking;
        if marking == case.marking {
            return Ok(vec![]);
        }
        if marking > case.marking {
            return Ok(vec![Event::MarkingRaised { marking }]);
        }
        if case.originator != Some(ctx.actor) {
            return Err(Refusal::NotOriginator);
        }
        let reason = self.reason.clone().ok_or_else(|| Refusal::ReasonMissing.at("/reason"))?;
        Ok(vec![Event::MarkingLowered { marking, reason: reason.into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::opened;
    use super::*;
    use crate::testing::{by, ctx, decide_from, rao, reason};

    fn mark(marking: Tlp, why: Option<&str>) -> MarkCase {
        MarkCase { case: Uuid::from_u128(1).into(), marking, reason: why.map(reason) }
    }

    #[test]
    fn lowering_is_the_originators_with_a_reason() {
        let lower = mark(Tlp::Green, Some("agreed"));
        assert_eq!(decide_from(&opened(), &lower, &by(rao())), Err(Refusal::NotOriginator));
        let silent = decide_from(&opened(), &mark(Tlp::Green, None), &ctx());
        assert_eq!(silent, Err(Refusal::ReasonMissing.at("/reason")));
        assert!(decide_from(&opened(), &lower, &ctx()).is_ok_and(|facts| facts.len() == 1));
    }

    #[test]
    fn any_lead_may_raise() {
        let raised = decide_from(&opened(), &mark(Tlp::Red, None), &by(rao()));
        assert_eq!(raised, Ok(vec![Event::MarkingRaised { marking: Tlp::Red }]));
    }
}
