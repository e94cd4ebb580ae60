//! The scope of a question about reach: what the subject belonged to, and which rights concern it.

use assay_domain::aggregate::Subject;
use assay_domain::id::{CaseId, UserId};
use assay_domain::policy::{Permission as P, Role, allows};
use assay_domain::value::Tlp;
use rusqlite::params;
use rusqlite::types::Value;
use strum::IntoEnumIterator as _;

use super::past::Past;
use crate::at::{At, sql};
use crate::cases::CaseDoc;
use crate::db::Reader;
use crate::diff::{document, table_of};
use crate::error::{Result, ViewError};
use crate::rows::{Row as _, blob, word};

/// The rights that let somebody see what is in a case.
const SEE_CASE: &[P] = &[P::ReadCase, P::Audit, P::Replay];

/// A case as far as a question about reach needs it.
#[derive(Debug)]
pub(super) struct InCase {
    /// As it was at the moment.
    pub(super) now: CaseDoc,
    /// How its marking came to be what it is.
    pub(super) markings: Past<Tlp>,
}

/// What is asked about.
#[derive(Debug)]
pub(super) struct Scope {
    case: Option<InCase>,
    /// Any of these lets somebody see it.
    pub(super) see: &'static [P],
    /// Any of these lets somebody change it.
    pub(super) change: &'static [P],
    /// Whether a role in any case lets somebody see it, as for sources.
    pub(super) anywhere: bool,
    /// Whose own it is.
    pub(super) own: Option<UserId>,
}

impl Scope {
    /// The scope of a subject that existed at a position; nothing for what nobody reads as such.
    pub(super) fn of(db: &Reader, subject: Subject, position: u64) -> Result<Option<Self>> {
        let Some((see, change)) = concerning(subject) else { return Ok(None) };
        let Some(table) = table_of(subject.kind()) else { return Ok(None) };
        let Some(found) = document(db, table, subject.id(), position)? else { return Ok(None) };
        let case = match subject {
            Subject::Case(case) => Some(case),
            _ => match found.get("case") {
                None | Some(serde_json::Value::Null) => None,
                Some(case) => Some(serde_json::from_value::<CaseId>(case.clone())?),
            },
        };
        let own = if let Subject::User(user) = subject { Some(user) } else { None };
        let anywhere = matches!(subject, Subject::Source(_));
        // A finding of the house is read by those who may answer it.
        let see = if case.is_none() && matches!(subject, Subject::Finding(_)) {
            &[P::Audit, P::AnswerFinding]
        } else {
            see
        };
        let case = case.map(|case| in_case(db, case, position)).transpose()?;
        Ok(Some(Self { case, see, change, anywhere, own }))
    }

    /// The case it is in.
    pub(super) fn case(&self) -> Option<CaseId> {
        self.case.as_ref().map(|case| case.now.id)
    }

    /// What that case was.
    pub(super) fn of_case(&self) -> Option<&CaseDoc> {
        self.case.as_ref().map(|case| &case.now)
    }

    /// How the marking of that case came to be what it is.
    pub(super) fn markings(&self) -> Option<&Past<Tlp>> {
        self.case.as_ref().map(|case| &case.markings)
    }

    /// The condition that a user may have reach, and what it binds: members, and those whose role in
    /// the house carries it.
    pub(super) fn candidates(&self, position: u64) -> (String, Vec<Value>) {
        let (held, times) = At::Position(position).held("m");
        let (mut ways, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        if let Some(case) = self.case() {
            let members = "SELECT m.user_id FROM members m WHERE m.case_id = ?";
            ways.push(format!("t.id IN ({members} AND {held})"));
            values.push(blob(case.0));
            values.extend(times);
        } else if self.anywhere {
            ways.push(format!("t.id IN (SELECT m.user_id FROM members m WHERE {held})"));
            values.extend(times);
        }
        if let Some(own) = self.own {
            ways.push("t.id = ?".to_owned());
            values.push(blob(own.0));
        }
        let carry = Role::iter().filter(|role| self.carries(*role));
        let roles: Vec<String> = carry.map(|role| format!("'{}'", word(&role))).collect();
        let roles = roles.join(", ");
        ways.push(format!(
            "EXISTS (SELECT 1 FROM json_each(t.doc, '$.roles') r WHERE r.value IN ({roles}))"
        ));
        (format!("({})", ways.join(" OR ")), values)
    }

    /// Whether a role in the house carries reach by itself: in a case only the auditor's does.
    pub(super) fn carries(&self, role: Role) -> bool {
        let carries = self.see.iter().chain(self.change).any(|may| allows(role, *may));
        carries && (self.case.is_none() || role == Role::Auditor)
    }
}

fn in_case(db: &Reader, case: CaseId, position: u64) -> Result<InCase> {
    let found = db.document(CaseDoc::TABLE, case.0, At::Position(position))?;
    let missing = || ViewError::Damaged(format!("no case {case} as of {position}"));
    let now = serde_json::from_str(&found.ok_or_else(missing)?.json)?;
    let markings = Past::read(
        db,
        "SELECT from_pos, to_pos, marking FROM cases WHERE id = ? AND from_pos <= ? ORDER BY from_pos",
        params![case.0.as_bytes(), sql(position)],
        |row| {
            let level: u8 = row.get(2)?;
            let marking = Tlp::ALL.into_iter().find(|marking| marking.level() == level);
            marking.ok_or_else(|| ViewError::Damaged(format!("cases: the marking {level}")))
        },
    )?;
    Ok(InCase { now, markings })
}

/// The rights that let somebody see a subject, and those that let them change it.
const fn concerning(subject: Subject) -> Option<(&'static [P], &'static [P])> {
    Some(match subject {
        Subject::Case(_) => (
            SEE_CASE,
            &[
                P::EditCase,
                P::ManageMembers,
                P::FileReport,
                P::Extract,
                P::Grade,
                P::Link,
                P::ConfirmLink,
                P::RequestReview,
                P::Judge,
                P::RecordFinding,
                P::AnswerFinding,
            ],
        ),
        Subject::Report(_) => (SEE_CASE, &[P::FileReport, P::Extract]),
        Subject::Claim(_) => (SEE_CASE, &[P::Extract, P::Grade, P::RequestReview, P::Judge]),
        Subject::Link(_) => (SEE_CASE, &[P::Link, P::ConfirmLink]),
        Subject::Finding(_) => (SEE_CASE, &[P::RecordFinding, P::AnswerFinding]),
        Subject::Source(_) => (&[P::ReadSources], &[P::RegisterSource]),
        Subject::User(_) => (&[P::ReadUsers], &[P::ManageUsers]),
        Subject::Access(_)
        | Subject::Replay(_)
        | Subject::Erasure(_)
        | Subject::Adoption(_)
        | Subject::Log(_) => return None,
    })
}
