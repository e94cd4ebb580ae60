//! «This is a source.»

use uuid::Uuid;

use super::{Descriptor, Event, Refusal, Source, SourceKind};
use crate::aggregate::{Command, Context, Home};
use crate::id::SourceId;
use crate::policy::Permission;

/// Registers a source. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct RegisterSource {
    /// Which.
    pub source: SourceId,
    /// What kind it is.
    pub kind: SourceKind,
    /// What is known of it.
    pub descriptor: Descriptor,
}

impl Command for RegisterSource {
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
        if source.registered {
            let same = source.names.first() == Some(&self.descriptor.name);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        Ok(vec![Event::Registered { kind: self.kind, descriptor: self.descriptor.clone().into() }])
    }
}
