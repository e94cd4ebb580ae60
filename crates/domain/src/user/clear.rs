//! «They may see up to this marking.»

use uuid::Uuid;

use super::{Event, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;
use crate::value::Tlp;

/// Sets the highest marking somebody may see. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct ClearUser {
    /// Who.
    pub user: UserId,
    /// Up to this marking, included.
    pub clearance: Tlp,
}

impl Command for ClearUser {
    type On = User;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ManageUsers;

    fn target(&self) -> Uuid {
        self.user.0
    }

    fn home(&self, _: &User) -> Home {
        Home::House
    }

    fn decide(&self, user: &User, _: &Context) -> Result<Vec<Event>, Refusal> {
        user.must_exist()?;
        if user.clearance == self.clearance {
            return Ok(vec![]);
        }
        Ok(vec![Event::Cleared { clearance: self.clearance }])
    }
}
