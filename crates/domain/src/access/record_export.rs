//! «This leaves the house now.» Written down before the first byte goes.

use uuid::Uuid;

use super::{Access, Event, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::{AccessId, CaseId, UserId};
use crate::policy::Permission;
use crate::text::{Phrase, Reason};
use crate::value::Digest;

/// Records that a case leaves the house in a file.
#[derive(Clone, Debug)]
pub struct RecordExport {
    /// In which record: one a session and case.
    pub access: AccessId,
    /// Who takes it.
    pub reader: UserId,
    /// Which case.
    pub case: CaseId,
    /// As of which position.
    pub as_of: u64,
    /// The file's digest.
    pub file: Digest,
    /// How many entries are in it.
    pub entries: u64,
    /// How many keys are disclosed in it.
    pub keys: u64,
    /// For whom.
    pub recipient: Option<Phrase>,
    /// To what end.
    pub purpose: Option<Reason>,
}

impl Command for RecordExport {
    type On = Access;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::KeepReadLog;

    fn target(&self) -> Uuid {
        self.access.0
    }

    fn home(&self, _: &Access) -> Home {
        Home::House
    }

    fn decide(&self, _: &Access, _: &Context) -> Result<Vec<Event>, Refusal> {
        Ok(vec![Event::Exported {
            reader: self.reader,
            case: self.case,
            as_of: self.as_of,
            file: self.file,
            entries: self.entries,
            keys: self.keys,
            recipient: self.recipient.clone().map(Into::into),
            purpose: self.purpose.clone().map(Into::into),
        }])
    }
}
