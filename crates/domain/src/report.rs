//! A report: verbatim text kept byte-exact in renditions, what is known and what is inferred of it.

mod add_rendition;
mod correct_metadata;
mod file;
mod infer_metadata;
mod mark_no_claim;
mod withdraw;

#[cfg(test)]
pub(crate) use file::tests as test_support;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::EnumCount;

pub use add_rendition::AddRendition;
pub use correct_metadata::CorrectMetadata;
pub use file::FileReport;
pub use infer_metadata::InferMetadata;
pub use mark_no_claim::MarkNoClaim;
pub use withdraw::WithdrawReport;

use crate::aggregate::{Aggregate, Stamp};
use crate::id::{CaseId, RenditionId, ReportId, SourceId, UserId};
use crate::personal::Personal;
use crate::refusal::refusals;
use crate::text::{Address, Name, Passage, Phrase, Reason, Title, ValueError};
use crate::value::{Anchor, AnchorError, FuzzyTime, Quote, sha256_hex};

/// The most bytes of UTF-8 a rendition's text may have.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;
/// The most renditions a report may have.
pub const RENDITIONS_MAX: usize = 100;

/// What kind of report it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// A news report.
    News,
    /// A post on a platform.
    SocialPost,
    /// A report of a non-governmental organisation.
    Ngo,
    /// A statement of an authority or a party.
    Official,
    /// What a witness said.
    Witness,
    /// What was overheard.
    Intercept,
    /// A row of a data set.
    Dataset,
    /// Anything else.
    Other,
}

/// Where a rendition comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RenditionKind {
    /// The text as filed.
    Original,
    /// Captured again, perhaps changed by its publisher.
    Capture,
    /// The publisher's own correction.
    Correction,
    /// A translation.
    Translation,
    /// Words of a recording.
    Transcript,
    /// Words of a picture.
    Ocr,
}

/// A tool that took part, so that machines are never passed off as people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ToolUse {
    /// Its name.
    pub name: Name,
    /// Its version.
    pub version: Phrase,
    /// SHA-256 of its parameters or prompt, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params_sha256: Option<Phrase>,
}

/// The text of one capture and who made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenditionContent {
    /// The text, byte for byte.
    pub text: String,
    /// Its SHA-256 (UTF-8, hex).
    pub text_sha256: String,
    /// Its language, a BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Phrase>,
    /// Who translated or transcribed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<Name>,
    /// With which tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolUse>,
    /// What is to be said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Passage>,
}

impl RenditionContent {
    /// A text with its hash; refuses none, too much, or another hash than the client saw.
    pub fn new(text: String, expected_sha256: Option<&str>) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::TextEmpty.at("/text"));
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(Refusal::TextTooLong.at("/text"));
        }
        let text_sha256 = sha256_hex(text.as_bytes());
        if expected_sha256.is_some_and(|expected| expected != text_sha256) {
            return Err(Refusal::TextHash.at("/text_sha256"));
        }
        Ok(Self { text, text_sha256, language: None, made_by: None, tool: None, note: None })
    }
}

/// One thing known of a report beside its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "field", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Metadata {
    /// When it was published.
    Published(FuzzyTime),
    /// Its language, a BCP 47 tag.
    Language(Phrase),
    /// Its title.
    Title(Title),
    /// Who wrote it.
    Author(Name),
    /// Who published it.
    Publisher(SourceId),
    /// Where it stood.
    Url(Address),
}

impl Metadata {
    /// The word of its field.
    pub const fn field(&self) -> MetadataField {
        match self {
            Self::Published(_) => MetadataField::Published,
            Self::Language(_) => MetadataField::Language,
            Self::Title(_) => MetadataField::Title,
            Self::Author(_) => MetadataField::Author,
            Self::Publisher(_) => MetadataField::Publisher,
            Self::Url(_) => MetadataField::Url,
        }
    }

    fn resolved(self) -> Result<Self, ValueError> {
        match self {
            Self::Published(time) => time.resolved().map(Self::Published),
            Self::Language(_)
            | Self::Title(_)
            | Self::Author(_)
            | Self::Publisher(_)
            | Self::Url(_) => Ok(self),
        }
    }
}

