//! Reports: what is known of each and how, its renditions without their text, what carries no claim.

use assay_domain::aggregate::{Event, Subject};
use assay_domain::id::{CaseId, RenditionId, ReportId, SourceId};
use assay_domain::personal::Personal;
use assay_domain::report::{
    self, Metadata, MetadataField, RenditionContent, RenditionKind, ReportKind, ToolUse,
    WithdrawalReason,
};
use assay_domain::text::Phrase;
use assay_domain::value::Anchor;
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::db::Reader;
use crate::doc::{Deed, Remark};
use crate::error::Result;
use crate::fact::Fact;
use crate::list::List;
use crate::members::Sight;
use crate::page::{Cursor, Document, Limit, Page};
use crate::project::Took;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob, flag, word};

pub use crate::coverage::coverage;
pub use crate::renditions::{RenditionDoc, rendition};

/// How something of a report came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The report states it.
    Stated,
    /// Somebody inferred it.
    Inferred,
    /// Somebody corrected it.
    Corrected,
}

/// One thing known of a report beside its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Known {
    /// What; null where it was erased.
    pub metadata: Option<Metadata>,
    /// How it came to be known.
    pub how: Basis,
    /// What it rests on, or why it was corrected.
    pub basis: Vec<String>,
    /// Whether it was erased.
    pub erased: bool,
    /// Who said so, and when.
    #[serde(flatten)]
    pub said: Deed,
}

/// One capture of a report, without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RenditionInfo {
    /// Which.
    pub id: RenditionId,
    /// Where it comes from.
    pub kind: RenditionKind,
    /// The rendition it renders, where it is not the report as such.
    pub of: Option<RenditionId>,
    /// SHA-256 of the text (UTF-8, hex).
    pub text_sha256: Option<String>,
    /// How many bytes of UTF-8 the text has.
    pub size_bytes: Option<u64>,
    /// How many Unicode scalars the text has; anchors count these.
    pub size_chars: Option<u64>,
    /// Its language, a BCP 47 tag.
    pub language: Option<String>,
    /// Who translated or transcribed it.
    pub made_by: Option<String>,
    /// With which tool.
    pub tool: Option<ToolUse>,
    /// What is to be said about it.
    pub note: Option<String>,
    /// Whether it was erased.
    pub erased: bool,
    /// Who added it.
    pub added: Deed,
}

/// Words of a report that carry no claim.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NoClaimMark {
    /// Which words; null where they were erased.
    pub anchor: Option<Anchor>,
    /// Who says so, when and why.
    #[serde(flatten)]
    pub said: Remark,
}

/// Why a report was taken out of the work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReportWithdrawal {
    /// Why.
    pub why: WithdrawalReason,
    /// The report it doubles.
    pub duplicate_of: Option<ReportId>,
    /// Who did it, when, and in more words.
    #[serde(flatten)]
    pub said: Remark,
}

/// A report filed in a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = Report))]
pub struct ReportDoc {
    /// Which.
    pub id: ReportId,
    /// In which case.
    pub case: CaseId,
    /// What kind it is.
    pub kind: ReportKind,
    /// Who filed it.
    pub filed: Deed,
    /// Its publisher, where it is known.
    pub publisher: Option<SourceId>,
    /// What is known of it, the last of each field.
    pub metadata: Vec<Known>,
    /// Its renditions, first the one it was filed with.
    pub renditions: Vec<RenditionInfo>,
    /// Words of it that carry no claim.
    pub no_claim: Vec<NoClaimMark>,
    /// What was odd in what was imported and kept all the same.
    pub flags: Vec<Phrase>,
    /// Why it was taken out of the work; null while it stands.
    pub withdrawn: Option<ReportWithdrawal>,
}

impl Row for ReportDoc {
    const TABLE: &'static str = "reports";
    const COLUMNS: &'static [(&'static str, &'static str)] = &[
        ("case_id", "BLOB NOT NULL"),
        ("kind", "TEXT NOT NULL"),
        ("publisher", "BLOB"),
        ("withdrawn", "INTEGER NOT NULL"),
        ("filed_at", "INTEGER NOT NULL"),
    ];
    const INDEXES: &'static [&'static str] = &[
        "(case_id, filed_at, id) ?open",
        "(case_id, filed_at, id, from_pos, to_pos)",
        "(case_id, withdrawn) ?open",
        "(case_id, withdrawn, from_pos, to_pos)",
    ];

    fn columns(&self) -> Vec<Value> {
        vec![
            blob(self.case.0),
            word(&self.kind).into(),
            self.publisher.map_or(Value::Null, |source| blob(source.0)),
            flag(self.withdrawn.is_some()),
            self.filed.at.micros().into(),
        ]
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.reports
    }
}

impl ReportDoc {
    /// The title it has now, where it is known.
    pub(crate) fn title(&self) -> Option<&str> {
        self.metadata.iter().find_map(|known| match &known.metadata {
            Some(Metadata::Title(title)) => Some(title.as_str()),
            _ => None,
        })
    }

