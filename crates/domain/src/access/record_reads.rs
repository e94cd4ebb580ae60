//! «They looked at this.» The house writes it down.

use uuid::Uuid;

use super::{Access, Event, Reading, Refusal};
use crate::aggregate::{Command, Context, Home};
use crate::id::{AccessId, CaseId, UserId};
use crate::policy::Permission;

/// The most readings recorded at once.
pub const READINGS_MAX: usize = 500;

/// Records what somebody read in one case, or outside any.
#[derive(Clone, Debug)]
pub struct RecordReads {
    /// In which record: one a session and case.
    pub access: AccessId,
    /// Who read.
    pub reader: UserId,
    /// In which case.
    pub case: Option<CaseId>,
    /// What.
    pub readings: Vec<Reading>,
}

impl Command for RecordReads {
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
        if self.readings.is_empty() {
            return Ok(vec![]);
        }
        if self.readings.len() > READINGS_MAX {
            return Err(Refusal::ReadingsTooMany);
        }
        let (reader, case, readings) = (self.reader, self.case, self.readings.clone());
        Ok(vec![Event::ReadsRecorded { reader, case, readings }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ana, ctx, decide_from};

    #[test]
    fn nothing_read_is_nothing_recorded() {
        let access = Uuid::from_u128(3).into();
        let nothing = RecordReads { access, reader: ana(), case: None, readings: vec![] };
        assert_eq!(decide_from(&[], &nothing, &ctx()), Ok(vec![]));
    }
}
