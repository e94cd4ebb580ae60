//! «It does not say, but it must be so, because …»

use uuid::Uuid;

use super::{Event, Inference, Metadata, Refusal, Report};
use crate::aggregate::{Command, Context, Found, Need};
use crate::id::ReportId;
use crate::policy::Permission;

/// Infers something of a report, with its basis. What is known already changes nothing.
#[derive(Clone, Debug)]
pub struct InferMetadata {
    /// Of which report.
    pub report: ReportId,
    /// What, and from what.
    pub inference: Inference,
}

impl Command for InferMetadata {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::FileReport;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn needs(&self, _: &Report, _: &Found) -> Vec<Need> {
        match &self.inference.metadata {
            Metadata::Publisher(source) => vec![Need::Source(*source)],
            _ => vec![],
        }
    }

    fn decide(&self, report: &Report, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        report.must_stand()?;
        if self.inference.basis.is_empty() {
            return Err(Refusal::BasisEmpty.at("/basis"));
        }
        let metadata = super::checked(&self.inference.metadata, ctx)?;
        if report.metadata.get(&metadata.field()) == Some(&metadata) {
            return Ok(vec![]);
        }
        let inference = Inference { metadata, basis: self.inference.basis.clone() };
        Ok(vec![Event::MetadataInferred { inference: inference.into() }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::filed;
    use super::*;
    use crate::testing::{ctx, decide_from, reason};
    use crate::value::{Edtf, FuzzyTime};

    fn infer(day: &str, basis: &[&str]) -> InferMetadata {
        let edtf = Edtf::try_from(day.to_owned()).unwrap_or_else(|error| panic!("{error}"));
        let metadata = Metadata::Published(FuzzyTime { edtf: Some(edtf), ..FuzzyTime::default() });
        let basis = basis.iter().map(|why| reason(why)).collect();
        InferMetadata {
            report: Uuid::from_u128(2).into(),
            inference: Inference { metadata, basis },
        }
    }

    #[test]
    fn an_inference_names_its_basis() {
        let refused = decide_from(&filed(), &infer("2018-01-12", &[]), &ctx());
        assert_eq!(refused, Err(Refusal::BasisEmpty.at("/basis")));
    }

    #[test]
    fn the_same_inference_twice_adds_nothing() {
        let command = infer("2018-01-12", &["the 11th is a Thursday"]);
        let mut past = filed();
        past.extend(decide_from(&past, &command, &ctx()).unwrap_or_default());
        assert_eq!(past.len(), 2);
        assert_eq!(decide_from(&past, &command, &ctx()), Ok(vec![]));
    }
}
