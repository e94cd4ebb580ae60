//! «I want to go on here later.»

use uuid::Uuid;

use super::{Event, Refusal, Replay, StateDigest};
use crate::aggregate::{Command, Context, Home};
use crate::id::{CaseId, ReplayId};
use crate::policy::Permission;
use crate::text::Title;

/// Saves a replay of a case. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct SaveReplay {
    /// Which.
    pub replay: ReplayId,
    /// Of which case.
    pub case: CaseId,
    /// What to call it.
    pub title: Title,
    /// From after this position.
    pub from: u64,
    /// Up to this position, included.
    pub to: u64,
    /// What the case was at `to`.
    pub state: StateDigest,
}

impl Command for SaveReplay {
    type On = Replay;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Replay;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.replay.0
    }

    fn home(&self, replay: &Replay) -> Home {
        Home::Case(replay.in_case.unwrap_or(self.case))
    }

    fn decide(&self, replay: &Replay, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if replay.id.is_some() {
            let same = replay.owner == Some(ctx.actor)
                && replay.in_case == Some(self.case)
                && replay.range == (self.from, self.to);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        if self.from > self.to {
            return Err(Refusal::RangeInvalid.at("/from"));
        }
        Ok(vec![Event::Saved {
            replay: self.replay,
            case: self.case,
            title: self.title.clone().into(),
            from: self.from,
            to: self.to,
            state: self.state,
        }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{DropReplay, GotoStep};
    use super::*;
    use crate::testing::{by, ctx, decide_from, rao, title};
    use crate::value::Digest;

    fn save() -> SaveReplay {
        SaveReplay {
            replay: Uuid::from_u128(4).into(),
            case: Uuid::from_u128(1).into(),
            title: title("the week of the verdict"),
            from: 3,
            to: 9,
            state: StateDigest { entries: Digest([1; 32]), shown: Digest([2; 32]) },
        }
    }

    #[test]
    fn only_its_owner_goes_on_and_only_inside_it() {
        let past = decide_from(&[], &save(), &ctx()).unwrap_or_default();
        assert_eq!(decide_from(&past, &save(), &ctx()), Ok(vec![]));
        let go = |position| GotoStep { replay: save().replay, position, note: None };
        assert_eq!(decide_from(&past, &go(5), &by(rao())), Err(Refusal::NotOwner));
        assert_eq!(decide_from(&past, &go(10), &ctx()), Err(Refusal::OutOfRange.at("/position")));
        assert_eq!(decide_from(&past, &go(3), &ctx()), Ok(vec![]));
        assert!(decide_from(&past, &go(9), &ctx()).is_ok_and(|facts| facts.len() == 1));
    }

    #[test]
    fn a_dropped_replay_stays_where_it_was() {
        let mut past = decide_from(&[], &save(), &ctx()).unwrap_or_default();
        let drop = DropReplay { replay: save().replay };
        past.extend(decide_from(&past, &drop, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &drop, &ctx()), Ok(vec![]));
        let go = GotoStep { replay: save().replay, position: 5, note: None };
        assert_eq!(decide_from(&past, &go, &ctx()), Err(Refusal::Gone));
    }

    #[test]
    fn a_range_runs_forward() {
        let back = SaveReplay { from: 10, ..save() };
        assert_eq!(decide_from(&[], &back, &ctx()), Err(Refusal::RangeInvalid.at("/from")));
    }
}
