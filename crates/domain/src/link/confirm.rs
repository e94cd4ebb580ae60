//! «Yes, they do.» A second person says so.

use uuid::Uuid;

use super::{Event, Link, Refusal, Standing};
use crate::aggregate::{Command, Context};
use crate::id::LinkId;
use crate::policy::Permission;
use crate::text::Reason;

/// Confirms somebody else's link. Where it is already so, nothing changes.
#[derive(Clone, Debug)]
pub struct ConfirmLink {
    /// Which link.
    pub link: LinkId,
    /// Why.
    pub note: Option<Reason>,
}

impl Command for ConfirmLink {
    type On = Link;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::ConfirmLink;

    fn target(&self) -> Uuid {
        self.link.0
    }

    fn decide(&self, link: &Link, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if link.standing == Standing::Confirmed && link.proposer != Some(ctx.actor) {
            return Ok(vec![]);
        }
        link.must_await(ctx.actor)?;
        Ok(vec![Event::Confirmed { note: self.note.clone().map(Into::into) }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::propose::tests::proposed;
    use super::super::{RejectLink, WithdrawLink};
    use super::*;
    use crate::testing::{by, ctx, decide_from, rao, reason};

    #[test]
    fn the_proposer_does_not_confirm() {
        let confirm = ConfirmLink { link: Uuid::from_u128(20).into(), note: None };
        assert_eq!(decide_from(&proposed(), &confirm, &ctx()), Err(Refusal::FourEyes));
        let mut past = proposed();
        past.extend(decide_from(&past, &confirm, &by(rao())).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &confirm, &by(rao())), Ok(vec![]));
        let reject = RejectLink { link: Uuid::from_u128(20).into(), reason: reason("no") };
        assert_eq!(decide_from(&past, &reject, &by(rao())), Err(Refusal::Decided));
    }

    #[test]
    fn a_withdrawn_link_is_not_confirmed() {
        let withdraw =
            WithdrawLink { link: Uuid::from_u128(20).into(), reason: reason("mistaken") };
        let mut past = proposed();
        past.extend(decide_from(&past, &withdraw, &ctx()).unwrap_or_default());
        let confirm = ConfirmLink { link: Uuid::from_u128(20).into(), note: None };
        assert_eq!(decide_from(&past, &confirm, &by(rao())), Err(Refusal::Decided));
    }
}
