//! «We are done with this.» What stayed contradictory is named.

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::{CaseId, LinkId};
use crate::policy::Permission;
use crate::text::Reason;

/// Closes a case. A closed one stays closed.
#[derive(Clone, Debug)]
pub struct CloseCase {
    /// Which case.
    pub case: CaseId,
    /// With which outcome.
    pub outcome: Reason,
    /// The contradictions known to be open.
    pub open_contradictions: Vec<LinkId>,
}

impl Command for CloseCase {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::EditCase;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        if case.closed {
            return Ok(vec![]);
        }
        Ok(vec![Event::Closed {
            outcome: self.outcome.clone().into(),
            open_contradictions: self.open_contradictions.clone(),
        }])
    }
}
