//! «They no longer do this in the house.»

use uuid::Uuid;

use super::{Event, HouseRole, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;

/// Takes a role in the house. One they do not have changes nothing.
#[derive(Clone, Debug)]
pub struct RevokeRole {
    /// From whom.
    pub user: UserId,
    /// Which.
    pub role: HouseRole,
}

impl Command for RevokeRole {
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
        if !user.roles.contains(&self.role) {
            return Ok(vec![]);
        }
        if ctx.actor == self.user && self.role == HouseRole::Admin {
            return Err(Refusal::Self_); // A house must not lose its last admin by accident.
        }
        Ok(vec![Event::RoleRevoked { role: self.role }])
    }
}