/// The fields of what is known of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MetadataField {
    /// When it was published.
    Published,
    /// Its language.
    Language,
    /// Its title.
    Title,
    /// Who wrote it.
    Author,
    /// Who published it.
    Publisher,
    /// Where it stood.
    Url,
}

/// Something inferred, with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// What is inferred.
    pub metadata: Metadata,
    /// From what; at least one reason.
    pub basis: Vec<Reason>,
}

/// Something corrected, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// What it should have been.
    pub metadata: Metadata,
    /// Why.
    pub reason: Reason,
}

/// Words that carry no claim, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoClaim {
    /// The words.
    pub anchor: Anchor,
    /// Why they carry none.
    pub why: Reason,
}

/// Why a report is taken out of the work; it is never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalReason {
    /// It is here twice.
    Duplicate,
    /// It does not belong to this case.
    OutOfScope,
    /// It should not have been filed.
    FiledInError,
}

/// What happened to a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount)]
#[serde(tag = "type", content = "data", deny_unknown_fields)]
pub enum Event {
    /// It was filed.
    #[serde(rename = "report.filed.v1")]
    Filed {
        /// In which case.
        case: CaseId,
        /// What kind it is.
        kind: ReportKind,
        /// Its first rendition.
        rendition: RenditionId,
        /// The text.
        content: Personal<RenditionContent>,
        /// What the report itself states of itself.
        stated: Personal<Vec<Metadata>>,
        /// What was odd in what was imported and kept all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flags: Vec<Phrase>,
    },
    /// Another capture of it was added.
    #[serde(rename = "report.rendition_added.v1")]
    RenditionAdded {
        /// Its name.
        rendition: RenditionId,
        /// Where it comes from.
        kind: RenditionKind,
        /// The rendition it renders, where it is not the report as such.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<RenditionId>,
        /// The text.
        content: Personal<RenditionContent>,
    },
    /// Something was concluded of it that it does not state.
    #[serde(rename = "report.metadata_inferred.v1")]
    MetadataInferred {
        /// What, and from what.
        inference: Personal<Inference>,
    },
    /// Something known of it was wrong.
    #[serde(rename = "report.metadata_corrected.v1")]
    MetadataCorrected {
        /// What, and why.
        correction: Personal<Correction>,
    },
    /// Some of its words carry no claim.
    #[serde(rename = "report.span_marked_no_claim.v1")]
    SpanMarkedNoClaim {
        /// Which, and why.
        span: Personal<NoClaim>,
    },
    /// It was taken out of the work.
    #[serde(rename = "report.withdrawn.v1")]
    Withdrawn {
        /// Why.
        reason: WithdrawalReason,
        /// The report it doubles.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duplicate_of: Option<ReportId>,
        /// In more words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<Reason>>,
    },
}

/// A rendition as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    /// Its text, where it is known.
    pub content: Option<RenditionContent>,
}

/// What the rules ask of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// In which case it is, once filed.
    pub in_case: Option<CaseId>,
    /// Who filed it.
    pub filed_by: Option<UserId>,
    /// Its first rendition.
    pub original: Option<RenditionId>,
    /// All its renditions.
    pub renditions: BTreeMap<RenditionId, Rendition>,
    /// What is known of it, stated or inferred.
    pub metadata: BTreeMap<MetadataField, Metadata>,
    /// Words marked as carrying no claim.
    pub no_claim: Vec<Anchor>,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
}

impl Report {
    /// Its publisher, where it is known.
    pub fn publisher(&self) -> Option<SourceId> {
        match self.metadata.get(&MetadataField::Publisher) {
            Some(Metadata::Publisher(source)) => Some(*source),
            _ => None,
        }
    }

    /// Finds the words of a quote in the rendition it names, or in the first.
    pub fn resolve(&self, quote: &Quote) -> Result<Anchor, Refusal> {
        let id = quote.rendition.or(self.original).ok_or(Refusal::RenditionUnknown)?;
        let rendition = self.renditions.get(&id).ok_or(Refusal::RenditionUnknown)?;
        let content = rendition.content.as_ref().ok_or(Refusal::RenditionErased)?;
        quote.resolve(id, &content.text, &content.text_sha256).map_err(Refusal::from)
    }

    fn must_stand(&self) -> Result<(), Refusal> {
        if self.withdrawn { Err(Refusal::Withdrawn) } else { Ok(()) }
    }

