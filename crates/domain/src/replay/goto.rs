//! «On to that step.» Forward or back.

use uuid::Uuid;

use super::{Event, Refusal, Replay};
use crate::aggregate::{Command, Context, Home};
use crate::id::ReplayId;
use crate::policy::Permission;
use crate::text::Reason;

/// Goes to a step of a saved replay, perhaps with a note. Staying without a note changes nothing.
#[derive(Clone, Debug)]
pub struct GotoStep {
    /// Which replay.
    pub replay: ReplayId,
    /// After which entry to stand.
    pub position: u64,
    /// What is worth noting there.
    pub note: Option<Reason>,
}

impl Command for GotoStep {
    type On = Replay;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Replay;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.replay.0
    }

    fn home(&self, replay: &Replay) -> Home {
        replay.place()
    }

    fn decide(&self, replay: &Replay, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        replay.must_be_of(ctx.actor)?;
        if replay.dropped {
            return Err(Refusal::Gone);
        }
        let (from, to) = replay.range;
        if !(from..=to).contains(&self.position) {
            return Err(Refusal::OutOfRange.at("/position"));
        }
        if replay.position == self.position && self.note.is_none() {
            return Ok(vec![]);
        }
        let note = self.note.clone().map(Into::into);
        Ok(vec![Event::WentTo { position: self.position, note }])
    }
}
