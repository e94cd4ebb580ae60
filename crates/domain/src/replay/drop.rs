//! «I need it no more.»

use uuid::Uuid;

use super::{Event, Refusal, Replay};
use crate::aggregate::{Command, Context, Home};
use crate::id::ReplayId;
use crate::policy::Permission;

/// Drops a saved replay. A dropped one stays dropped.
#[derive(Clone, Copy, Debug)]
pub struct DropReplay {
    /// Which.
    pub replay: ReplayId,
}

impl Command for DropReplay {
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
        Ok(if replay.dropped { vec![] } else { vec![Event::Dropped {}] })
    }
}