    fn learn(&mut self, metadata: &Metadata) {
        self.metadata.insert(metadata.field(), metadata.clone());
    }

    fn keep(&mut self, id: RenditionId, content: &Personal<RenditionContent>) {
        self.renditions.insert(id, Rendition { content: content.known().cloned() });
    }
}

impl Aggregate for Report {
    const CATEGORY: &'static str = "report";
    type Event = Event;

    fn evolve(mut self, event: &Event, stamp: &Stamp) -> Self {
        match event {
            Event::Filed { case, rendition, content, stated, .. } => {
                self.in_case = Some(*case);
                self.filed_by = Some(stamp.actor);
                self.original = Some(*rendition);
                self.keep(*rendition, content);
                stated.known().into_iter().flatten().for_each(|metadata| self.learn(metadata));
            }
            Event::RenditionAdded { rendition, content, .. } => self.keep(*rendition, content),
            Event::MetadataInferred { inference } => {
                inference.known().into_iter().for_each(|known| self.learn(&known.metadata));
            }
            Event::MetadataCorrected { correction } => {
                correction.known().into_iter().for_each(|known| self.learn(&known.metadata));
            }
            Event::SpanMarkedNoClaim { span } => {
                self.no_claim.extend(span.known().map(|known| known.anchor.clone()));
            }
            Event::Withdrawn { .. } => self.withdrawn = true,
        }
        self
    }

    fn case(&self) -> Option<CaseId> {
        self.in_case
    }
}

impl From<AnchorError> for Refusal {
    fn from(error: AnchorError) -> Self {
        match error {
            AnchorError::Empty => Self::AnchorEmpty,
            AnchorError::Outside => Self::AnchorOutside,
            AnchorError::NotFound => Self::AnchorNotFound,
            AnchorError::Several => Self::AnchorSeveral,
            AnchorError::HashMismatch => Self::AnchorHash,
        }
    }
}

refusals! {
    Taken = Conflicting, "report_exists", "a report with this id exists already and is another";
    Withdrawn = Conflicting, "report_withdrawn", "the report was withdrawn";
    SourceUnknown = Invalid, "source_unknown", "there is no such source";
    ReportUnknown = Invalid, "report_unknown", "there is no such report in this case";
    TextEmpty = Invalid, "text_empty", "a report has text";
    TextTooLong = Invalid, "report_text_too_long", "a text has at most 262,144 bytes of UTF-8";
    TextHash = Invalid, "report_text_hash", "the text's SHA-256 is another";
    TooManyRenditions = Conflicting, "report_renditions_max", "a report has at most 100 renditions";
    RenditionTaken = Conflicting, "rendition_exists", "a rendition with this id exists already and is another";
    RenditionUnknown = Invalid, "rendition_unknown", "the report has no such rendition";
    RenditionErased = Conflicting, "rendition_erased", "the rendition's text was erased";
    OriginalOnlyOnce = Invalid, "rendition_original", "the original is the rendition the report was filed with";
    BasisEmpty = Invalid, "inference_basis_empty", "an inference names what it rests on";
    StatedTwice = Invalid, "metadata_twice", "a field is stated at most once";
    DuplicateOfMissing = Invalid, "withdrawal_duplicate_of", "name the report it doubles, and only for duplicates";
    AnchorEmpty = Invalid, "anchor_empty", "give `exact`, or `start` and `end`";
    AnchorOutside = Invalid, "anchor_outside", "the position lies outside the text";
    AnchorNotFound = Invalid, "anchor_not_found", "these words do not stand in the text";
    AnchorSeveral = Invalid, "anchor_ambiguous", "these words stand in several places; give `prefix`, `suffix` or a position";
    AnchorHash = Invalid, "anchor_hash_mismatch", "the hash does not match: another text was seen";
}

/// A piece of metadata with its bounds resolved and its source known.
fn checked(metadata: &Metadata, ctx: &crate::aggregate::Context) -> Result<Metadata, Refusal> {
    if let Metadata::Publisher(source) = metadata
        && !ctx.found.sources.contains_key(source)
    {
        return Err(Refusal::SourceUnknown.at("/value"));
    }
    Ok(metadata.clone().resolved()?)
}
