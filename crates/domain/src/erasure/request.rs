//! «Forget this.»

use uuid::Uuid;

use super::{Erasable, Erasure, Event, Living, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::ErasureId;
use crate::policy::Permission;
use crate::text::Reason;

/// Asks that a subject be forgotten. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct RequestErasure {
    /// Which.
    pub erasure: ErasureId,
    /// What is to be forgotten.
    pub subject: Erasable,
    /// Whether the person it is about lives.
    pub living: Living,
    /// On what ground.
    pub ground: Reason,
}

impl Command for RequestErasure {
    type On = Erasure;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::RequestErasure;

    fn target(&self) -> Uuid {
        self.erasure.0
    }

    fn home(&self, _: &Erasure) -> Home {
        Home::House
    }

    fn decide(&self, erasure: &Erasure, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if erasure.id.is_some() {
            let same =
                erasure.requester == Some(ctx.actor) && erasure.subject == Some(self.subject);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        Ok(vec![Event::Requested {
            erasure: self.erasure,
            subject: self.subject,
            living: self.living,
            ground: self.ground.clone().into(),
        }])
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::ErasableKind;
    use super::*;
    use crate::testing::{by, ctx, decide_from, rao, reason};

    pub(in crate::erasure) fn requested() -> Vec<Event> {
        decide_from(&[], &request(), &ctx()).unwrap_or_default()
    }

    fn request() -> RequestErasure {
        RequestErasure {
            erasure: Uuid::from_u128(5).into(),
            subject: Erasable { kind: ErasableKind::Claim, id: Uuid::from_u128(50) },
            living: Living::HeldAsLiving,
            ground: reason("named without need"),
        }
    }

    #[test]
    fn asking_twice_is_harmless() {
        assert_eq!(requested().len(), 1);
        assert_eq!(decide_from(&requested(), &request(), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&requested(), &request(), &by(rao())), Err(Refusal::Taken));
    }
}
