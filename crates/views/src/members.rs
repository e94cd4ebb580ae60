//! Who sees what: the members of cases, and the only place where a [`Sight`] is made.

use std::collections::{BTreeSet, HashMap, HashSet};

use assay_domain::aggregate::{Event, Subject};
use assay_domain::case::{self, CaseRole};
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::{Permission, Role, Roles, allows, any_allows};
use assay_domain::user::Profile;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::{At, OPEN};
use crate::db::Reader;
use crate::doc::Deed;
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::page::{Cursor, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob};
use crate::users::UserDoc;

/// A member of a case, as kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MemberDoc {
    case: CaseId,
    user: UserId,
    roles: BTreeSet<CaseRole>,
    since: Deed,
}

/// A member of a case, with what names them at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Member {
    /// Of which case.
    pub case: CaseId,
    /// Who.
    pub user: UserId,
    /// What names them; null where it was erased.
    pub profile: Option<Profile>,
    /// As what.
    pub roles: BTreeSet<CaseRole>,
    /// Since when, and who added them.
    pub since: Deed,
}

impl Row for MemberDoc {
    const TABLE: &'static str = "members";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("user_id", "BLOB NOT NULL"),
        ("since", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(user_id, case_id) ?open",
        "(case_id, since, id) ?open",
        "(case_id, since, id, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![blob(self.case.0), blob(self.user.0), self.since.at.micros().into()]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.members
    }
}

/// The name of a membership: one case, one user.
fn membership(case: CaseId, user: UserId) -> Uuid {
    Uuid::new_v5(&case.0, user.0.as_bytes())
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::Case(event), Subject::Case(case)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    match event {
        case::Event::MemberAdded { user, roles } => {
            let id = membership(case, *user);
            let (roles, user) = (roles.clone(), *user);
            let since = rows.get::<MemberDoc>(id)?.map_or_else(|| fact.deed(), |known| known.since);
            rows.put(id, Of::Other, MemberDoc { case, user, roles, since })?;
        }
        case::Event::MemberRemoved { user } => rows.close::<MemberDoc>(membership(case, *user))?,
        case::Event::Opened { .. }
        | case::Event::Retitled { .. }
        | case::Event::MarkingRaised { .. }
        | case::Event::MarkingLowered { .. }
        | case::Event::Closed { .. }
        | case::Event::Reopened { .. }
        | case::Event::PurposeDemanded {}
        | case::Event::PurposeWaived { .. } => return Ok(Took::Ignored),
    }
    Ok(Took::Used)
}

/// What one reader may see now: every query asks for it, and what is out of it is as good as absent.
///
/// It is made of the rights of *now*, also for looking at the past: who was removed from a case
/// does not read its history.
#[derive(Clone, Debug)]
pub struct Sight {
    user: Option<UserId>,
    house: Roles,
    cases: HashMap<CaseId, Roles>,
    /// Every case but the hidden ones: auditors, and the house itself.
    all: bool,
    hidden: HashSet<CaseId>,
    /// The cases in sight whose readers must say to what end they read.
    demanding: HashSet<CaseId>,
}

impl Sight {
    /// The sight of a user; nothing for somebody unknown or suspended.
    pub fn of(db: &Reader, user: UserId) -> Result<Option<Self>> {
        db.snapshot(|| {
            let Some(found) = db.document(UserDoc::TABLE, user.0, At::Head)? else {
                return Ok(None);
            };
            let known: UserDoc = serde_json::from_str(&found.json)?;
            if known.suspended.is_some() {
                return Ok(None);
            }
            let house: Roles = known.roles.iter().map(|role| role.role()).collect();
            let all = house.contains(&Role::Auditor) && allows(Role::Auditor, Permission::ReadCase);
            let hidden = above(db, known.clearance.level())?;
            let mut cases = memberships(db, user)?;
            cases.retain(|case, roles| {
                !hidden.contains(case) && any_allows(roles, Permission::ReadCase)
            });
            let (user, demanding) = (Some(user), HashSet::new());
            let mut sight = Self { user, house, cases, all, hidden, demanding };
            let mut demanding = self::demanding(db)?;
            demanding.retain(|case| sight.sees(*case));
            sight.demanding = demanding;
            Ok(Some(sight))
        })
    }

    /// The sight of the operator at the console of the machine, who can read the files anyway:
    /// for dumps, checks and exports of the whole house, never for a request that came over the wire.
    pub fn house() -> Self {
        Self {
            user: None,
            house: Roles::from([Role::House]),
            cases: HashMap::new(),
            all: true,
            hidden: HashSet::new(),
            demanding: HashSet::new(),
        }
    }

