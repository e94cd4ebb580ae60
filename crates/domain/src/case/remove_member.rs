//! «They no longer work on this case.»

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::{CaseId, UserId};
use crate::policy::Permission;

/// Removes a member. Who is none already stays none.
#[derive(Clone, Debug)]
pub struct RemoveMember {
    /// From which case.
    pub case: CaseId,
    /// Whom.
    pub user: UserId,
}

impl Command for RemoveMember {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageMembers;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        if !case.members.contains_key(&self.user) {
            return Ok(vec![]);
        }
        case.must_keep_a_lead_without(self.user)?;
        Ok(vec![Event::MemberRemoved { user: self.user }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::opened;
    use super::*;
    use crate::testing::{ana, ctx, decide_from, rao};

    #[test]
    fn the_last_lead_stays_and_strangers_are_no_loss() {
        let remove = |user| RemoveMember { case: Uuid::from_u128(1).into(), user };
        assert_eq!(decide_from(&opened(), &remove(ana()), &ctx()), Err(Refusal::LastLead));
        assert_eq!(decide_from(&opened(), &remove(rao()), &ctx()), Ok(vec![]));
    }
}
