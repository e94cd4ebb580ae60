//! Reach: who could see or change a subject on a day, since when, and by which entries.

mod past;
mod person;
mod scope;

use std::collections::BTreeSet;

use assay_domain::aggregate::Subject;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::{Permission, Role};
use assay_domain::user::Profile;
use assay_domain::value::Tlp;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::{Moment, Reader, moment};
use crate::doc::Instant;
use crate::error::Result;
use crate::history::SubjectRef;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Limit};
use crate::rows::Row as _;
use crate::users::UserDoc;
use scope::Scope;

/// What granted somebody their reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GrantKind {
    /// They became a member of the case, with the roles of that moment.
    Membership,
    /// Their role in the house.
    HouseRole,
    /// Their clearance.
    Clearance,
    /// The marking of the case.
    Marking,
    /// Their suspension: this one takes away.
    Suspension,
    /// Their account: everybody sees themselves.
    Account,
}

/// An entry that somebody's reach rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Grant {
    /// What it granted.
    pub what: GrantKind,
    /// Where it stands.
    pub position: u64,
    /// Its wire name.
    pub fact: String,
    /// Who did it.
    pub by: UserId,
    /// When it was recorded.
    pub at: Instant,
}

/// Why somebody could not see the subject, although they were a member or an auditor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// They were suspended.
    Suspended,
    /// The marking was above their clearance.
    ClearanceBelowMarking,
    /// No role of theirs carried the right to read it.
    NoRole,
}

/// What somebody could do with the subject, by the names of the policy's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct May {
    /// What let them see it: `read_case`, `audit`.
    pub see: Vec<String>,
    /// What let them change it: `extract`, `judge`.
    pub change: Vec<String>,
}

/// Somebody who could see the subject, or could have but for one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reacher {
    /// Who.
    pub user: UserId,
    /// What named them then; null where it was erased.
    pub profile: Option<Profile>,
    /// In which roles, of the case and of the house.
    pub roles: BTreeSet<Role>,
    /// The highest marking they might see then.
    pub clearance: Tlp,
    /// Whether they could see the subject.
    pub sees: bool,
    /// Why they could not; null where they could.
    pub why_not: Option<WhyNot>,
    /// What they could do; nothing where they could not see it.
    pub may: May,
    /// The entry with which they came to see it, without a break up to the moment asked for; null
    /// where they could not, and where only a role in some case opens the registry of sources.
    pub since: Option<Moment>,
    /// The entries it rests on, or that stand in its way, oldest first.
    pub by: Vec<Grant>,
}

/// Who could see or change a subject at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reach {
    /// Of which subject.
    pub subject: SubjectRef,
    /// The case it was in; null where it was of the house.
    pub case: Option<CaseId>,
    /// The marking of the case then.
    pub marking: Option<Tlp>,
    /// Whether the case was closed then: what it was, only its reopening could change.
    pub closed: bool,
    /// Whether its readers had to say to what end they read.
    pub purpose_demanded: bool,
    /// The moment of all this.
    pub as_of: Moment,
    /// Everybody who could see it, or could have but for one thing; first registered first.
    pub items: Vec<Reacher>,
    /// How to ask for more, if there is more.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub next: Option<Cursor>,
}

/// Who could see or change a subject at a moment, all of it as of then.
///
/// For those who may audit, and for the leads of its case; nothing for others, and where the subject
/// is out of sight or did not exist then. The operator at the console, who can read the files, is
/// not named.
pub fn of(
    db: &Reader,
    sight: &Sight,
    at: At,
    subject: Subject,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Option<Reach>> {
    db.snapshot(|| {
        let place = cursor.map(|cursor| cursor.place(UserDoc::TABLE)).transpose()?;
        let position = match place {
            Some(place) => place.position,
            None => db.resolve(at)?.min(db.position()?),
        };
        let Some(scope) = Scope::of(db, subject, position)? else { return Ok(None) };
        let asked = match scope.case() {
            Some(case) => {
                sight.sees(case)
                    && (sight.may(Permission::Audit)
                        || sight.may_in(case, Permission::ManageMembers))
            }
            None => sight.may(Permission::Audit),
        };
        if !asked {
            return Ok(None);
        }
        let (condition, values) = scope.candidates(position);
        let mut items = Vec::new();
        let page = List::of(UserDoc::TABLE, &["registered_at"]).only(condition, values).page_with(
            db,
            At::Position(position),
            cursor,
            limit,
            |item| {
                items.push(person::reacher(
                    db,
                    &scope,
                    &serde_json::from_str(&item.doc)?,
                    position,
                )?);
                Ok("null".to_owned())
            },
        )?;
        let case = scope.of_case();
        Ok(Some(Reach {
            subject: SubjectRef { kind: subject.kind().to_owned(), id: subject.id() },
            case: scope.case(),
            marking: case.map(|case| case.marking),
            closed: case.is_some_and(|case| case.closed.is_some()),
            purpose_demanded: case.is_some_and(|case| case.purpose_demanded),
            as_of: moment(db, At::Position(position))?,
            items,
            next: page.next,
        }))
    })
}

#[cfg(test)]
mod tests;
