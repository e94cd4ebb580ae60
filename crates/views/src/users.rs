//! Users: what names them, their roles in the house, their clearance, whether they are suspended.

use std::collections::BTreeSet;

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::UserId;
use assay_domain::policy::Permission;
use assay_domain::user::{self, HouseRole, Profile};
use assay_domain::value::Tlp;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Remark, gone};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables};

/// An account of the house.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = User))]
pub struct UserDoc {
    /// Who.
    pub id: UserId,
    /// What names them; null where it was erased.
    pub profile: Option<Profile>,
    /// Whether what names them was erased.
    pub erased: bool,
    /// Their roles in the house.
    pub roles: BTreeSet<HouseRole>,
    /// The highest marking they may see.
    pub clearance: Tlp,
    /// Since when and why they may do nothing; null while they may.
    pub suspended: Option<Remark>,
    /// Who made the account.
    pub registered: Deed,
}

impl Row for UserDoc {
    const TABLE: &'static str = "users";
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("username", "TEXT"), ("registered_at", "INTEGER NOT NULL")];
    const INDEXES: &'static [&'static str] =
        &["(registered_at, id) ?open", "(registered_at, id, from_pos, to_pos)", "(username) ?open"];

    fn columns(&self) -> Vec<Value> {
        let username = self.profile.as_ref().map(|profile| profile.username.as_str().to_owned());
        vec![username.map_or(Value::Null, Value::Text), self.registered.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.users
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::User(event), Subject::User(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let user::Event::Registered { profile } = event {
        let row = UserDoc {
            id,
            profile: profile.known().cloned(),
            erased: gone(profile),
            roles: BTreeSet::new(),
            clearance: Tlp::default(),
            suspended: None,
            registered: fact.deed(),
        };
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<UserDoc>(id.0, Of::Own, |row| match event {
        user::Event::RoleGranted { role } => {
            row.roles.insert(*role);
        }
        user::Event::RoleRevoked { role } => {
            row.roles.remove(role);
        }
        user::Event::Cleared { clearance } => row.clearance = *clearance,
        user::Event::Suspended { reason } => {
            row.suspended = Some(Remark::new(fact.deed(), Some(reason)));
        }
        user::Event::Reinstated { .. } => row.suspended = None,
        // The revision moves on: that is all there is to see.
        user::Event::PasswordChanged {} | user::Event::Registered { .. } => (),
    })?;
    Ok(Took::Used)
}

/// One user, in sight of themselves and of those who may read users.
pub fn one(db: &Reader, sight: &Sight, at: At, user: UserId) -> Result<Option<Document>> {
    if !sight.may(Permission::ReadUsers) && sight.user() != Some(user) {
        return Ok(None);
    }
    db.document(UserDoc::TABLE, user.0, at)
}

/// The user who logs in with this word now, in sight of those who may read users.
pub fn named(db: &Reader, sight: &Sight, username: &str) -> Result<Option<Document>> {
    use rusqlite::OptionalExtension as _;
    if !sight.may(Permission::ReadUsers) {
        return Ok(None);
    }
    let sql = format!("SELECT id FROM users t WHERE username = ? AND to_pos = {}", crate::at::OPEN);
    let id: Option<[u8; 16]> =
        db.conn().prepare_cached(&sql)?.query_row([username], |row| row.get(0)).optional()?;
    match id {
        Some(id) => db.document(UserDoc::TABLE, uuid::Uuid::from_bytes(id), At::Head),
        None => Ok(None),
    }
}

/// The users of the house, first registered first, for those who may read users.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.may(Permission::ReadUsers) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    List::of(UserDoc::TABLE, &["registered_at"]).page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ADM, ANA, RAO, World, head, many, sight, user, values};
    use assay_domain::aggregate::Event;

    #[test]
    fn people_see_themselves_and_only_those_who_may_see_others() {
        let db = World::peopled().views();
        let ana = sight(&db, ANA);
        assert!(one(&db, &ana, head(), user(ANA)).unwrap().is_some());
        assert!(one(&db, &ana, head(), user(RAO)).unwrap().is_none());
        assert!(page(&db, &ana, head(), None, many()).unwrap().items.is_empty());
        let admin = sight(&db, ADM);
        assert_eq!(page(&db, &admin, head(), None, many()).unwrap().items.len(), 5);
        assert!(named(&db, &admin, "rao").unwrap().is_some());
        assert!(named(&db, &ana, "rao").unwrap().is_none());
    }

    #[test]
    fn the_revision_follows_the_stream_also_where_nothing_shows() {
        let mut world = World::peopled();
        let event = Event::User(user::Event::PasswordChanged {});
        world.add(Subject::User(user(ANA)), ANA, None, vec![event]);
        let db = world.views();
        let found = one(&db, &sight(&db, ANA), head(), user(ANA)).unwrap().unwrap();
        assert_eq!(found.revision, 3);
    }

    #[test]
    fn a_list_goes_on_at_the_moment_it_began() {
        let mut world = World::peopled();
        let db = world.views();
        let admin = sight(&db, ADM);
        let limit = Limit::new(2).unwrap();
        let first = page(&db, &admin, head(), None, limit).unwrap();
        world.register(9, "new", HouseRole::Analyst);
        let later = world.views();
        let mut next = first.next;
        let mut count = first.items.len();
        while let Some(cursor) = next {
            let page = page(&later, &admin, head(), Some(&cursor), limit).unwrap();
            count += page.items.len();
            next = page.next;
        }
        assert_eq!(count, 5);
        let all = page(&later, &admin, head(), None, many()).unwrap();
        assert_eq!(values(&all).len(), 6);
    }

    #[test]
    fn who_decides_what_is_forgotten_knows_the_people_and_no_case() {
        let mut world = World::busy();
        world.register(9, "dpo", HouseRole::Dpo);
        let db = world.views();
        let dpo = sight(&db, 9);
        assert_eq!(page(&db, &dpo, head(), None, many()).unwrap().items.len(), 6);
        assert!(dpo.may(Permission::DecideErasure) && !dpo.sees(crate::testing::case(1)));
    }
}
