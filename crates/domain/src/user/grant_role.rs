//! «Let them also do this in the house.»

use uuid::Uuid;

use super::{Event, HouseRole, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;

/// Gives a role in the house. One they have already changes nothing.
#[derive(Clone, Debug)]
pub struct GrantRole {
    /// To whom.
    pub user: UserId,
    /// Which.
    pub role: HouseRole,
}

impl Command for GrantRole {
    type On = User;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageUsers;

    fn target(&self) -> Uuid {
        self.user.0
    }

    fn home(&self, _: &User) -> Home {
        Home::House
    }

    fn decide(&self, user: &User, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        user.must_exist()?;
        if user.roles.contains(&self.role) {
            return Ok(vec![]);
        }
        if ctx.actor == self.user {
            return Err(Refusal::Self_);
        }
        if user.roles.iter().any(|held| held.excludes(self.role)) {
            return Err(Refusal::RoleExcluded.at("/role"));
        }
        Ok(vec![Event::RoleGranted { role: self.role }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ana, ctx, decide_from, registered};

    #[test]
    fn an_admin_does_not_become_an_analyst() {
        let past = [registered(), Event::RoleGranted { role: HouseRole::Admin }];
        let grant = GrantRole { user: Uuid::nil().into(), role: HouseRole::Analyst };
        assert_eq!(decide_from(&past, &grant, &ctx()), Err(Refusal::RoleExcluded.at("/role")));
    }

    #[test]
    fn nobody_raises_themselves() {
        let grant = GrantRole { user: ana(), role: HouseRole::Reviewer };
        assert_eq!(decide_from(&[registered()], &grant, &ctx()), Err(Refusal::Self_));
    }
}
