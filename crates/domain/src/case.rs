//! A case: one investigation, its title and mandate, its members, its marking, open or closed.

mod add_member;
mod close;
mod demand_purpose;
mod mark;
mod open;
mod remove_member;
mod reopen;
mod retitle;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use add_member::AddMember;
pub use close::CloseCase;
pub use demand_purpose::{DemandPurpose, WaivePurpose};
pub use mark::MarkCase;
pub use open::OpenCase;
pub use remove_member::RemoveMember;
pub use reopen::ReopenCase;
pub use retitle::RetitleCase;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{CaseId, LinkId, UserId};
use crate::personal::Personal;
use crate::policy::{Role, Roles};
use crate::refusal::refusals;
use crate::text::{Passage, Reason, Title};
use crate::value::Tlp;

/// A role in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CaseRole {
    /// Leads it.
    CaseLead,
    /// Files and extracts.
    Analyst,
    /// Judges.
    Reviewer,
}

impl CaseRole {
    /// The role it stands for in the policy table.
    pub const fn role(self) -> Role {
        match self {
            Self::CaseLead => Role::CaseLead,
            Self::Analyst => Role::Analyst,
            Self::Reviewer => Role::Reviewer,
        }
    }
}

/// What a case is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Brief {
    /// Its title.
    pub title: Title,
    /// What it is meant to find out, and for whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Passage>,
}

/// What happened to a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// It began.
    #[serde(rename = "case.opened.v1")]
    Opened {
        /// Which case this is.
        case: CaseId,
        /// What it is about.
        brief: Personal<Brief>,
        /// Who may know of it.
        marking: Tlp,
    },
    /// It is called something else.
    #[serde(rename = "case.retitled.v1")]
    Retitled {
        /// What.
        title: Personal<Title>,
    },
    /// Somebody joined, or has other roles now.
    #[serde(rename = "case.member_added.v1")]
    MemberAdded {
        /// Who.
        user: UserId,
        /// All their roles in the case.
        roles: BTreeSet<CaseRole>,
    },
    /// Somebody left.
    #[serde(rename = "case.member_removed.v1")]
    MemberRemoved {
        /// Who.
        user: UserId,
    },
    /// Fewer may know of it.
    #[serde(rename = "case.marking_raised.v1")]
    MarkingRaised {
        /// The new marking.
        marking: Tlp,
    },
    /// More may know of it.
    #[serde(rename = "case.marking_lowered.v1")]
    MarkingLowered {
        /// The new marking.
        marking: Tlp,
        /// Why.
        reason: Personal<Reason>,
    },
    /// It ended.
    #[serde(rename = "case.closed.v1")]
    Closed {
        /// With which outcome.
        outcome: Personal<Reason>,
        /// The contradictions left open.
        open_contradictions: Vec<LinkId>,
    },
    /// It goes on.
    #[serde(rename = "case.reopened.v1")]
    Reopened {
        /// Why.
        reason: Personal<Reason>,
    },
    /// Whoever reads it says to what end.
    #[serde(rename = "case.purpose_demanded.v1")]
    PurposeDemanded {},
    /// Nobody needs to say to what end they read it.
    #[serde(rename = "case.purpose_waived.v1")]
    PurposeWaived {
        /// Why.
        reason: Personal<Reason>,
    },
}

/// What the rules ask of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Which case this is, once opened.
    pub id: Option<CaseId>,
    /// Its title, where it is known.
    pub title: Option<Title>,
    /// Who opened it: the only one who may lower its marking.
    pub originator: Option<UserId>,
    /// Who may know of it.
    pub marking: Tlp,
    /// Its members and their roles.
    pub members: BTreeMap<UserId, BTreeSet<CaseRole>>,
    /// Whether it is closed.
    pub closed: bool,
    /// Whether its readers must say to what end they read.
    pub purpose_demanded: bool,
}

impl Case {
    /// The roles somebody has in it, as the policy names them; none for strangers.
    pub fn roles_of(&self, user: UserId) -> Roles {
        self.members.get(&user).into_iter().flatten().map(|role| role.role()).collect()
    }

    fn leads(&self) -> impl Iterator<Item = UserId> {
        let leads = |roles: &BTreeSet<CaseRole>| roles.contains(&CaseRole::CaseLead);
        self.members.iter().filter(move |(_, roles)| leads(roles)).map(|(user, _)| *user)
    }

    fn must_keep_a_lead_without(&self, user: UserId) -> Result<(), Refusal> {
        if self.leads().any(|lead| lead != user) { Ok(()) } else { Err(Refusal::LastLead) }
    }
}

impl Aggregate for Case {
    const CATEGORY: &'static str = "case";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Opened { case, brief, marking } => {
                self.id = Some(*case);
                self.title = brief.known().map(|brief| brief.title.clone());
                self.originator = Some(stamp.actor);
                self.marking = *marking;
            }
            Event::Retitled { title } => self.title = title.known().cloned(),
            Event::MemberAdded { user, roles } => {
                self.members.insert(*user, roles.clone());
            }
            Event::MemberRemoved { user } => {
                self.members.remove(user);
            }
            Event::MarkingRaised { marking } | Event::MarkingLowered { marking, .. } => {
                self.marking = *marking;
            }
            Event::Closed { .. } => self.closed = true,
            Event::Reopened { .. } => self.closed = false,
            Event::PurposeDemanded {} => self.purpose_demanded = true,
            Event::PurposeWaived { .. } => self.purpose_demanded = false,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.id
    }
}

refusals! {
    Taken = Conflicting, "case_exists", "a case with this id exists already and is another";
    UserUnknown = Invalid, "case_user_unknown", "there is no such active user";
    UserExcluded = Conflicting, "case_user_excluded", "auditors and admins are not members of cases";
    RolesEmpty = Invalid, "case_roles_empty", "a member has at least one role";
    LastLead = Conflicting, "case_last_lead", "a case keeps at least one lead";
    ReasonMissing = Invalid, "case_reason_missing", "lowering a marking needs a reason";
    NotOriginator = Barred, "case_not_originator", "only who opened the case may lower its marking";
}
