//! «It is forgotten now.» A second person says so, and it cannot be taken back.

use uuid::Uuid;

use super::{Erasure, ErasureStanding, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::ErasureId;
use crate::policy::Permission;

/// Carries out an erasure. Where it is already so, nothing changes.
#[derive(Clone, Copy, Debug)]
pub struct CarryOutErasure {
    /// Which erasure.
    pub erasure: ErasureId,
}

impl Command for CarryOutErasure {
    type On = Erasure;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::DecideErasure;

    fn target(&self) -> Uuid {
        self.erasure.0
    }

    fn home(&self, erasure: &Erasure) -> Home {
        erasure.place()
    }

    fn decide(&self, erasure: &Erasure, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if erasure.standing == ErasureStanding::CarriedOut {
            return Ok(vec![]);
        }
        erasure.must_be_undecided()?;
        if erasure.requester == Some(ctx.actor) {
            return Err(Refusal::FourEyes);
        }
        Ok(erasure.subject.map(|subject| Event::CarriedOut { subject }).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::requested;
    use super::super::{LiftRestriction, RefuseErasure, RestrictProcessing};
    use super::*;
    use crate::testing::{by, ctx, decide_from, rao, reason};

    #[test]
    fn two_persons_forget_and_once_forgotten_nothing_else_happens() {
        let erasure = Uuid::from_u128(5).into();
        let carry_out = CarryOutErasure { erasure };
        let mut past = requested();
        assert_eq!(decide_from(&past, &carry_out, &ctx()), Err(Refusal::FourEyes));
        let restrict = RestrictProcessing { erasure, reason: reason("until decided") };
        past.extend(decide_from(&past, &restrict, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &restrict, &ctx()), Ok(vec![]));
        past.extend(decide_from(&past, &carry_out, &by(rao())).unwrap_or_default());
        assert_eq!(past.len(), 3);
        assert_eq!(decide_from(&past, &carry_out, &by(rao())), Ok(vec![]));
        let refuse = RefuseErasure { erasure, ground: reason("archive") };
        assert_eq!(decide_from(&past, &refuse, &ctx()), Err(Refusal::Decided));
        let lift = LiftRestriction { erasure, reason: reason("mistaken") };
        assert_eq!(decide_from(&past, &lift, &ctx()), Err(Refusal::Decided));
    }

    #[test]
    fn a_refused_erasure_is_not_carried_out() {
        let erasure = Uuid::from_u128(5).into();
        let mut past = requested();
        let refuse = RefuseErasure { erasure, ground: reason("archive") };
        past.extend(decide_from(&past, &refuse, &ctx()).unwrap_or_default());
        let carry_out = CarryOutErasure { erasure };
        assert_eq!(decide_from(&past, &carry_out, &by(rao())), Err(Refusal::Decided));
    }
}
