//! «That settles it.» An auditor closes what was answered, or what was unfounded.

use uuid::Uuid;

use super::{Event, Finding, FindingOutcome, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::FindingId;
use crate::policy::Permission;
use crate::text::Reason;

/// Closes a finding. A closed one stays closed.
#[derive(Clone, Debug)]
pub struct CloseFinding {
    /// Which.
    pub finding: FindingId,
    /// How it ended.
    pub outcome: FindingOutcome,
    /// Why.
    pub reason: Reason,
}

impl Command for CloseFinding {
    type On = Finding;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::RecordFinding;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.finding.0
    }

    fn home(&self, finding: &Finding) -> Home {
        finding.place()
    }

    fn decide(&self, finding: &Finding, _: &Context) -> Result<Vec<Event>, Refusal> {
        match finding.closed {
            Some(outcome) if outcome == self.outcome => return Ok(vec![]),
            Some(_) => return Err(Refusal::Closed),
            None => (),
        }
        if finding.answer.is_none() && self.outcome != FindingOutcome::Unfounded {
            return Err(Refusal::Unanswered);
        }
        Ok(vec![Event::Closed { outcome: self.outcome, reason: self.reason.clone().into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::tests::answer;
    use super::super::record::tests::recorded;
    use super::super::{AnswerFinding, ReopenFinding};
    use super::*;
    use crate::testing::{ctx, decide_from, passage, reason};

    fn close(outcome: FindingOutcome) -> CloseFinding {
        CloseFinding { finding: Uuid::from_u128(2).into(), outcome, reason: reason("mended") }
    }

    #[test]
    fn the_team_is_heard_before_a_finding_is_closed() {
        let resolved = close(FindingOutcome::Resolved);
        assert_eq!(decide_from(&recorded(), &resolved, &ctx()), Err(Refusal::Unanswered));
        assert!(decide_from(&recorded(), &close(FindingOutcome::Unfounded), &ctx()).is_ok());
        let mut past = recorded();
        past.extend(decide_from(&past, &answer(), &ctx()).unwrap_or_default());
        past.extend(decide_from(&past, &resolved, &ctx()).unwrap_or_default());
        assert_eq!(past.len(), 3);
        assert_eq!(decide_from(&past, &resolved, &ctx()), Ok(vec![]));
        let late = AnswerFinding { answer: passage("one more thing"), ..answer() };
        assert_eq!(decide_from(&past, &late, &ctx()), Err(Refusal::Closed));
        let reopen = ReopenFinding { finding: late.finding, reason: reason("it came back") };
        past.extend(decide_from(&past, &reopen, &ctx()).unwrap_or_default());
        assert!(decide_from(&past, &late, &ctx()).is_ok_and(|facts| facts.len() == 1));
    }
}
