//! «Let them work on this case, as this.»

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Case, CaseRole, Event, Refusal};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::{CaseId, UserId};
use crate::policy::Permission;
use crate::user::HouseRole;

/// Adds a member, or gives one other roles. The same roles again change nothing.
#[derive(Clone, Debug)]
pub struct AddMember {
    /// To which case.
    pub case: CaseId,
    /// Whom.
    pub user: UserId,
    /// All their roles in it.
    pub roles: BTreeSet<CaseRole>,
}

impl Command for AddMember {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageMembers;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn needs(&self, _: &Case, _: &Found) -> Vec<Need> {
        vec![Need::User(self.user)]
    }

    fn decide(&self, case: &Case, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if self.roles.is_empty() {
            return Err(Refusal::RolesEmpty.at("/roles"));
        }
        let user = ctx.found.users.get(&self.user).filter(|user| user.state.active());
        let user = user.ok_or_else(|| Refusal::UserUnknown.at("/user"))?;
        let excluded = |role: &HouseRole| matches!(role, HouseRole::Auditor | HouseRole::Admin);
        if user.state.roles.iter().any(excluded) {
            return Err(Refusal::UserExcluded.at("/user"));
        }
        if !self.roles.contains(&CaseRole::CaseLead) {
            case.must_keep_a_lead_without(self.user)?;
        }
        if case.members.get(&self.user) == Some(&self.roles) {
            return Ok(vec![]);
        }
        Ok(vec![Event::MemberAdded { user: self.user, roles: self.roles.clone() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::open::tests::opened;
    use super::*;
    use crate::aggregate::At;
    use crate::testing::{ana, ctx, decide_from, rao};
    use crate::user::User;

    fn found(roles: &[HouseRole]) -> Context {
        let user =
            User { registered: true, roles: roles.iter().copied().collect(), ..User::default() };
        let mut ctx = ctx();
        for id in [ana(), rao()] {
            ctx.found.users.insert(id, At { state: user.clone().into(), revision: 0 });
        }
        ctx
    }

    fn add(user: UserId, role: CaseRole) -> AddMember {
        AddMember { case: Uuid::from_u128(1).into(), user, roles: BTreeSet::from([role]) }
    }

    #[test]
    fn an_auditor_is_no_member() {
        let refused =
            decide_from(&opened(), &add(rao(), CaseRole::Analyst), &found(&[HouseRole::Auditor]));
        assert_eq!(refused, Err(Refusal::UserExcluded.at("/user")));
    }

    #[test]
    fn the_last_lead_keeps_leading() {
        let refused = decide_from(&opened(), &add(ana(), CaseRole::Analyst), &found(&[]));
        assert_eq!(refused, Err(Refusal::LastLead));
    }

    #[test]
    fn strangers_to_the_house_are_unknown() {
        let refused = decide_from(&opened(), &add(rao(), CaseRole::Analyst), &ctx());
        assert_eq!(refused, Err(Refusal::UserUnknown.at("/user")));
    }
}
