//! Reports: verbatim texts, what is stated, inferred and corrected of them.

use actix_web::post;
use assay_commands::Error;
use assay_domain::id::{CaseId, RenditionId, ReportId};
use assay_domain::report::{
    AddRendition, CorrectMetadata, Correction, FileReport, InferMetadata, Inference, MarkNoClaim,
    Metadata, MetadataField, RenditionContent, RenditionKind, ReportKind, ToolUse, WithdrawReport,
    WithdrawalReason,
};
use assay_domain::text::{Name, Passage, Phrase, Reason};
use assay_domain::value::Quote;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::door::{Act, Place, shape};
use crate::problem::Problem;
use crate::write::{Answer, Written};

/// A report to be filed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReport {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<ReportId>,
    /// The id of its first rendition, where the client makes it.
    #[serde(default)]
    rendition_id: Option<RenditionId>,
    /// What kind it is.
    kind: ReportKind,
    /// Its text, kept byte for byte; at most 262,144 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 262_144)]
    text: String,
    /// SHA-256 of the text (UTF-8, hex), where the client wants it checked.
    #[serde(default)]
    text_sha256: Option<String>,
    /// Its language, a BCP 47 tag.
    #[serde(default)]
    language: Option<Phrase>,
    /// What it states of itself.
    #[serde(default)]
    stated: Vec<Metadata>,
}

/// A rendition to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRendition {
    /// The id, where the client makes it.
    #[serde(default)]
    id: Option<RenditionId>,
    /// Where it comes from.
    kind: RenditionKind,
    /// The rendition it renders.
    #[serde(default)]
    of: Option<RenditionId>,
    /// Its text, kept byte for byte; at most 262,144 bytes of UTF-8.
    #[schema(min_length = 1, max_length = 262_144)]
    text: String,
    /// SHA-256 of the text (UTF-8, hex), where the client wants it checked.
    #[serde(default)]
    text_sha256: Option<String>,
    /// Its language, a BCP 47 tag.
    #[serde(default)]
    language: Option<Phrase>,
    /// Who made it.
    #[serde(default)]
    made_by: Option<Name>,
    /// The tool that made it.
    #[serde(default)]
    tool: Option<ToolUse>,
    /// What is to be said about it.
    #[serde(default)]
    note: Option<Passage>,
}

/// Something concluded of a report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInference {
    /// What is concluded.
    field: MetadataField,
    /// The value, of the shape that `stated` of a report has for this field.
    #[schema(value_type = Object)]
    value: Box<RawValue>,
    /// From what.
    #[schema(min_items = 1)]
    basis: Vec<Reason>,
}

/// Something that was wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCorrection {
    /// What is corrected.
    field: MetadataField,
    /// The value, of the shape that `stated` of a report has for this field.
    #[schema(value_type = Object)]
    value: Box<RawValue>,
    /// Why.
    reason: Reason,
}

/// Words that claim nothing.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoClaimBody {
    /// Which words.
    quote: Quote,
    /// Why.
    why: Reason,
}

/// Why a report is left out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawReportBody {
    /// Why.
    reason: WithdrawalReason,
    /// The report it doubles; only for duplicates.
    #[serde(default)]
    duplicate_of: Option<ReportId>,
    /// In more words.
    #[serde(default)]
    note: Option<Reason>,
}

/// File a report in a case.
#[utoipa::path(tag = "reports", request_body = NewReport,
    responses((status = 201, description = "The report is filed.", body = Written)))]
#[post("/cases/{case}/reports")]
pub(crate) async fn file(act: Act<NewReport>, case: Place<CaseId>) -> Answer {
    let Act { asking, body } = act;
    let NewReport { id, rendition_id, kind, text, text_sha256, language, stated } = body;
    let (report, rendition) = (asking.id(id, "report"), asking.id(rendition_id, "rendition"));
    let content = RenditionContent { language, ..content(text, text_sha256.as_deref())? };
    let case = *case;
    let command = FileReport { case, report, kind, rendition, content, stated, flags: Vec::new() };
    asking.create(&command, report.0, &format!("reports/{report}")).await
}

