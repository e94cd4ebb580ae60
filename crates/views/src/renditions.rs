//! Renditions: the verbatim text of each capture, written once and read by its id.

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::{CaseId, RenditionId, ReportId};
use assay_domain::personal::Personal;
use assay_domain::report::{self, RenditionContent, RenditionKind};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::at::At;
use crate::db::Reader;
use crate::error::Result;
use crate::fact::Fact;
use crate::members::Sight;
use crate::page::Document;
use crate::project::Took;
use crate::reports::{ReportDoc, in_sight};
use crate::rows::{Kept, Of, Row, Rows, Tables, blob};

/// One capture of a report with its text, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Rendition))]
pub struct RenditionDoc {
    /// Which.
    pub id: RenditionId,
    /// Of which report.
    pub report: ReportId,
    /// In which case.
    pub case: CaseId,
    /// Where it comes from.
    pub kind: RenditionKind,
    /// The text; null where it was erased.
    pub text: Option<String>,
    /// SHA-256 of the text (UTF-8, hex).
    pub text_sha256: Option<String>,
    /// Its language, a BCP 47 tag.
    pub language: Option<String>,
    /// Whether it was erased.
    pub erased: bool,
}

impl Row for RenditionDoc {
    const TABLE: &'static str = "renditions";
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("case_id", "BLOB NOT NULL"), ("report_id", "BLOB NOT NULL")];
    const INDEXES: &'static [&'static str] = &[];

    fn columns(&self) -> Vec<Value> {
        vec![blob(self.case.0), blob(self.report.0)]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.renditions
    }
}

/// The name of a rendition's row: clients name renditions, so another report may use the same name.
pub(crate) fn row_of(report: ReportId, rendition: RenditionId) -> Uuid {
    Uuid::new_v5(&report.0, rendition.0.as_bytes())
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::Report(event), Subject::Report(report)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    match event {
        report::Event::Filed { case, rendition, content, .. } => {
            let row = row(report, *case, *rendition, RenditionKind::Original, content);
            rows.put(row_of(report, *rendition), Of::Own, row)?;
        }
        report::Event::RenditionAdded { rendition, kind, content, .. } => {
            if let Some(case) = rows.get::<ReportDoc>(report.0)?.map(|known| known.case) {
                let row = row(report, case, *rendition, *kind, content);
                rows.put(row_of(report, *rendition), Of::Own, row)?;
            }
        }
        report::Event::MetadataInferred { .. }
        | report::Event::MetadataCorrected { .. }
        | report::Event::SpanMarkedNoClaim { .. }
        | report::Event::Withdrawn { .. } => return Ok(Took::Ignored),
    }
    Ok(Took::Used)
}

fn row(
    report: ReportId,
    case: CaseId,
    id: RenditionId,
    kind: RenditionKind,
    content: &Personal<RenditionContent>,
) -> RenditionDoc {
    let known = content.known();
    RenditionDoc {
        id,
        report,
        case,
        kind,
        text: known.map(|known| known.text.clone()),
        text_sha256: known.map(|known| known.text_sha256.clone()),
        language: known.and_then(|known| known.language.clone()).map(Into::into),
        erased: known.is_none(),
    }
}

/// One capture of a report with its text ([`RenditionDoc`]).
pub fn rendition(
    db: &Reader,
    sight: &Sight,
    at: At,
    report: ReportId,
    rendition: RenditionId,
) -> Result<Option<Document>> {
    in_sight(db, sight, RenditionDoc::TABLE, row_of(report, rendition), at)
}
