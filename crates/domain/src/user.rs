//! A user: an account of a person or program, its roles in the house, its clearance, its suspension.

mod change_password;
mod clear;
mod grant_role;
mod register;
mod reinstate;
mod revoke_role;
mod suspend;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumCount, EnumIter};

pub use change_password::ChangePassword;
pub use clear::ClearUser;
pub use grant_role::GrantRole;
pub use register::RegisterUser;
pub use reinstate::ReinstateUser;
pub use revoke_role::RevokeRole;
pub use suspend::SuspendUser;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::CaseId;
use crate::personal::Personal;
use crate::policy::{Role, Roles};
use crate::refusal::refusals;
use crate::text::{Label, Name, Reason};
use crate::value::Tlp;

/// A role in the house; roles in a case are given by the case.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HouseRole {
    /// May open cases and register sources.
    Analyst,
    /// May be asked to review.
    Reviewer,
    /// May replay every case and write nothing; excludes analyst and reviewer.
    Auditor,
    /// Manages people; excludes everything else but data protection.
    Admin,
    /// Decides what is forgotten, and sees no case.
    Dpo,
}

impl HouseRole {
    /// The role it stands for in the policy table.
    pub const fn role(self) -> Role {
        match self {
            Self::Analyst => Role::Analyst,
            Self::Reviewer => Role::Reviewer,
            Self::Auditor => Role::Auditor,
            Self::Admin => Role::Admin,
            Self::Dpo => Role::Dpo,
        }
    }

    /// Whether two roles may not be one person's.
    pub const fn excludes(self, other: Self) -> bool {
        match (self, other) {
            (Self::Analyst | Self::Reviewer, Self::Auditor | Self::Admin | Self::Dpo)
            | (Self::Auditor | Self::Admin | Self::Dpo, Self::Analyst | Self::Reviewer)
            | (Self::Auditor, Self::Admin | Self::Dpo)
            | (Self::Admin | Self::Dpo, Self::Auditor) => true,
            (Self::Analyst | Self::Reviewer, Self::Analyst | Self::Reviewer)
            | (Self::Auditor, Self::Auditor)
            | (Self::Admin | Self::Dpo, Self::Admin | Self::Dpo) => false,
        }
    }
}

/// What names a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The word they log in with.
    pub username: Label,
    /// The name others see.
    pub display_name: Name,
}

/// What happened to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// An account was made.
    #[serde(rename = "user.registered.v1")]
    Registered {
        /// What names the person.
        profile: Personal<Profile>,
    },
    /// A role in the house was given.
    #[serde(rename = "user.role_granted.v1")]
    RoleGranted {
        /// Which.
        role: HouseRole,
    },
    /// A role in the house was taken.
    #[serde(rename = "user.role_revoked.v1")]
    RoleRevoked {
        /// Which.
        role: HouseRole,
    },
    /// The highest marking they may see was set.
    #[serde(rename = "user.cleared.v1")]
    Cleared {
        /// Up to this marking, included.
        clearance: Tlp,
    },
    /// Their password was set; the hash is in the vault.
    #[serde(rename = "user.password_changed.v1")]
    PasswordChanged {},
    /// They may do nothing until further notice.
    #[serde(rename = "user.suspended.v1")]
    Suspended {
        /// Why.
        reason: Personal<Reason>,
    },
    /// They may work again.
    #[serde(rename = "user.reinstated.v1")]
    Reinstated {
        /// Why.
        reason: Personal<Reason>,
    },
}

/// What the rules ask of a user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct User {
    /// Whether there is such an account.
    pub registered: bool,
    /// What names the person, where it is known.
    pub profile: Option<Profile>,
    /// Their roles in the house.
    pub roles: BTreeSet<HouseRole>,
    /// The highest marking they may see.
    pub clearance: Tlp,
    /// Whether they are suspended.
    pub suspended: bool,
}

impl User {
    /// Whether they may do anything at all.
    pub const fn active(&self) -> bool {
        self.registered && !self.suspended
    }

    /// Their roles in the house, as the policy names them.
    pub fn house_roles(&self) -> Roles {
        self.roles.iter().map(|role| role.role()).collect()
    }

    fn must_exist(&self) -> Result<(), Refusal> {
        if self.registered { Ok(()) } else { Err(Refusal::Missing) }
    }
}

impl Aggregate for User {
    const CATEGORY: &'static str = "user";
    type Event = Event;

    fn evolve(mut self, event: &Event, _: &Stamp) -> Self {
        match event {
            Event::Registered { profile } => {
                self.registered = true;
                self.profile = profile.known().cloned();
            }
            Event::RoleGranted { role } => {
                self.roles.insert(*role);
            }
            Event::RoleRevoked { role } => {
                self.roles.remove(role);
            }
            Event::Cleared { clearance } => self.clearance = *clearance,
            Event::PasswordChanged {} => (),
            Event::Suspended { .. } => self.suspended = true,
            Event::Reinstated { .. } => self.suspended = false,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        None
    }
}

refusals! {
    Missing = Missing, "user_missing", "there is no such user";
    Taken = Conflicting, "user_exists", "a user with this id exists already and is another";
    RoleExcluded = Conflicting, "user_role_excluded", "this role cannot be held together with one the user has";
    Self_ = Barred, "user_self", "nobody may do this to themselves";
}