/// Add a rendition to a report; the earlier ones stay as they are.
#[utoipa::path(tag = "reports", request_body = NewRendition,
    responses((status = 201, description = "The rendition is there.", body = Written)))]
#[post("/reports/{report}/renditions")]
pub(crate) async fn add_rendition(act: Act<NewRendition>, report: Place<ReportId>) -> Answer {
    let Act { asking, body } = act;
    let report = *report;
    let rendition = asking.id(body.id, "rendition");
    let plain = content(body.text, body.text_sha256.as_deref())?;
    let NewRendition { kind, of, language, made_by, tool, note, .. } =
        NewRendition { text: String::new(), text_sha256: None, ..body };
    let content = RenditionContent { language, made_by, tool, note, ..plain };
    let command = AddRendition { report, rendition, kind, of, content };
    asking.create(&command, rendition.0, &format!("reports/{report}/renditions/{rendition}")).await
}

/// Conclude something of a report, with its basis.
#[utoipa::path(tag = "reports", request_body = NewInference,
    responses((status = 200, description = "It is inferred.", body = Written)))]
#[post("/reports/{report}/inferences")]
pub(crate) async fn infer(act: Act<NewInference>, report: Place<ReportId>) -> Answer {
    let NewInference { field, value, basis } = act.body;
    let inference = Inference { metadata: metadata(field, &value)?, basis };
    act.asking.change(&InferMetadata { report: *report, inference }, report.0).await
}

/// Correct something known of a report.
#[utoipa::path(tag = "reports", request_body = NewCorrection,
    responses((status = 200, description = "It is corrected.", body = Written)))]
#[post("/reports/{report}/corrections")]
pub(crate) async fn correct(act: Act<NewCorrection>, report: Place<ReportId>) -> Answer {
    let NewCorrection { field, value, reason } = act.body;
    let correction = Correction { metadata: metadata(field, &value)?, reason };
    act.asking.change(&CorrectMetadata { report: *report, correction }, report.0).await
}

/// Mark words as claiming nothing.
#[utoipa::path(tag = "reports", request_body = NoClaimBody,
    responses((status = 200, description = "They are marked.", body = Written)))]
#[post("/reports/{report}/no-claim")]
pub(crate) async fn mark_no_claim(act: Act<NoClaimBody>, report: Place<ReportId>) -> Answer {
    let NoClaimBody { quote, why } = act.body;
    act.asking.change(&MarkNoClaim { report: *report, quote, why }, report.0).await
}

/// Leave a report out; it stays readable, and nothing new is anchored to it.
#[utoipa::path(tag = "reports", request_body = WithdrawReportBody,
    responses((status = 200, description = "It is withdrawn.", body = Written)))]
#[post("/reports/{report}/withdraw")]
pub(crate) async fn withdraw(act: Act<WithdrawReportBody>, report: Place<ReportId>) -> Answer {
    let WithdrawReportBody { reason, duplicate_of, note } = act.body;
    let command = WithdrawReport { report: *report, reason, duplicate_of, note };
    act.asking.change(&command, report.0).await
}

/// A text with its hash, checked where the client gave one.
fn content(text: String, sha256: Option<&str>) -> Result<RenditionContent, Problem> {
    RenditionContent::new(text, sha256).map_err(|refusal| Error::Refused(refusal).into())
}

/// A value of the shape its field has.
fn metadata(field: MetadataField, value: &RawValue) -> Result<Metadata, Problem> {
    let text = value.get();
    Ok(match field {
        MetadataField::Published => Metadata::Published(shape::read_under(text, "/value")?),
        MetadataField::Language => Metadata::Language(shape::read_under(text, "/value")?),
        MetadataField::Title => Metadata::Title(shape::read_under(text, "/value")?),
        MetadataField::Author => Metadata::Author(shape::read_under(text, "/value")?),
        MetadataField::Publisher => Metadata::Publisher(shape::read_under(text, "/value")?),
        MetadataField::Url => Metadata::Url(shape::read_under(text, "/value")?),
    })
}
