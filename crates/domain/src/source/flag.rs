//! «Beware of it.»

use uuid::Uuid;

use super::{Event, Refusal, Source, SourceFlag};
use crate::aggregate::{Command, Context, Home};
use crate::id::SourceId;
use crate::policy::Permission;
use crate::text::Reason;

/// Flags a source. A flag it carries already changes nothing.
#[derive(Clone, Debug)]
pub struct FlagSource {
    /// Which source.
    pub source: SourceId,
    /// What.
    pub flag: SourceFlag,
    /// Why.
    pub reason: Reason,
}

impl Command for FlagSource {
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
        if source.flags.contains(&self.flag) {
            return Ok(vec![]);
        }
        Ok(vec![Event::Flagged { flag: self.flag, reason: self.reason.clone().into() }])
    }
}
