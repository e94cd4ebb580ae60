//! «Give this person an account.»

use uuid::Uuid;

use super::{Event, HouseRole, Profile, Refusal, User};
use crate::aggregate::{Command, Context, Home};
use crate::id::UserId;
use crate::policy::Permission;
use crate::value::Tlp;

/// Makes an account with its first roles. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct RegisterUser {
    /// Who.
    pub user: UserId,
    /// What names them.
    pub profile: Profile,
    /// Their roles in the house.
    pub roles: Vec<HouseRole>,
    /// The highest marking they may see.
    pub clearance: Tlp,
}

impl Command for RegisterUser {
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
        if user.registered {
            let same = user.profile.as_ref() == Some(&self.profile);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        let clash = self.roles.iter().any(|a| self.roles.iter().any(|b| a.excludes(*b)));
        if clash {
            return Err(Refusal::RoleExcluded.at("/roles"));
        }
        let mut facts = vec![Event::Registered { profile: self.profile.clone().into() }];
        facts.push(Event::Cleared { clearance: self.clearance });
        facts.extend(self.roles.iter().map(|role| Event::RoleGranted { role: *role }));
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ctx, decide_from, label, name};

    fn register(roles: Vec<HouseRole>) -> RegisterUser {
        let profile = Profile { username: label("ana"), display_name: name("Ana") };
        RegisterUser { user: Uuid::nil().into(), profile, roles, clearance: Tlp::Amber }
    }

    #[test]
    fn twice_is_harmless() {
        let command = register(vec![HouseRole::Analyst]);
        let facts = decide_from(&[], &command, &ctx()).unwrap_or_default();
        assert_eq!(facts.len(), 3);
        assert_eq!(decide_from(&facts, &command, &ctx()), Ok(vec![]));
    }

    #[test]
    fn an_auditor_is_nothing_else() {
        let both = register(vec![HouseRole::Auditor, HouseRole::Analyst]);
        assert_eq!(decide_from(&[], &both, &ctx()), Err(Refusal::RoleExcluded.at("/roles")));
    }
}
