//! A finding: what an auditor found in the entries of the log, answered by the team and closed by an auditor.

mod answer;
mod close;
mod record;
mod reopen;

use serde::{Deserialize, Serialize};
use strum::EnumCount;
use uuid::Uuid;

pub use answer::AnswerFinding;
pub use close::CloseFinding;
pub use record::{Concerned, RecordFinding};
pub use reopen::ReopenFinding;

use crate::aggregate::{Aggregate, Home, Stamp};
use crate::id::{CaseId, FindingId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Passage, Reason};

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Against the way of working, without consequence.
    Minor,
    /// Something that was concluded may not stand.
    Major,
    /// The record or somebody's safety is at stake.
    Critical,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingOutcome {
    /// What was wrong was put right.
    Resolved,
    /// It stays as it is, knowingly.
    Accepted,
    /// There was nothing to it.
    Unfounded,
}

/// An entry of the log that a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EntryRef {
    /// Its position.
    pub position: u64,
    /// The fact that stands there.
    pub fact: Uuid,
}

/// What happened to a finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// An auditor found something.
    #[serde(rename = "finding.recorded.v1")]
    Recorded {
        /// Which finding this is.
        finding: FindingId,
        /// In which case; in none where it concerns the house.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<CaseId>,
        /// The entries it is about.
        entries: Vec<EntryRef>,
        /// How grave it is.
        severity: Severity,
        /// What was found.
        statement: Personal<Passage>,
    },
    /// The team answered.
    #[serde(rename = "finding.answered.v1")]
    Answered {
        /// What they say to it.
        answer: Personal<Passage>,
    },
    /// It ended.
    #[serde(rename = "finding.closed.v1")]
    Closed {
        /// How.
        outcome: FindingOutcome,
        /// Why.
        reason: Personal<Reason>,
    },
    /// It goes on.
    #[serde(rename = "finding.reopened.v1")]
    Reopened {
        /// Why.
        reason: Personal<Reason>,
    },
}

/// What the rules ask of a finding.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Which finding this is, once recorded.
    pub id: Option<FindingId>,
    /// The case it is in, if it is in one.
    pub in_case: Option<CaseId>,
    /// The entries it is about.
    pub entries: Vec<EntryRef>,
    /// What was found, where it is known.
    pub statement: Option<Passage>,
    /// Who found it.
    pub auditor: Option<UserId>,
    /// The last answer, where it is known, and who gave it.
    pub answer: Option<(Option<Passage>, UserId)>,
    /// How it ended, while it is closed.
    pub closed: Option<FindingOutcome>,
}

impl Finding {
    /// Whose members may act on it: those of its case, or the house.
    const fn place(&self) -> Home {
        match (self.id, self.in_case) {
            (None, _) => Home::Nowhere,
            (Some(_), Some(case)) => Home::Case(case),
            (Some(_), None) => Home::House,
        }
    }

    const fn must_be_open(&self) -> Result<(), Refusal> {
        if self.closed.is_some() { Err(Refusal::Closed) } else { Ok(()) }
    }
}

impl Aggregate for Finding {
    const CATEGORY: &'static str = "finding";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Recorded { finding, case, entries, statement, .. } => {
                self.id = Some(*finding);
                self.in_case = *case;
                self.entries.clone_from(entries);
                self.statement = statement.known().cloned();
                self.auditor = Some(stamp.actor);
            }
            Event::Answered { answer } => {
                self.answer = Some((answer.known().cloned(), stamp.actor));
            }
            Event::Closed { outcome, .. } => self.closed = Some(*outcome),
            Event::Reopened { .. } => self.closed = None,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}

refusals! {
    Taken = Conflicting, "finding_exists", "a finding with this id exists already and is another";
    EntriesEmpty = Invalid, "finding_entries_empty", "a finding is about at least one entry";
    EntriesTooMany = Invalid, "finding_entries_too_many", "a finding is about at most 100 entries";
    EntryElsewhere = Invalid, "finding_entry_elsewhere", "this entry does not belong to the case";
    OfTheHouse = Barred, "finding_of_the_house", "a finding on the house itself is answered by its admins";
    Closed = Conflicting, "finding_closed", "the finding is closed";
    Unanswered = Conflicting, "finding_unanswered", "a finding is closed after it was answered, unless it was unfounded";
}
