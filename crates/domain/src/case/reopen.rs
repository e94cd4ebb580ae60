//! «There is more to it.»

use uuid::Uuid;

use super::{Case, Event, Refusal};
use crate::aggregate::{Command, Context};
use crate::id::CaseId;
use crate::policy::Permission;
use crate::text::Reason;

/// Reopens a closed case. An open one stays open.
#[derive(Clone, Debug)]
pub struct ReopenCase {
    /// Which case.
    pub case: CaseId,
    /// Why.
    pub reason: Reason,
}

impl Command for ReopenCase {
    type On = Case;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::EditCase;
    const IN_CLOSED_CASE: bool = true;

    fn target(&self) -> Uuid {
        self.case.0
    }

    fn decide(&self, case: &Case, _: &Context) -> Result<Vec<Event>, Refusal> {
        if !case.closed {
            return Ok(vec![]);
        }
        Ok(vec![Event::Reopened { reason: self.reason.clone().into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::CloseCase;
    use super::super::open::tests::opened;
    use super::*;
    use crate::testing::{ctx, decide_from, reason};

    #[test]
    fn closing_and_reopening_twice_is_harmless() {
        let case = Uuid::from_u128(1).into();
        let close = CloseCase { case, outcome: reason("done"), open_contradictions: vec![] };
        let reopen = ReopenCase { case, reason: reason("new footage") };
        let mut past = opened();
        assert_eq!(decide_from(&past, &reopen, &ctx()), Ok(vec![]));
        past.extend(decide_from(&past, &close, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &close, &ctx()), Ok(vec![]));
        assert!(decide_from(&past, &reopen, &ctx()).is_ok_and(|facts| facts.len() == 1));
    }
}