    fn field(&self, field: MetadataField) -> Option<&Metadata> {
        let all = self.metadata.iter().filter_map(|known| known.metadata.as_ref());
        all.into_iter().find(|metadata| metadata.field() == field)
    }

    fn learn(&mut self, known: Known) {
        if let Some(metadata) = &known.metadata {
            let field = metadata.field();
            let same = |old: &Known| old.metadata.as_ref().map(Metadata::field) == Some(field);
            self.metadata.retain(|old| !same(old));
        }
        self.metadata.push(known);
        self.publisher = match self.field(MetadataField::Publisher) {
            Some(Metadata::Publisher(source)) => Some(*source),
            _ => None,
        };
    }

    fn fold(&mut self, event: &report::Event, said: Deed) {
        match event {
            report::Event::RenditionAdded { rendition, kind, of, content } => {
                self.renditions.push(info(*rendition, *kind, *of, content, said));
            }
            report::Event::MetadataInferred { inference } => {
                let known = inference.known();
                self.learn(Known {
                    metadata: known.map(|known| known.metadata.clone()),
                    how: Basis::Inferred,
                    basis: known
                        .map(|known| &known.basis)
                        .into_iter()
                        .flatten()
                        .map(|reason| reason.clone().into())
                        .collect(),
                    erased: known.is_none(),
                    said,
                });
            }
            report::Event::MetadataCorrected { correction } => {
                let known = correction.known();
                self.learn(Known {
                    metadata: known.map(|known| known.metadata.clone()),
                    how: Basis::Corrected,
                    basis: known.map(|known| known.reason.clone().into()).into_iter().collect(),
                    erased: known.is_none(),
                    said,
                });
            }
            report::Event::SpanMarkedNoClaim { span } => {
                let known = span.known();
                let reason = known.map(|known| known.why.clone().into());
                let said = Remark { by: said.by, at: said.at, reason, erased: known.is_none() };
                let anchor = known.map(|known| known.anchor.clone());
                self.no_claim.push(NoClaimMark { anchor, said });
            }
            report::Event::Withdrawn { reason, duplicate_of, note } => {
                let said = Remark::new(said, note.as_ref());
                let duplicate_of = *duplicate_of;
                self.withdrawn = Some(ReportWithdrawal { why: *reason, duplicate_of, said });
            }
            report::Event::Filed { .. } => (),
        }
    }
}

fn info(
    id: RenditionId,
    kind: RenditionKind,
    of: Option<RenditionId>,
    content: &Personal<RenditionContent>,
    added: Deed,
) -> RenditionInfo {
    let known = content.known();
    let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    RenditionInfo {
        id,
        kind,
        of,
        text_sha256: known.map(|known| known.text_sha256.clone()),
        size_bytes: known.map(|known| size(known.text.len())),
        size_chars: known.map(|known| size(known.text.chars().count())),
        language: known.and_then(|known| known.language.clone()).map(Into::into),
        made_by: known.and_then(|known| known.made_by.clone()).map(Into::into),
        tool: known.and_then(|known| known.tool.clone()),
        note: known.and_then(|known| known.note.clone()).map(Into::into),
        erased: known.is_none(),
        added,
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    let (Event::Report(event), Subject::Report(id)) = (&fact.event, fact.subject) else {
        return Ok(Took::Ignored);
    };
    if let report::Event::Filed { case, kind, rendition, content, stated, flags } = event {
        let said = fact.deed();
        let mut row = ReportDoc {
            id,
            case: *case,
            kind: *kind,
            filed: said,
            publisher: None,
            metadata: Vec::new(),
            renditions: vec![info(*rendition, RenditionKind::Original, None, content, said)],
            no_claim: Vec::new(),
            flags: flags.clone(),
            withdrawn: None,
        };
        let (how, basis) = (Basis::Stated, Vec::new());
        match stated.known() {
            Some(stated) => stated.iter().for_each(|metadata| {
                let metadata = Some(metadata.clone());
                row.learn(Known { metadata, how, basis: Vec::new(), erased: false, said });
            }),
            None => row.learn(Known { metadata: None, how, basis, erased: true, said }),
        }
        rows.put(id.0, Of::Own, row)?;
        return Ok(Took::Used);
    }
    rows.change::<ReportDoc>(id.0, Of::Own, |row| row.fold(event, fact.deed()))?;
    Ok(Took::Used)
}

/// One report.
pub fn one(db: &Reader, sight: &Sight, at: At, report: ReportId) -> Result<Option<Document>> {
    in_sight(db, sight, ReportDoc::TABLE, report.0, at)
}

/// A row of a table with cases, if its case is in sight.
pub(crate) fn in_sight(
    db: &Reader,
    sight: &Sight,
    table: &str,
    id: uuid::Uuid,
    at: At,
) -> Result<Option<Document>> {
    use rusqlite::OptionalExtension as _;
    db.snapshot(|| {
        let sql = format!("SELECT case_id FROM {table} WHERE id = ? LIMIT 1");
        let mut statement = db.conn().prepare_cached(&sql)?;
        let case: Option<[u8; 16]> =
            statement.query_row([id.as_bytes().as_slice()], |row| row.get(0)).optional()?;
        match case {
            Some(case) if sight.sees(CaseId(uuid::Uuid::from_bytes(case))) => {
                db.document(table, id, at)
            }
            _ => Ok(None),
        }
    })
}

/// Which reports a list shows, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportFilter {
    /// Only of this kind.
    pub kind: Option<ReportKind>,
    /// Only withdrawn ones, or only those that stand.
    pub withdrawn: Option<bool>,
    /// Only what this source published.
    pub publisher: Option<SourceId>,
    /// Last filed first, instead of first filed first.
    pub newest_first: bool,
}

