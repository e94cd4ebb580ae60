//! «Say why you read it.» A case may demand that its readers name their purpose.

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::CaseId;
use crate::policy::Permission;
use crate::text::Reason;

/// Demands a purpose of whoever reads the case. Where it is already so, nothing changes.
#[derive(Clone, Copy, Debug)]
pub struct DemandPurpose {
    /// Which case.
    pub case: CaseId,
}

/// Demands no purpose any more. Where none is demanded, nothing changes.
#[derive(Clone, Debug)]
pub struct WaivePurpose {
    /// Which case.
    pub case: CaseId,
    /// Why.
    pub reason: Reason,
}

impl Command for DemandPurpose {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageMembers;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        Ok(if case.purpose_demanded { vec![] } else { vec![Event::PurposeDemanded {}] })
    }
}

impl Command for WaivePurpose {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageMembers;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        if !case.purpose_demanded {
            return Ok(vec![]);
        }
        Ok(vec![Event::PurposeWaived { reason: self.reason.clone().into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::opened;
    use super::*;
    use crate::testing::{ctx, decide_from, reason};

    #[test]
    fn demanding_and_waiving_twice_is_harmless() {
        let case = Uuid::from_u128(1).into();
        let demand = DemandPurpose { case };
        let waive = WaivePurpose { case, reason: reason("published") };
        let mut past = opened();
        assert_eq!(decide_from(&past, &waive, &ctx()), Ok(vec![]));
        past.extend(decide_from(&past, &demand, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &demand, &ctx()), Ok(vec![]));
        assert!(decide_from(&past, &waive, &ctx()).is_ok_and(|facts| facts.len() == 1));
    }
}
