//! «This is what they wrote.» The text is kept byte for byte.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Event, Metadata, Refusal, RenditionContent, Report, ReportKind};
use crate::aggregate::{Command, Context, Found, Home, Need};
use crate::id::{CaseId, RenditionId, ReportId};
use crate::policy::Permission;
use crate::text::Phrase;

/// Files a report in a case. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// In which case.
    pub case: CaseId,
    /// Which report.
    pub report: ReportId,
    /// What kind it is.
    pub kind: ReportKind,
    /// The name of its first rendition.
    pub rendition: RenditionId,
    /// Its text.
    pub content: RenditionContent,
    /// What it states of itself.
    pub stated: Vec<Metadata>,
    /// What was odd in what was imported.
    pub flags: Vec<Phrase>,
}

impl Command for FileReport {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::FileReport;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn home(&self, report: &Report) -> Home {
        Home::Case(report.in_case.unwrap_or(self.case))
    }

    fn needs(&self, _: &Report, _: &Found) -> Vec<Need> {
        let publisher = |metadata: &Metadata| match metadata {
            Metadata::Publisher(source) => Some(Need::Source(*source)),
            _ => None,
        };
        self.stated.iter().filter_map(publisher).collect()
    }

    fn decide(&self, report: &Report, ctx: &Context) -> Result<Vec<Event>, Refusal> {
        if report.in_case.is_some() {
            let first = report.original.and_then(|id| report.renditions.get(&id));
            let same = report.in_case == Some(self.case)
                && first.and_then(|first| first.content.as_ref()) == Some(&self.content);
            return if same { Ok(vec![]) } else { Err(Refusal::Taken) };
        }
        let mut fields = BTreeSet::new();
        let mut stated = Vec::with_capacity(self.stated.len());
        for (metadata, at) in self.stated.iter().zip(0..) {
            if !fields.insert(metadata.field()) {
                return Err(Refusal::StatedTwice.at(format!("/stated/{at}")));
            }
            if let Metadata::Publisher(source) = metadata
                && !ctx.found.sources.contains_key(source)
            {
                return Err(Refusal::SourceUnknown.at(format!("/stated/{at}/value")));
            }
            stated.push(metadata.clone().resolved()?);
        }
        Ok(vec![Event::Filed {
            case: self.case,
            kind: self.kind,
            rendition: self.rendition,
            content: self.content.clone().into(),
            stated: stated.into(),
            flags: self.flags.clone(),
        }])
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{ctx, decide_from};

    pub(crate) const TEXT: &str = "Rebels took 16 villages on Thursday. The army denied it.";

    pub(crate) fn file(text: &str) -> FileReport {
        FileReport {
            case: Uuid::from_u128(1).into(),
            report: Uuid::from_u128(2).into(),
            kind: ReportKind::News,
            rendition: Uuid::from_u128(3).into(),
            content: RenditionContent::new(text.to_owned(), None)
                .unwrap_or_else(|error| panic!("{error}")),
            stated: vec![],
            flags: vec![],
        }
    }

    pub(crate) fn filed() -> Vec<Event> {
        decide_from(&[], &file(TEXT), &ctx()).unwrap_or_default()
    }

    #[test]
    fn filing_twice_is_harmless_and_another_text_is_refused() {
        assert_eq!(decide_from(&filed(), &file(TEXT), &ctx()), Ok(vec![]));
        assert_eq!(decide_from(&filed(), &file("Other."), &ctx()), Err(Refusal::Taken));
    }

    #[test]
    fn an_unknown_publisher_is_refused() {
        let publisher = Metadata::Publisher(Uuid::from_u128(9).into());
        let command = FileReport { stated: vec![publisher], ..file(TEXT) };
        let refused = Err(Refusal::SourceUnknown.at("/stated/0/value"));
        assert_eq!(decide_from(&[], &command, &ctx()), refused);
    }

    #[test]
    fn a_text_over_the_limit_or_with_another_hash_is_refused() {
        let long = RenditionContent::new("x".repeat(super::super::TEXT_BYTES_MAX + 1), None);
        assert_eq!(long, Err(Refusal::TextTooLong.at("/text")));
        let other = RenditionContent::new("x".to_owned(), Some("00"));
        assert_eq!(other, Err(Refusal::TextHash.at("/text_sha256")));
    }
}
