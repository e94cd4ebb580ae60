//! «This is what we say to it.» The team answers, as often as needed.

use uuid::Uuid;

use super::{Event, Finding, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::FindingId;
use crate::policy::Permission;
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
        let last = finding.answer.as_ref().map(|(words, by)| (words.as_ref(), *by));
        if last == Some((Some(&self.answer), ctx.actor)) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Answered { answer: self.answer.clone().into() }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::record::tests::recorded;
    use super::*;
    use crate::testing::{ctx, decide_from, passage};

    pub(in crate::finding) fn answer() -> AnswerFinding {
        let answer = passage("it cites the video now");
        AnswerFinding { finding: Uuid::from_u128(2).into(), answer }
    }

    #[test]
    fn the_same_answer_twice_is_one_answer() {
        let mut past = recorded();
        past.extend(decide_from(&past, &answer(), &ctx()).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &answer(), &ctx()), Ok(vec![]));
    }
}
