//! One person's reach: their roles and clearance against the subject's case, then and since when.

use std::collections::BTreeSet;

use assay_domain::case::CaseRole;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::{Permission, Role, Roles, allows, any_allows};
use rusqlite::{OptionalExtension as _, params, params_from_iter};
use serde::Deserialize;

use super::past::{Past, unbroken};
use super::scope::Scope;
use super::{Grant, GrantKind, May, Reacher, WhyNot};
use crate::at::{At, sql};
use crate::db::{Reader, moment};
use crate::error::{Result, ViewError};
use crate::history::{COLUMNS, entry};
use crate::rows::blob;
use crate::users::UserDoc;

/// What a membership says of somebody's rights.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Membership {
    roles: BTreeSet<CaseRole>,
}

impl Membership {
    fn roles(&self) -> Roles {
        self.roles.iter().map(|role| role.role()).collect()
    }
}

/// Somebody's past as far as it decides about their reach.
struct Life<'a> {
    scope: &'a Scope,
    user: UserId,
    account: Past<UserDoc>,
    /// Their membership of the subject's case.
    membership: Option<Past<Membership>>,
    /// Their roles in cases they could see at the moment, for what any case opens; not followed
    /// back in time.
    elsewhere: Roles,
}

/// What somebody could do with the subject at a position.
pub(super) fn reacher(
    db: &Reader,
    scope: &Scope,
    known: &UserDoc,
    position: u64,
) -> Result<Reacher> {
    let mut life = Life::of(db, scope, known.id, position)?;
    let why_not = life.why_not(position);
    let may = if why_not.is_none() { life.may(position) } else { May::default() };
    let mut roles = life.roles(position);
    roles.extend(std::mem::take(&mut life.elsewhere));
    let since = unbroken(life.edges(), position, |edge| life.why_not(edge).is_none());
    Ok(Reacher {
        user: known.id,
        profile: known.profile.clone(),
        roles,
        clearance: known.clearance,
        sees: why_not.is_none(),
        why_not,
        may,
        since: since.map(|since| moment(db, At::Position(since))).transpose()?,
        by: life.grants(db, position)?,
    })
}

impl<'a> Life<'a> {
    fn of(db: &Reader, scope: &'a Scope, user: UserId, position: u64) -> Result<Self> {
        let account = Past::read(
            db,
            "SELECT from_pos, to_pos, doc FROM users WHERE id = ? AND from_pos <= ? ORDER BY from_pos",
            params![user.0.as_bytes(), sql(position)],
            |row| Ok(serde_json::from_str(&row.get::<_, String>(2)?)?),
        )?;
        let membership =
            scope.case().map(|case| membership(db, case, user, position)).transpose()?;
        let clearance = account.at(position).map(|known: &UserDoc| known.clearance.level());
        let elsewhere = match clearance {
            Some(level) if scope.anywhere => elsewhere(db, user, level, position)?,
            _ => Roles::new(),
        };
        Ok(Self { scope, user, account, membership, elsewhere })
    }

    fn edges(&self) -> Vec<u64> {
        let members = self.membership.iter().flat_map(Past::edges);
        let markings = self.scope.markings().into_iter().flat_map(Past::edges);
        self.account.edges().chain(members).chain(markings).collect()
    }

    /// Their roles in the house that count for the subject.
    fn house(&self, position: u64) -> Roles {
        let known = self.account.at(position);
        let mut roles: Roles = known
            .map(|known| known.roles.iter().map(|role| role.role()).collect())
            .unwrap_or_default();
        roles.retain(|role| self.scope.carries(*role));
        roles
    }

    /// The roles they had towards the subject: of its case, and of the house where those count.
    fn roles(&self, position: u64) -> Roles {
        let member = self.membership.as_ref().and_then(|past| past.at(position));
        let member = member.map(Membership::roles).unwrap_or_default();
        self.house(position).into_iter().chain(member).collect()
    }

    /// Why they could not see it at a position; nothing where they could.
    fn why_not(&self, position: u64) -> Option<WhyNot> {
        let Some(known) = self.account.at(position) else { return Some(WhyNot::NoRole) };
        let roles = self.roles(position);
        let marked = self.scope.markings().map(|past| past.at(position).copied());
        let carried = match marked {
            // In a case that did not exist yet nobody saw anything.
            Some(None) => false,
            Some(Some(_)) => any_allows(&roles, Permission::ReadCase),
            None => {
                let all = roles.iter().chain(&self.elsewhere);
                let allowed = |role: &Role| self.scope.see.iter().any(|may| allows(*role, *may));
                self.scope.own == Some(self.user) || all.into_iter().any(allowed)
            }
        };
        if !carried {
            return Some(WhyNot::NoRole);
        }
        if marked.flatten().is_some_and(|marking| marking > known.clearance) {
            return Some(WhyNot::ClearanceBelowMarking);
        }
        known.suspended.is_some().then_some(WhyNot::Suspended)
    }