/// The reports of a case.
pub fn page(
    db: &Reader,
    sight: &Sight,
    at: At,
    case: CaseId,
    filter: &ReportFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    if !sight.sees(case) {
        return Ok(Page::empty(db.resolve(at)?));
    }
    List::of(ReportDoc::TABLE, &["filed_at"])
        .descending(filter.newest_first)
        .only("t.case_id = ?", [blob(case.0)])
        .only_if("t.kind = ?", filter.kind.map(|kind| word(&kind)))
        .only_if("t.withdrawn = ?", filter.withdrawn.map(flag))
        .only_if("t.publisher = ?", filter.publisher.map(|source| blob(source.0)))
        .page(db, at, cursor, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, TEXT, World, anchor, case, head, many, name, reason, report, sight, source,
        values,
    };
    use assay_domain::value::sha256_hex;

    #[test]
    fn what_is_known_last_of_each_field_shows_with_its_basis() {
        let mut world = World::busy();
        world.register_source(1, ANA, "The Post");
        let metadata = Metadata::Publisher(source(1));
        let inference = report::Inference { metadata, basis: vec![reason("its style")] };
        let inferred = report::Event::MetadataInferred { inference: inference.into() };
        world.on_report(1, 1, ANA, inferred);
        for author in ["A", "B"] {
            let correction = report::Correction {
                metadata: Metadata::Author(name(author)),
                reason: reason("no"),
            };
            let corrected = report::Event::MetadataCorrected { correction: correction.into() };
            world.on_report(1, 1, ANA, corrected);
        }
        let db = world.views();
        let ana = sight(&db, ANA);
        let found = one(&db, &ana, head(), report(1)).unwrap().unwrap();
        let doc: serde_json::Value = serde_json::from_str(&found.json).unwrap();
        assert_eq!(doc["publisher"], source(1).to_string());
        assert_eq!(doc["metadata"][0]["how"], "inferred");
        assert_eq!(doc["metadata"][0]["basis"][0], "its style");
        assert_eq!(doc["metadata"][1]["metadata"]["value"], "B");
        assert_eq!(doc["metadata"].as_array().unwrap().len(), 2);
        let by = ReportFilter { publisher: Some(source(1)), ..ReportFilter::default() };
        let listed = page(&db, &ana, head(), case(1), &by, None, many()).unwrap();
        assert_eq!(values(&listed).len(), 1);
        let out = ReportFilter { withdrawn: Some(true), ..ReportFilter::default() };
        assert!(page(&db, &ana, head(), case(1), &out, None, many()).unwrap().items.is_empty());
    }

    #[test]
    fn a_text_comes_back_byte_for_byte_to_those_who_see_it() {
        let db = World::busy().views();
        let read = |who| rendition(&db, &sight(&db, who), head(), report(1), self::rendition_1());
        let found = read(ANA).unwrap().unwrap();
        let doc: RenditionDoc = serde_json::from_str(&found.json).unwrap();
        assert_eq!(doc.text.as_deref(), Some(TEXT));
        assert_eq!(doc.text_sha256, Some(sha256_hex(TEXT.as_bytes())));
        assert!(read(BEN).unwrap().is_none());
    }

    fn rendition_1() -> RenditionId {
        crate::testing::rendition(1)
    }

    #[test]
    fn coverage_counts_what_is_claimed_and_what_carries_none() {
        let mut world = World::busy();
        let span =
            report::NoClaim { anchor: anchor(rendition_1(), "on Thursday"), why: reason("date") };
        world.on_report(1, 1, ANA, report::Event::SpanMarkedNoClaim { span: span.into() });
        let db = world.views();
        let seen = coverage(&db, &sight(&db, ANA), head(), report(1), None).unwrap().unwrap();
        // 16 villages, on Thursday, Yıldırım said no
        assert_eq!((seen.words_covered, seen.words_no_claim), (7, 2));
        assert_eq!(seen.assertions.len(), 3);
        assert_eq!(seen.uncovered.first().map(|gap| gap.text.as_str()), Some("Rebels took"));
        assert!(coverage(&db, &sight(&db, BEN), head(), report(1), None).unwrap().is_none());
    }
}
