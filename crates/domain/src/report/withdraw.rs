//! «Leave this one out.» It stays readable; nothing new is anchored to it.

use uuid::Uuid;

use super::{Event, Refusal, Report, WithdrawalReason};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::ReportId;
use crate::policy::Permission;
use crate::text::Reason;

/// Withdraws a report. A withdrawn one stays withdrawn.
#[derive(Clone, Debug)]
pub struct WithdrawReport {
    /// Which report.
    pub report: ReportId,
    /// Why.
    pub reason: WithdrawalReason,
    /// The report it doubles.
    pub duplicate_of: Option<ReportId>,
    /// In more words.
    pub note: Option<Reason>,
}

impl Command for WithdrawReport {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::FileReport;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn needs(&self, _: &Report, _: &Found) -> Vec<Need> {
        self.duplicate_of.map(Need::Report).into_iter().collect()
    }

    fn decide(&self, report: &Report, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if report.withdrawn {
            return Ok(vec![]);
        }
        let duplicate = self.reason == WithdrawalReason::Duplicate;
        if duplicate != self.duplicate_of.is_some() || self.duplicate_of == Some(self.report) {
            return Err(Refusal::DuplicateOfMissing.at("/duplicate_of"));
        }
        if let Some(other) = self.duplicate_of
            && ctx.found.report(other, report.in_case).is_none()
        {
            return Err(Refusal::ReportUnknown.at("/duplicate_of"));
        }
        Ok(vec![Event::Withdrawn {
            reason: self.reason,
            duplicate_of: self.duplicate_of,
            note: self.note.clone().map(Into::into),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::filed;
    use super::*;
    use crate::testing::{ctx, decide_from};

    fn withdraw(reason: WithdrawalReason) -> WithdrawReport {
        WithdrawReport { report: Uuid::from_u128(2).into(), reason, duplicate_of: None, note: None }
    }

    #[test]
    fn a_duplicate_names_the_other() {
        let refused = decide_from(&filed(), &withdraw(WithdrawalReason::Duplicate), &ctx());
        assert_eq!(refused, Err(Refusal::DuplicateOfMissing.at("/duplicate_of")));
    }

    #[test]
    fn withdrawing_twice_adds_nothing() {
        let command = withdraw(WithdrawalReason::FiledInError);
        let mut past = filed();
        past.extend(decide_from(&past, &command, &ctx()).unwrap_or_default());
        assert_eq!(decide_from(&past, &command, &ctx()), Ok(vec![]));
    }
}
