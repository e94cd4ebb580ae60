//! «A new password was set.» The hash goes to the vault; the log keeps that and when it happened.

use uuid::Uuid;

use super::{Event, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;

/// Records that a password was set by an admin's one-time code or at registration.
#[derive(Clone, Debug)]
pub struct ChangePassword {
    /// Whose.
    pub user: UserId,
}

impl Command for ChangePassword {
    type On = User;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::OwnAccount;

    fn target(&self) -> Uuid {
        self.user.0
    }

    fn home(&self, _: &User) -> Home {
        Home::House
    }

    fn decide(&self, user: &User, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        user.must_exist()?;
        let own = ctx.actor == self.user;
        if !own && !crate::policy::any_allows(&ctx.roles, Permission::ManageUsers) {
            return Err(Refusal::Missing);
        }
        Ok(vec![Event::PasswordChanged {}])
    }
}
