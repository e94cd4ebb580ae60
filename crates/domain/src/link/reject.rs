//! «No, they do not.» A second person says so.

use uuid::Uuid;

use super::{Event, Link, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::LinkId;
use crate::policy::Permission;
use crate::text::Reason;

/// Rejects somebody else's link. Where it is already so, nothing changes.
#[derive(Clone, Debug)]
pub struct RejectLink {
    /// Which link.
    pub link: LinkId,
    /// Why.
    pub reason: Reason,
}

impl Command for RejectLink {
    type On = Link;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ConfirmLink;

    fn target(&self) -> Uuid {
        self.link.0
    }

    fn decide(&self, link: &Link, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if link.standing == Standing::Rejected && link.proposer != Some(ctx.actor) {
            return Ok(vec![]);
        }
        link.must_await(ctx.actor)?;
        Ok(vec![Event::Rejected { reason: self.reason.clone().into() }])
    }
}
