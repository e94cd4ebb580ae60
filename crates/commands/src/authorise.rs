//! May they: asked once for every command, of the user's and the case's own streams.

use assay_domain::aggregate::{Command, Home};
use assay_domain::case::Case;
use assay_domain::id::CaseId;
use assay_domain::policy::{Role, Roles, any_allows};
use assay_domain::user::User;

use crate::error::Error;
use crate::execute::House;
use crate::request::{Actor, Request};

/// In which roles somebody asks, and in which case.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) roles: Roles,
    pub(crate) case: Option<CaseId>,
}

impl House {
    /// The roles a command is asked in, if they carry its permission.
    pub(crate) async fn authorise<C: Command>(
        &self,
        request: &Request,
        command: &C,
        state: &C::On,
    ) -> Result<Granted, Error<C::Refusal>> {
        let user = match request.actor {
            Actor::House => None,
            Actor::User(id) => Some((id, self.load::<User>(id.0).await?.state)),
        };
        if user.as_ref().is_some_and(|(_, user)| !user.active()) {
            return Err(Error::Inactive);
        }
        let case = match command.home(state) {
            Home::Nowhere => return Err(Error::Unseen),
            Home::House => {
                let house = || Roles::from([Role::House]);
                let roles = user.map_or_else(house, |(_, user)| user.house_roles());
                return granted::<C>(roles, None);
            }
            Home::Case(case) => case,
        };
        let known = self.load::<Case>(case.0).await?.state;
        let Some((id, user)) = user else {
            return Err(Error::Unseen); // The house reads and writes no case.
        };
        if known.id.is_none() || known.marking > user.clearance {
            return Err(Error::Unseen);
        }
        let house = user.house_roles();
        let roles = if house.contains(&Role::Auditor) {
            Roles::from([Role::Auditor])
        } else {
            known.roles_of(id)
        };
        if roles.is_empty() {
            return Err(Error::Unseen);
        }
        let granted = granted::<C>(roles, Some(case))?;
        if known.closed && !C::IN_CLOSED_CASE {
            return Err(Error::CaseClosed);
        }
        Ok(granted)
    }
}

fn granted<C: Command>(roles: Roles, case: Option<CaseId>) -> Result<Granted, Error<C::Refusal>> {
    if any_allows(&roles, C::PERMISSION) {
        Ok(Granted { roles, case })
    } else {
        Err(Error::Forbidden)
    }
}
