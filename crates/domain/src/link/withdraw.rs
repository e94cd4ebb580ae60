//! «I take that back.»

use uuid::Uuid;

use super::{Event, Link, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::LinkId;
use crate::policy::Permission;
use crate::text::Reason;

/// Takes a link back, proposed or confirmed. One taken back already changes nothing.
#[derive(Clone, Debug)]
pub struct WithdrawLink {
    /// Which link.
    pub link: LinkId,
    /// Why.
    pub reason: Reason,
}

impl Command for WithdrawLink {
    type On = Link;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Link;

    fn target(&self) -> Uuid {
        self.link.0
    }

    fn decide(&self, link: &Link, _: &Context) -> Result<Vec<Event>, Refusal> {
        match link.standing {
            Standing::Withdrawn => Ok(vec![]),
            Standing::Rejected => Err(Refusal::Decided),
            Standing::Proposed | Standing::Confirmed => {
                Ok(vec![Event::Withdrawn { reason: self.reason.clone().into() }])
            }
        }
    }
}