    /// The sight of the same reader who does not say to what end they read: the cases that demand
    /// it are out of it.
    #[must_use]
    pub fn without_purpose(mut self) -> Self {
        self.cases.retain(|case, _| !self.demanding.contains(case));
        self.hidden.extend(&self.demanding);
        self
    }

    /// Whether a case is in sight of those readers only who say to what end they read it.
    ///
    /// Also true of a case that is out of sight just because this reader did not say so.
    pub fn demanded(&self, case: CaseId) -> bool {
        self.demanding.contains(&case)
    }

    /// Whose sight it is; nobody's for the operator's.
    pub const fn user(&self) -> Option<UserId> {
        self.user
    }

    /// Whether the reader may do this in the house.
    pub fn may(&self, permission: Permission) -> bool {
        self.user.is_none() || any_allows(&self.house, permission)
    }

    /// Whether the reader may do this in a case.
    pub fn may_in(&self, case: CaseId, permission: Permission) -> bool {
        if !self.sees(case) {
            return false;
        }
        let member = self.cases.get(&case).is_some_and(|roles| any_allows(roles, permission));
        let auditor = self.house.contains(&Role::Auditor) && allows(Role::Auditor, permission);
        member || auditor || self.user.is_none()
    }

    /// Whether the reader may do this in the house or in any case they see.
    pub fn may_anywhere(&self, permission: Permission) -> bool {
        self.may(permission) || self.cases.values().any(|roles| any_allows(roles, permission))
    }

    /// Whether a case is in sight. One that does not exist may be: there is nothing to see in it.
    pub fn sees(&self, case: CaseId) -> bool {
        (self.all && !self.hidden.contains(&case)) || self.cases.contains_key(&case)
    }

    /// The reader's roles in a case.
    pub fn roles_in(&self, case: CaseId) -> Roles {
        self.cases.get(&case).cloned().unwrap_or_default()
    }

    /// The condition that a case column is in sight, and what it binds.
    pub(crate) fn filter(&self, column: &str) -> (String, Vec<Value>) {
        let (word, cases): (&str, Vec<CaseId>) = if self.all {
            if self.hidden.is_empty() {
                return ("1".to_owned(), vec![]);
            }
            ("NOT IN", self.hidden.iter().copied().collect())
        } else {
            ("IN", self.cases.keys().copied().collect())
        };
        let listed: Vec<String> = cases.iter().map(|case| hex::encode_upper(case.0)).collect();
        let listed = serde_json::Value::from(listed).to_string();
        // Bound as one list, so that the text of the query is the same for everybody.
        (format!("hex({column}) {word} (SELECT value FROM json_each(?))"), vec![listed.into()])
    }
}

