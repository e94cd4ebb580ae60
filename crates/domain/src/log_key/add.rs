//! «This key signs as well.»

use uuid::Uuid;

use super::{Event, LogKeys, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::LogId;
use crate::policy::Permission;
use crate::text::Phrase;

/// Adds a key that signs checkpoints. One that signs already stays.
#[derive(Clone, Debug)]
pub struct AddLogKey {
    /// Of which log.
    pub log: LogId,
    /// The public key, as signed notes write it.
    pub key: Phrase,
}

impl Command for AddLogKey {
    type On = LogKeys;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::KeepLogKeys;

    fn target(&self) -> Uuid {
        self.log.0
    }

    fn home(&self, _: &LogKeys) -> Home {
        Home::House
    }

    fn decide(&self, log: &LogKeys, _: &Context) -> Result<Vec<Event>, Refusal> {
        match log.keys.get(self.key.as_str()) {
            Some(true) => Ok(vec![]),
            Some(false) => Err(Refusal::Retired),
            None => Ok(vec![Event::KeyAdded { log: self.log, key: self.key.clone() }]),
        }
    }
}
