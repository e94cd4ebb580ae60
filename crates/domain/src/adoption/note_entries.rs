//! «These are next, and this is where they come from.»

use uuid::Uuid;

use super::{Adoption, Event, Origin, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::AdoptionId;
use crate::policy::Permission;

/// Notes where entries come from, before they are taken over. What was noted is not noted again.
#[derive(Clone, Debug)]
pub struct NoteEntries {
    /// Which adoption.
    pub adoption: AdoptionId,
    /// Where they come from, in their order there.
    pub entries: Vec<Origin>,
}

impl Command for NoteEntries {
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
        let new = |origin: &&Origin| origin.position > adoption.noted;
        let entries: Vec<Origin> = self.entries.iter().filter(new).copied().collect();
        Ok(if entries.is_empty() { vec![] } else { vec![Event::EntriesNoted { entries }] })
    }
}
