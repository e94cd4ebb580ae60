//! «It is not settled after all.»

use uuid::Uuid;

use super::{Event, Finding, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::FindingId;
use crate::policy::Permission;
use crate::text::Reason;

/// Reopens a closed finding. An open one stays open.
#[derive(Clone, Debug)]
pub struct ReopenFinding {
    /// Which.
    pub finding: FindingId,
    /// Why.
    pub reason: Reason,
}

impl Command for ReopenFinding {
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
        if finding.closed.is_none() {
            return Ok(vec![]);
        }
        Ok(vec![Event::Reopened { reason: self.reason.clone().into() }])
    }
}
