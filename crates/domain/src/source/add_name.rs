//! «It is also called this.»

use uuid::Uuid;

use super::{Event, Refusal, Source};
use crate::aggregate::{Command, Context, Home};
use crate::id::SourceId;
use crate::policy::Permission;
use crate::text::Name;

/// Gives a source another name, in any script. One it has already changes nothing.
#[derive(Clone, Debug)]
pub struct AddSourceName {
    /// Which source.
    pub source: SourceId,
    /// What.
    pub name: Name,
}

impl Command for AddSourceName {
    type On = Source;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::RegisterSource;

    fn target(&self) -> Uuid {
        self.source.0
    }

    fn home(&self, _: &Source) -> Home {
        Home::House
    }

    fn decide(&self, source: &Source, _: &Context) -> Result<Vec<Event>, Refusal> {
        source.must_exist()?;
        if source.names.contains(&self.name) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Named { name: self.name.clone().into() }])
    }
}
