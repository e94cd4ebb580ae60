//! «And here, this is who leads it.»

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Refusal;
use crate::aggregate::{Command, Context, Found, Home, Need};
use crate::case::{Case, CaseRole, Event};
use crate::id::{CaseId, UserId};
use crate::policy::{Permission, Role};

/// Gives a case that was taken over a lead of this house. Where it is already so, nothing changes.
#[derive(Clone, Copy, Debug)]
pub struct LeadHere {
    /// Which case.
    pub case: CaseId,
    /// Who leads it here.
    pub user: UserId,
}

impl Command for LeadHere {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Adopt;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn home(&self, _: &Case) -> Home {
        Home::House
    }

    fn needs(&self, _: &Case, _: &Found) -> Vec<Need> {
        vec![Need::User(self.user)]
    }

    fn decide(&self, case: &Case, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if case.id.is_none() {
            return Err(Refusal::NotBegun);
        }
        let user = ctx.found.users.get(&self.user).filter(|found| found.state.active());
        let user = user.ok_or(Refusal::LeadUnknown)?;
        let apart = [Role::Auditor, Role::Admin, Role::Dpo];
        if apart.iter().any(|role| user.state.house_roles().contains(role)) {
            return Err(Refusal::LeadUnknown);
        }
        let mut roles = case.members.get(&self.user).cloned().unwrap_or_default();
        let wanted = BTreeSet::from([CaseRole::CaseLead, CaseRole::Analyst]);
        if wanted.is_subset(&roles) {
            return Ok(vec![]);
        }
        roles.extend(wanted);
        Ok(vec![Event::MemberAdded { user: self.user, roles }])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aggregate::At;
    use crate::testing::{ctx, decide_from, rao, registered, state_by};
    use crate::user::User;
    use crate::value::Tlp;

    fn opened() -> Event {
        let brief = crate::case::Brief { title: crate::testing::title("Idlib"), mandate: None };
        Event::Opened { case: Uuid::from_u128(1).into(), brief: brief.into(), marking: Tlp::Amber }
    }

    #[test]
    fn a_case_from_elsewhere_is_led_by_somebody_who_works_here() {
        let lead = LeadHere { case: Uuid::from_u128(1).into(), user: rao() };
        assert_eq!(decide_from(&[opened()], &lead, &ctx()), Err(Refusal::LeadUnknown));
        let mut known = ctx();
        let state = Arc::new(state_by::<User>(&[registered()], rao()));
        known.found.users.insert(rao(), At { state, revision: 0 });
        let mut past = vec![opened()];
        past.extend(decide_from(&past, &lead, &known).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &lead, &known), Ok(vec![]));
        assert_eq!(decide_from(&[], &lead, &known), Err(Refusal::NotBegun));
    }
}