    fn may(&self, position: u64) -> May {
        let roles = self.roles(position);
        let seeing: Roles = roles.iter().chain(&self.elsewhere).copied().collect();
        let of = |roles: &Roles, all: &[Permission]| -> Vec<String> {
            all.iter().filter(|may| any_allows(roles, **may)).map(|may| name(*may)).collect()
        };
        let mut may =
            May { see: of(&seeing, self.scope.see), change: of(&roles, self.scope.change) };
        if self.scope.own == Some(self.user) {
            may.see.push(name(Permission::OwnAccount));
            may.change.push(name(Permission::OwnAccount));
        }
        may
    }

    /// The entries their reach rests on, or that stand in its way.
    fn grants(&self, db: &Reader, position: u64) -> Result<Vec<Grant>> {
        let mut found: Vec<(u64, GrantKind)> = Vec::new();
        let mut note = |what, since: Option<u64>| found.extend(since.map(|since| (since, what)));
        if let Some(past) = &self.membership {
            let now = past.at(position);
            note(GrantKind::Membership, past.since(position, |then| Some(then) == now));
        }
        let house = self.house(position);
        for role in &house {
            let had = |then: &UserDoc| then.roles.iter().any(|house| house.role() == *role);
            note(GrantKind::HouseRole, self.account.since(position, had));
        }
        if let Some(known) = self.account.at(position) {
            if let Some(markings) = self.scope.markings() {
                let same = |then: &UserDoc| then.clearance == known.clearance;
                note(GrantKind::Clearance, self.account.since(position, same));
                let marking = markings.at(position);
                note(GrantKind::Marking, markings.since(position, |then| Some(then) == marking));
            }
            let out = |then: &UserDoc| then.suspended.is_some();
            note(GrantKind::Suspension, self.account.since(position, out));
        }
        if self.scope.own == Some(self.user) {
            note(GrantKind::Account, self.account.since(position, |_| true));
        }
        found.sort_unstable();
        found.into_iter().map(|(position, what)| grant(db, what, position)).collect()
    }
}

/// A permission by the name the policy has for it, as words on the wire are written.
fn name(permission: Permission) -> String {
    let mut name = String::new();
    for letter in format!("{permission:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn membership(db: &Reader, case: CaseId, user: UserId, position: u64) -> Result<Past<Membership>> {
    Past::read(
        db,
        "SELECT from_pos, to_pos, doc FROM members WHERE case_id = ? AND user_id = ? \
         AND from_pos <= ? ORDER BY from_pos",
        params![case.0.as_bytes(), user.0.as_bytes(), sql(position)],
        |row| Ok(serde_json::from_str(&row.get::<_, String>(2)?)?),
    )
}

/// Their roles in the cases whose marking was not above their clearance.
fn elsewhere(db: &Reader, user: UserId, level: u8, position: u64) -> Result<Roles> {
    let at = At::Position(position);
    let ((members, times), (cases, marked)) = (at.held("m"), at.held("c"));
    let mut statement = db.conn().prepare_cached(&format!(
        "SELECT m.doc FROM members m JOIN cases c ON c.id = m.case_id \
         WHERE m.user_id = ? AND {members} AND {cases} AND c.marking <= ?"
    ))?;
    let mut values = vec![blob(user.0)];
    values.extend(times.into_iter().chain(marked));
    values.push(i64::from(level).into());
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Roles::new();
    while let Some(row) = rows.next()? {
        let member: Membership = serde_json::from_str(&row.get::<_, String>(0)?)?;
        found.extend(member.roles());
    }
    Ok(found)
}

fn grant(db: &Reader, what: GrantKind, position: u64) -> Result<Grant> {
    let mut statement =
        db.conn().prepare_cached(&format!("SELECT {COLUMNS} FROM history WHERE position = ?"))?;
    let found = statement.query_row([sql(position)], |row| Ok(entry(row))).optional()?;
    let missing = || ViewError::Damaged(format!("no history of position {position}"));
    let found = found.ok_or_else(missing)??;
    let (fact, by, at) = (found.fact, found.actor, found.recorded_at);
    Ok(Grant { what, position, fact, by, at })
}
