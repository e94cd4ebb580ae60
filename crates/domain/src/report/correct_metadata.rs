//! «We had that wrong.»

use uuid::Uuid;

use super::{Correction, Event, Metadata, Refusal, Report};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::ReportId;
use crate::policy::Permission;

/// Corrects something known of a report. What is so already changes nothing.
#[derive(Clone, Debug)]
pub struct CorrectMetadata {
    /// Of which report.
    pub report: ReportId,
    /// What, and why.
    pub correction: Correction,
}

impl Command for CorrectMetadata {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::FileReport;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn needs(&self, _: &Report, _: &Found) -> Vec<Need> {
        match &self.correction.metadata {
            Metadata::Publisher(source) => vec![Need::Source(*source)],
            _ => vec![],
        }
    }

    fn decide(&self, report: &Report, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        report.must_stand()?;
        let metadata = super::checked(&self.correction.metadata, ctx)?;
        if report.metadata.get(&metadata.field()) == Some(&metadata) {
            return Ok(vec![]);
        }
        let correction = Correction { metadata, reason: self.correction.reason.clone() };
        Ok(vec![Event::MetadataCorrected { correction: correction.into() }])
    }
}
