//! «Let us look into this.» Who opens a case leads it.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Brief, Case, CaseRole, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::CaseId;
use crate::policy::Permission;
use crate::value::Tlp;

/// Opens a case. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct OpenCase {
    /// Which.
    pub case: CaseId,
    /// What it is about.
    pub brief: Brief,
    /// Who may know of it.
    pub marking: Tlp,
}

impl Command for OpenCase {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::OpenCase;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn home(&self, case: &Case) -> Home {
        case.id.map_or(Home::House, Home::Case)
    }

    fn decide(&self, case: &Case, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if case.id.is_some() {
            let same = case.originator == Some(ctx.actor)
                && case.title.as_ref() == Some(&self.brief.title);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        let opened = Event::Opened {
            case: self.case,
            brief: self.brief.clone().into(),
            marking: self.marking,
        };
        let roles = BTreeSet::from([CaseRole::CaseLead, CaseRole::Analyst]);
        Ok(vec![opened, Event::MemberAdded { user: ctx.actor, roles }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::{ana, by, ctx, decide_from, rao, title};

    pub(in crate::case) fn open() -> OpenCase {
        let brief = Brief { title: title("Idlib"), mandate: None };
        OpenCase { case: Uuid::from_u128(1).into(), brief, marking: Tlp::Amber }
    }

    pub(in crate::case) fn opened() -> Vec<Event> {
        decide_from(&[], &open(), &ctx()).unwrap_or_default()
    }

    #[test]
    fn who_opens_leads() {
        let roles = BTreeSet::from([CaseRole::CaseLead, CaseRole::Analyst]);
        assert_eq!(opened().last(), Some(&Event::MemberAdded { user: ana(), roles }));
    }

    #[test]
    fn opening_twice_is_harmless_and_somebody_elses_is_refused() {
        assert_eq!(decide_from(&opened(), &open(), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&opened(), &open(), &by(rao())), Err(Refusal::Taken));
    }
}
