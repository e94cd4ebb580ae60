//! Who may: one pure table of role and permission, asked for writes in `commands::execute` and for reads where a `Sight` is made.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoEnumIterator as _};

/// What somebody is, in the house or in a case.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumIter,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Leads a case: its members, its marking, its closing.
    CaseLead,
    /// Files reports and extracts, grades and links claims.
    Analyst,
    /// Weighs evidence and issues verdicts.
    Reviewer,
    /// Replays any history and writes nothing but findings.
    Auditor,
    /// Manages people and policies, and sees no case.
    Admin,
    /// Decides what is forgotten, and sees no case.
    Dpo,
    /// The house itself: the operator at its console.
    House,
}

/// The roles somebody has at once.
pub type Roles = BTreeSet<Role>;

/// What a command or a read needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter)]
pub enum Permission {
    /// Register users, give and take roles, suspend.
    ManageUsers,
    /// See users and what they may.
    ReadUsers,
    /// Open a case.
    OpenCase,
    /// Retitle, close and reopen a case.
    EditCase,
    /// Add and remove members, raise and lower the marking.
    ManageMembers,
    /// Read a case and all in it.
    ReadCase,
    /// Register sources and their names.
    RegisterSource,
    /// See the registry of sources.
    ReadSources,
    /// File reports, add renditions and what is inferred of them.
    FileReport,
    /// Propose claims and record assertions.
    Extract,
    /// Grade a source's reliability or an information's credibility.
    Grade,
    /// Propose and withdraw links.
    Link,
    /// Confirm or reject somebody else's link.
    ConfirmLink,
    /// Ask for review of a claim.
    RequestReview,
    /// Return a review with questions, issue and supersede verdicts.
    Judge,
    /// Replay any case, read the whole log.
    Audit,
    /// Save replays of a case one may read.
    Replay,
    /// Record findings, close and reopen them.
    RecordFinding,
    /// Answer findings.
    AnswerFinding,
    /// Ask that somebody or something be forgotten.
    RequestErasure,
    /// Restrict, refuse and carry out erasures.
    DecideErasure,
    /// Write down who read what.
    KeepReadLog,
    /// Add and retire the keys that sign the log.
    KeepLogKeys,
    /// Take over a case from another house.
    Adopt,
    /// Change one's own password, end one's own sessions.
    OwnAccount,
}

/// Whether a role carries a permission.
pub const fn allows(role: Role, permission: Permission) -> bool {
    use Permission as P;
    if matches!(permission, P::OwnAccount) {
        return true;
    }
    match role {
        Role::CaseLead => matches!(
            permission,
            P::EditCase
                | P::ManageMembers
                | P::ReadCase
                | P::FileReport
                | P::Extract
                | P::Grade
                | P::Link
                | P::ConfirmLink
                | P::RequestReview
                | P::Replay
                | P::AnswerFinding
        ),
        Role::Analyst => matches!(
            permission,
            P::OpenCase
                | P::ReadCase
                | P::RegisterSource
                | P::ReadSources
                | P::FileReport
                | P::Extract
                | P::Grade
                | P::Link
                | P::ConfirmLink
                | P::RequestReview
                | P::Replay
                | P::AnswerFinding
        ),
        Role::Reviewer => matches!(
            permission,
            P::ReadCase
                | P::ReadSources
                | P::Grade
                | P::ConfirmLink
                | P::Judge
                | P::Replay
                | P::AnswerFinding
        ),
        Role::Auditor => matches!(
            permission,
            P::ReadUsers | P::ReadCase | P::ReadSources | P::Audit | P::Replay | P::RecordFinding
        ),
        Role::Admin => matches!(
            permission,
            P::ManageUsers | P::ReadUsers | P::AnswerFinding | P::RequestErasure | P::DecideErasure
        ),
        Role::Dpo => {
            matches!(permission, P::ReadUsers | P::RequestErasure | P::DecideErasure)
        }
        Role::House => matches!(
            permission,
            P::ManageUsers | P::ReadUsers | P::KeepReadLog | P::KeepLogKeys | P::Adopt
        ),
    }
}

/// Whether any of the roles carries a permission.
pub fn any_allows(roles: &Roles, permission: Permission) -> bool {
    roles.iter().any(|role| allows(*role, permission))
}

/// The whole table, as people read it in a diff: one line a permission, the roles that carry it.
pub fn table() -> String {
    let line = |permission: Permission| {
        let roles: Vec<String> = Role::iter()
            .filter(|role| allows(*role, permission))
            .map(|role| format!("{role:?}"))
            .collect();
        format!("{:<16} {}\n", format!("{permission:?}"), roles.join(" "))
    };
    Permission::iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_manages_people_reads_no_case() {
        assert!(!allows(Role::Admin, Permission::ReadCase));
        assert!(!allows(Role::House, Permission::ReadCase));
        assert!(!allows(Role::Dpo, Permission::ReadCase));
    }

    #[test]
    fn an_auditor_writes_nothing_but_findings_and_what_is_their_own() {
        let reads = [
            Permission::ReadUsers,
            Permission::ReadCase,
            Permission::ReadSources,
            Permission::Audit,
            Permission::Replay,
            Permission::RecordFinding,
            Permission::OwnAccount,
        ];
        for permission in Permission::iter() {
            assert_eq!(
                allows(Role::Auditor, permission),
                reads.contains(&permission),
                "{permission:?}"
            );
        }
    }

    #[test]
    fn only_reviewers_judge() {
        let judges: Vec<Role> = Role::iter().filter(|r| allows(*r, Permission::Judge)).collect();
        assert_eq!(judges, [Role::Reviewer]);
    }
}
