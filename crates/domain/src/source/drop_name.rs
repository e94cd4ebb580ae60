//! «It is not called this after all.»

use uuid::Uuid;

use super::{Event, Refusal, Source};
use crate::aggregate::{Command, Context, Home};
use crate::id::SourceId;
use crate::policy::Permission;
use crate::text::{Name, Reason};

/// Takes a name from a source. One it does not have changes nothing.
#[derive(Clone, Debug)]
pub struct DropSourceName {
    /// Which source.
    pub source: SourceId,
    /// What.
    pub name: Name,
    /// Why.
    pub reason: Reason,
}

impl Command for DropSourceName {
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
        if !source.names.contains(&self.name) {
            return Ok(vec![]);
        }
        if source.names.len() < 2 {
            return Err(Refusal::LastName);
        }
        let reason = self.reason.clone().into();
        Ok(vec![Event::NameDropped { name: self.name.clone().into(), reason }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Descriptor, SourceKind};
    use super::*;
    use crate::testing::{ctx, decide_from, name, reason};

    #[test]
    fn a_source_keeps_a_name() {
        let descriptor =
            Descriptor { name: name("Jaish Nasr"), url: None, language: None, description: None };
        let mut past = vec![Event::Registered {
            kind: SourceKind::Organisation,
            descriptor: descriptor.into(),
        }];
        let drop = |what: &str| DropSourceName {
            source: Uuid::nil().into(),
            name: name(what),
            reason: reason("misspelt"),
        };
        assert_eq!(decide_from(&past, &drop("Jaish Nasr"), &ctx()), Err(Refusal::LastName));
        past.push(Event::Named { name: name("Jaish al-Nasr").into() });
        assert!(
            decide_from(&past, &drop("Jaish Nasr"), &ctx()).is_ok_and(|facts| facts.len() == 1)
        );
        assert_eq!(decide_from(&past, &drop("Other"), &ctx()), Ok(vec![]));
    }
}
