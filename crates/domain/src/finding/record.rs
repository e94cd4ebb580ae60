//! «Look at these entries.» Only auditors find.

use uuid::Uuid;

use super::{EntryRef, Event, Finding, Refusal, Severity};
use crate::aggregate::{Command, Context, Home};
use crate::id::{CaseId, FindingId};
use crate::policy::Permission;
use crate::text::Passage;

/// The most entries a finding may be about.
const ENTRIES_MAX: usize = 100;

/// An entry that a finding is about, and the case it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Concerned {
    /// The entry.
    pub entry: EntryRef,
    /// Its case, if it belongs to one.
    pub case: Option<CaseId>,
}

/// Records a finding. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct RecordFinding {
    /// Which.
    pub finding: FindingId,
    /// In which case; in none where it concerns the house.
    pub case: Option<CaseId>,
    /// The entries it is about.
    pub entries: Vec<Concerned>,
    /// How grave it is.
    pub severity: Severity,
    /// What was found.
    pub statement: Passage,
}

impl Command for RecordFinding {
    type On = Finding;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::RecordFinding;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.finding.0
    }

    fn home(&self, finding: &Finding) -> Home {
        let case = if finding.id.is_some() { finding.in_case } else { self.case };
        case.map_or(Home::House, Home::Case)
    }

    fn decide(&self, finding: &Finding, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        let entries: Vec<EntryRef> = self.entries.iter().map(|one| one.entry).collect();
        if finding.id.is_some() {
            let same = finding.auditor == Some(ctx.actor)
                && finding.entries == entries
                && finding.statement.as_ref() == Some(&self.statement);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        if entries.is_empty() {
            return Err(Refusal::EntriesEmpty.at("/entries"));
        }
        if entries.len() > ENTRIES_MAX {
            return Err(Refusal::EntriesTooMany.at("/entries"));
        }
        let elsewhere = |one: &Concerned| self.case.is_some() && one.case != self.case;
        if let Some(at) = self.entries.iter().position(elsewhere) {
            return Err(Refusal::EntryElsewhere.at(format!("/entries/{at}")));
        }
        Ok(vec![Event::Recorded {
            finding: self.finding,
            case: self.case,
            entries,
            severity: self.severity,
            statement: self.statement.clone().into(),
        }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::{by, ctx, decide_from, passage, rao};

    pub(in crate::finding) fn record() -> RecordFinding {
        let case = Some(Uuid::from_u128(1).into());
        let entry = EntryRef { position: 7, fact: Uuid::from_u128(70) };
        RecordFinding {
            finding: Uuid::from_u128(2).into(),
            case,
            entries: vec![Concerned { entry, case }],
            severity: Severity::Major,
            statement: passage("the verdict cites nothing"),
        }
    }

    pub(in crate::finding) fn recorded() -> Vec<Event> {
        decide_from(&[], &record(), &ctx()).unwrap_or_default()
    }

    #[test]
    fn recording_twice_is_harmless_and_somebody_elses_is_refused() {
        assert_eq!(recorded().len(), 1);
        assert_eq!(decide_from(&recorded(), &record(), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&recorded(), &record(), &by(rao())), Err(Refusal::Taken));
    }

    #[test]
    fn an_entry_of_another_case_is_named() {
        let mut stray = record();
        stray.entries.extend(stray.entries.clone());
        if let Some(last) = stray.entries.last_mut() {
            last.case = None;
        }
        let refused = decide_from(&[], &stray, &ctx());
        assert_eq!(refused, Err(Refusal::EntryElsewhere.at("/entries/1")));
        let house = RecordFinding { case: None, ..stray };
        assert!(decide_from(&[], &house, &ctx()).is_ok());
    }

    #[test]
    fn a_finding_is_about_something() {
        let empty = RecordFinding { entries: vec![], ..record() };
        assert_eq!(decide_from(&[], &empty, &ctx()), Err(Refusal::EntriesEmpty.at("/entries")));
    }
}
