//! «They may work again.»

use uuid::Uuid;

use super::{Event, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;
use crate::text::Reason;

/// Reinstates an account. Where it is already so, nothing changes.
#[derive(Clone, Debug)]
pub struct ReinstateUser {
    /// Whose.
    pub user: UserId,
    /// Why.
    pub reason: Reason,
}

impl Command for ReinstateUser {
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
        if !user.suspended {
            return Ok(vec![]);
        }
        if ctx.actor == self.user {
            return Err(Refusal::Self_);
        }
        Ok(vec![Event::Reinstated { reason: self.reason.clone().into() }])
    }
}
