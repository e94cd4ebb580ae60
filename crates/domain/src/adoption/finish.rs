//! «All of it is here.»

use uuid::Uuid;

use super::{Adoption, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::AdoptionId;
use crate::policy::Permission;

/// Ends an adoption. A finished one stays finished.
#[derive(Clone, Copy, Debug)]
pub struct FinishAdoption {
    /// Which.
    pub adoption: AdoptionId,
}

impl Command for FinishAdoption {
    type On = Adoption;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Adopt;

    fn target(&self) -> Uuid {
        self.adoption.0
    }

    fn home(&self, _: &Adoption) -> Home {
        Home::House
    }

    fn decide(&self, adoption: &Adoption, _: &Context) -> Result<Vec<Event>, Refusal> {
        if adoption.bundle.is_none() {
            return Err(Refusal::NotBegun);
        }
        Ok(if adoption.finished { vec![] } else { vec![Event::Finished {}] })
    }
}
