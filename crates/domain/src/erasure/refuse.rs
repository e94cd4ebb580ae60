//! «It stays.» The law, the public interest, a hold.

use uuid::Uuid;

use super::{Erasure, ErasureStanding, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::ErasureId;
use crate::policy::Permission;
use crate::text::Reason;

/// Refuses an erasure, with the ground. Where it is already so, nothing changes.
#[derive(Clone, Debug)]
pub struct RefuseErasure {
    /// Which erasure.
    pub erasure: ErasureId,
    /// On what ground.
    pub ground: Reason,
}

impl Command for RefuseErasure {
    type On = Erasure;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::DecideErasure;

    fn target(&self) -> Uuid {
        self.erasure.0
    }

    fn home(&self, erasure: &Erasure) -> Home {
        erasure.place()
    }

    fn decide(&self, erasure: &Erasure, _: &Context) -> Result<Vec<Event>, Refusal> {
        if erasure.standing == ErasureStanding::Refused {
            return Ok(vec![]);
        }
        erasure.must_be_undecided()?;
        Ok(vec![Event::Refused { ground: self.ground.clone().into() }])
    }
}
