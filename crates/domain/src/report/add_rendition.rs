//! «This is how it reads now», or in another language, or out of the recording.

use uuid::Uuid;

use super::{Event, RENDITIONS_MAX, Refusal, RenditionContent, RenditionKind, Report};
use crate::aggregate::{Command, Context};
use crate::id::{RenditionId, ReportId};
use crate::policy::Permission;

/// Adds a rendition; the earlier ones stay as they are. The same again changes nothing.
#[derive(Clone, Debug)]
pub struct AddRendition {
    /// Of which report.
    pub report: ReportId,
    /// Its name.
    pub rendition: RenditionId,
    /// Where it comes from.
    pub kind: RenditionKind,
    /// The rendition it renders.
    pub of: Option<RenditionId>,
    /// Its text.
    pub content: RenditionContent,
}

impl Command for AddRendition {
    type On = Report;
    type Refusal = Refusal;
    const PERMISSION: Permission = Permission::FileReport;

    fn target(&self) -> Uuid {
        self.report.0
    }

    fn decide(&self, report: &Report, _: &Context) -> Result<Vec<Event>, Refusal> {
        report.must_stand()?;
        if let Some(known) = report.renditions.get(&self.rendition) {
            let same = known.content.as_ref() == Some(&self.content);
            return if same { Ok(vec![]) } else { Err(Refusal::RenditionTaken) };
        }
        if self.kind == RenditionKind::Original {
            return Err(Refusal::OriginalOnlyOnce.at("/kind"));
        }
        if self.of.is_some_and(|of| !report.renditions.contains_key(&of)) {
            return Err(Refusal::RenditionUnknown.at("/of"));
        }
        if report.renditions.len() >= RENDITIONS_MAX {
            return Err(Refusal::TooManyRenditions);
        }
        Ok(vec![Event::RenditionAdded {
            rendition: self.rendition,
            kind: self.kind,
            of: self.of,
            content: self.content.clone().into(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::tests::filed;
    use super::*;
    use crate::testing::{ctx, decide_from};

    fn add(text: &str, kind: RenditionKind) -> AddRendition {
        AddRendition {
            report: Uuid::from_u128(2).into(),
            rendition: Uuid::from_u128(4).into(),
            kind,
            of: None,
            content: RenditionContent::new(text.to_owned(), None)
                .unwrap_or_else(|error| panic!("{error}")),
        }
    }

    #[test]
    fn a_rendition_is_never_replaced() {
        let mut past = filed();
        past.extend(
            decide_from(&past, &add("One.", RenditionKind::Capture), &ctx()).unwrap_or_default(),
        );
        assert_eq!(decide_from(&past, &add("One.", RenditionKind::Capture), &ctx()), Ok(vec![]));
        let other = decide_from(&past, &add("Two.", RenditionKind::Capture), &ctx());
        assert_eq!(other, Err(Refusal::RenditionTaken));
    }

    #[test]
    fn there_is_one_original() {
        let second = decide_from(&filed(), &add("One.", RenditionKind::Original), &ctx());
        assert_eq!(second, Err(Refusal::OriginalOnlyOnce.at("/kind")));
    }
}
