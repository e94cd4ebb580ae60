//! The keys that sign this log's checkpoints: each is in the log before it is needed, and when it retires.

mod add;
mod retire;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use add::AddLogKey;
pub use retire::RetireLogKey;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{CaseId, LogId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Phrase, Reason};

/// What happened to the keys of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// A key signs from now on.
    #[serde(rename = "log.key_added.v1")]
    KeyAdded {
        /// Of which log.
        log: LogId,
        /// The public key, as signed notes write it: name, id and key.
        key: Phrase,
    },
    /// A key signs no more.
    #[serde(rename = "log.key_retired.v1")]
    KeyRetired {
        /// Which.
        key: Phrase,
        /// Why.
        reason: Personal<Reason>,
    },
}

/// What the rules ask of the keys of a log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogKeys {
    /// Every key there ever was, and whether it signs.
    pub keys: BTreeMap<String, bool>,
}

impl Aggregate for LogKeys {
    const CATEGORY: &'static str = "log";
    type Event = Event;

    fn evolve(mut self, event: &Event, _: &Stamp) -> Self {
        match event {
            Event::KeyAdded { key, .. } => self.keys.insert(key.to_string(), true),
            Event::KeyRetired { key, .. } => self.keys.insert(key.to_string(), false),
        };
        self
    }

    fn case(&self) -> Option<CaseId> {
        None
    }
}

refusals! {
    Retired = Conflicting, "log_key_retired", "a key that was retired does not come back";
    Unknown = Missing, "log_key_missing", "there is no such key";
    Last = Conflicting, "log_key_last", "a log keeps at least one key that signs";
}