/// The cases whose marking now is above a clearance.
fn above(db: &Reader, clearance: u8) -> Result<HashSet<CaseId>> {
    let sql = format!("SELECT id FROM cases WHERE marking > ? AND to_pos = {OPEN}");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let found = statement.query_map([clearance], |row| Ok(CaseId(case_of(row.get(0)?))))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The cases that demand a purpose of whoever reads them.
fn demanding(db: &Reader) -> Result<HashSet<CaseId>> {
    let sql = format!("SELECT id FROM cases WHERE purpose_demanded = 1 AND to_pos = {OPEN}");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let found = statement.query_map([], |row| Ok(CaseId(case_of(row.get(0)?))))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn case_of(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

fn memberships(db: &Reader, user: UserId) -> Result<HashMap<CaseId, Roles>> {
    let sql = format!("SELECT doc FROM members WHERE user_id = ? AND to_pos = {OPEN}");
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut rows = statement.query([user.0.as_bytes().as_slice()])?;
    let mut cases = HashMap::new();
    while let Some(row) = rows.next()? {
        let member: MemberDoc = serde_json::from_str(&row.get::<_, String>(0)?)?;
        cases.insert(member.case, member.roles.iter().map(|role| role.role()).collect());
    }
    Ok(cases)
}

/// The members of a case, longest first, with what names each at that moment.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    db.snapshot(|| {
        // The names are of the moment of the cursor's first page, as the members are.
        let moment = match cursor {
            Some(cursor) => At::Position(cursor.place(MemberDoc::TABLE)?.position),
            None => At::Position(db.resolve(at)?),
        };
        List::of(MemberDoc::TABLE, &["since"]).only("t.case_id = ?", [blob(case.0)]).page_with(
            db,
            at,
            cursor,
            limit,
            |item| {
                let MemberDoc { case, user, roles, since } = serde_json::from_str(&item.doc)?;
                let known = db.document(UserDoc::TABLE, user.0, moment)?;
                let known = known.map(|found| serde_json::from_str::<UserDoc>(&found.json));
                let profile = known.transpose()?.and_then(|known| known.profile);
                Ok(serde_json::to_string(&Member { case, user, profile, roles, since })?)
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases;
    use crate::testing::{
        ADM, ANA, AUD, BEN, RAO, World, case, head, many, reason, sight, user, values,
    };
    use assay_domain::aggregate::Event;
    use assay_domain::user;
    use assay_domain::value::Tlp;

    #[test]
    fn a_case_is_in_sight_of_its_members_and_of_auditors() {
        let db = World::peopled().views();
        for (who, first, second) in [
            (ANA, true, false),
            (BEN, false, true),
            (RAO, true, false),
            (AUD, true, true),
            (ADM, false, false),
        ] {
            let sight = sight(&db, who);
            assert_eq!((sight.sees(case(1)), sight.sees(case(2))), (first, second), "{who}");
            let listed = cases::page(&db, &sight, head(), cases::CaseFilter::All, None, many());
            let count = usize::from(first) + usize::from(second);
            assert_eq!(listed.unwrap().items.len(), count, "{who}");
        }
        assert!(Sight::of(&db, crate::testing::user(99)).unwrap().is_none());
    }

    #[test]
    fn a_marking_above_the_clearance_hides_a_case_from_everybody() {
        let mut world = World::peopled();
        world.on_case(1, ANA, case::Event::MarkingRaised { marking: Tlp::Red });
        let db = world.views();
        for who in [ANA, RAO, AUD] {
            let sight = sight(&db, who);
            assert!(!sight.sees(case(1)), "{who}");
            assert!(cases::one(&db, &sight, head(), case(1)).unwrap().is_none());
            assert!(cases::overview(&db, &sight, head(), case(1)).unwrap().is_none());
        }
        assert!(Sight::house().sees(case(1)));
    }

    #[test]
    fn who_was_removed_does_not_read_the_past_and_who_is_suspended_reads_nothing() {
        let mut world = World::peopled();
        world.on_case(1, ANA, case::Event::MemberRemoved { user: user(RAO) });
        let suspended = user::Event::Suspended { reason: reason("left").into() };
        world.add(Subject::User(user(BEN)), ADM, None, vec![Event::User(suspended)]);
        let db = world.views();
        let rao = sight(&db, RAO);
        assert!(cases::one(&db, &rao, At::Position(18), case(1)).unwrap().is_none());
        assert!(Sight::of(&db, user(BEN)).unwrap().is_none());
        let ana = sight(&db, ANA);
        let then = page(&db, &ana, At::Position(18), case(1), None, many()).unwrap();
        assert_eq!(values(&then).len(), 2);
        let now = page(&db, &ana, head(), case(1), None, many()).unwrap();
        assert_eq!(values(&now).len(), 1);
        assert_eq!(values(&now)[0]["profile"]["username"], "ana");
        assert!(page(&db, &rao, At::Position(18), case(1), None, many()).unwrap().items.is_empty());
    }

    #[test]
    fn a_case_that_demands_a_purpose_is_out_of_sight_without_one() {
        let mut world = World::busy();
        world.on_case(1, ANA, case::Event::PurposeDemanded {});
        world.find(1, Some(1), assay_domain::finding::Severity::Note, "found");
        let db = world.views();
        let listed = |sight: &Sight| {
            let found = cases::page(&db, sight, head(), cases::CaseFilter::All, None, many());
            values(&found.unwrap()).len()
        };
        for (who, with, without) in [(ANA, 1, 0), (RAO, 1, 0), (AUD, 2, 1), (BEN, 1, 1)] {
            let full = sight(&db, who);
            let bare = full.clone().without_purpose();
            assert_eq!((listed(&full), listed(&bare)), (with, without), "{who}");
            assert_eq!(full.demanded(case(1)), with > without, "{who}");
            assert_eq!(bare.demanded(case(1)), full.demanded(case(1)), "{who}");
            assert!(!bare.sees(case(1)) && !bare.demanded(case(2)), "{who}");
            assert!(!bare.may_in(case(1), Permission::ReadCase), "{who}");
            let told = crate::history::of_case(&db, &bare, head(), case(1), None, many()).unwrap();
            assert!(told.items.is_empty(), "{who}");
            let filter = crate::findings::FindingFilter::default();
            let found = crate::findings::page(&db, &bare, head(), &filter, None, many()).unwrap();
            assert!(found.items.is_empty(), "{who}");
        }
        let shown = cases::one(&db, &sight(&db, ANA), head(), case(1)).unwrap().unwrap();
        assert!(shown.json.contains("\"purpose_demanded\":true"));
        world.on_case(1, ANA, case::Event::PurposeWaived { reason: reason("over").into() });
        let db = world.views();
        let bare = sight(&db, ANA).without_purpose();
        assert!(bare.sees(case(1)) && !bare.demanded(case(1)));
    }
}
