//! «Show it again.»

use uuid::Uuid;

use super::{Erasure, ErasureStanding, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::ErasureId;
use crate::policy::Permission;
use crate::text::Reason;

/// Lifts a restriction. Where there is none, nothing changes.
#[derive(Clone, Debug)]
pub struct LiftRestriction {
    /// Which erasure.
    pub erasure: ErasureId,
    /// Why.
    pub reason: Reason,
}

impl Command for LiftRestriction {
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
        if erasure.standing == ErasureStanding::Requested {
            return Ok(vec![]);
        }
        erasure.must_be_undecided()?;
        Ok(vec![Event::RestrictionLifted { reason: self.reason.clone().into() }])
    }
}
