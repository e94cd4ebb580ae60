//! «This is what we say to it.» The team answers, as often as needed.

use uuid::Uuid;

use super::{Event, Finding, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::FindingId;
use crate::policy::{Permission, Role};
use crate::text::Passage;

/// Answers an open finding. The same answer again changes nothing.
#[derive(Clone, Debug)]
pub struct AnswerFinding {
    /// Which.
    pub finding: FindingId,
    /// What the team says to it.
    pub answer: Passage,
}

impl Command for AnswerFinding {
    type On = Finding;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::AnswerFinding;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.finding.0
    }

    fn home(&self, finding: &Finding) -> Home {
        finding.place()
    }

    fn decide(&self, finding: &Finding, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        finding.must_be_open()?;
        if finding.in_case.is_none() && !ctx.roles.contains(&Role::Admin) {
            return Err(Refusal::OfTheHouse);
        }
        let last = finding.answer.as_ref().map(|(words, by)| (words.as_ref(), *by));
        if last == Some((Some(&self.answer), ctx.actor)) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Answered { answer: self.answer.clone().into() }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::RecordFinding;
    use super::super::record::tests::{record, recorded};
    use super::*;
    use crate::testing::{ctx, decide_from, passage};

    pub(in crate::finding) fn answer() -> AnswerFinding {
        let answer = passage("it cites the video now");
        AnswerFinding { finding: Uuid::from_u128(2).into(), answer }
    }

    #[test]
    fn a_finding_on_the_house_is_answered_by_its_admins() {
        let house = RecordFinding { case: None, ..record() };
        let past = decide_from(&[], &house, &ctx()).unwrap_or_default();
        assert_eq!(decide_from(&past, &answer(), &ctx()), Err(Refusal::OfTheHouse));
        let mut admin = ctx();
        admin.roles.insert(Role::Admin);
        assert!(decide_from(&past, &answer(), &admin).is_ok());
    }

    #[test]
    fn the_same_answer_twice_is_one_answer() {
        let mut past = recorded();
        past.extend(decide_from(&past, &answer(), &ctx()).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &answer(), &ctx()), Ok(vec![]));
    }
}
