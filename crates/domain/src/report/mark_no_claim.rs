//! «These words claim nothing.»

use uuid::Uuid;

use super::{Event, NoClaim, Refusal, Report};
use crate::aggregate::{Command, Context};
use crate::id::ReportId;
use crate::policy::Permission;
use crate::text::Reason;
use crate::value::Quote;

/// Marks words as carrying no claim. Words marked already change nothing.
#[derive(Clone, Debug)]
pub struct MarkNoClaim {
    /// Of which report.
    pub report: ReportId,
    /// Which words.
    pub quote: Quote,
    /// Why.
    pub why: Reason,
}

impl Command for MarkNoClaim {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::Extract;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn decide(&self, report: &Report, _: &Context) -> Result<Vec<Event>, Refusal> {
        report.must_stand()?;
        let anchor = report.resolve(&self.quote).map_err(|refusal| refusal.at("/quote"))?;
        if report.no_claim.contains(&anchor) {
            return Ok(vec![]);
        }
        let span = NoClaim { anchor, why: self.why.clone() };
        Ok(vec![Event::SpanMarkedNoClaim { span: span.into() }])
    }
}
