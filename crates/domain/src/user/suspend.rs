//! «They may do nothing until further notice.»

use uuid::Uuid;

use super::{Event, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;
use crate::text::Reason;

/// Suspends an account. Where it is already so, nothing changes.
#[derive(Clone, Debug)]
pub struct SuspendUser {
    /// Whose.
    pub user: UserId,
    /// Why.
    pub reason: Reason,
}

impl Command for SuspendUser {
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
        if user.suspended {
            return Ok(vec![]);
        }
        if ctx.actor == self.user {
            return Err(Refusal::Self_);
        }
        Ok(vec![Event::Suspended { reason: self.reason.clone().into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ctx, decide_from, reason, registered};

    #[test]
    fn suspending_twice_adds_nothing() {
        let suspend = SuspendUser { user: Uuid::nil().into(), reason: reason("left") };
        let facts = decide_from(&[registered()], &suspend, &ctx()).unwrap_or_default();
        assert_eq!(facts, [Event::Suspended { reason: reason("left").into() }]);
        let past = [registered(), Event::Suspended { reason: reason("left").into() }];
        assert_eq!(decide_from(&past, &suspend, &ctx()), Ok(vec![]));
    }

    #[test]
    fn nobody_suspends_who_is_not_there() {
        let suspend = SuspendUser { user: Uuid::nil().into(), reason: reason("left") };
        assert_eq!(decide_from(&[], &suspend, &ctx()), Err(Refusal::Missing));
    }
}
