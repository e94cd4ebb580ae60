//! Search: words of reports, claims, sources and cases in any script, in sight, as of any moment.

mod find;
mod fold;
mod words;

use assay_domain::aggregate::{Event as AnyEvent, Subject};
use assay_domain::claim::{self, Proposition, Who};
use assay_domain::id::{CaseId, RenditionId, ReportId};
use assay_domain::{case, report, source};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cases::CaseDoc;
use crate::claims::ClaimDoc;
use crate::error::Result;
use crate::fact::Fact;
use crate::project::Took;
use crate::reports::ReportDoc;
use crate::rows::{Kept, Of, Row, Rows, Tables, blob};
use crate::sources::SourceDoc;

pub use find::{Hit, HitKind, SearchFilter, Snippet, find};
pub(crate) use fold::fold;

/// The full-text index. It keeps no text of its own: what was found is shown from the rows.
pub(crate) const TABLE: &str = "
    CREATE VIRTUAL TABLE search_index USING fts5(body, content = '', detail = full,
        tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co M*'\");";

/// Puts the folded words of one row into the index.
pub(crate) const INDEX_ROW: &str = "INSERT INTO search_index(rowid, body) VALUES (?, ?)";

/// Words by which something is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SearchRow {
    kind: HitKind,
    id: Uuid,
    case: Option<CaseId>,
    /// The rendition that has the text, where it is not kept here a second time.
    rendition: Option<RenditionId>,
    text: String,
    /// The text of the rendition, while it is put into the index.
    #[serde(skip)]
    elsewhere: Option<String>,
}

impl Row for SearchRow {
    const TABLE: &'static str = "search_rows";
    const COLUMNS: &'static [(&'static str, &'static str)] =
        &[("kind", "TEXT NOT NULL"), ("subject", "BLOB NOT NULL"), ("case_id", "BLOB")];
    const INDEXES: &'static [&'static str] = &["(from_pos)"];

    fn columns(&self) -> Vec<Value> {
        let case = self.case.map_or(Value::Null, |case| blob(case.0));
        vec![self.kind.word().to_owned().into(), blob(self.id), case]
    }

    fn indexed(&self) -> Option<String> {
        Some(self.elsewhere.clone().unwrap_or_else(|| self.text.clone()))
    }

    fn kept(tables: &mut Tables) -> &mut Kept<Self> {
        &mut tables.search_rows
    }
}

pub(crate) fn project(fact: &Fact, rows: &mut Rows<'_>) -> Result<Took> {
    match (&fact.event, fact.subject) {
        (
            AnyEvent::Case(case::Event::Opened { .. } | case::Event::Retitled { .. }),
            Subject::Case(id),
        ) => {
            let text = rows.get::<CaseDoc>(id.0)?.and_then(|case| case.title.clone());
            put(rows, HitKind::Case, id.0, Some(id), text.unwrap_or_default())?;
        }
        (
            AnyEvent::Source(
                source::Event::Registered { .. }
                | source::Event::Named { .. }
                | source::Event::NameDropped { .. },
            ),
            Subject::Source(id),
        ) => {
            let text = rows.get::<SourceDoc>(id.0)?.map(|source| source.names.join("\n"));
            put(rows, HitKind::Source, id.0, None, text.unwrap_or_default())?;
        }
        (
            AnyEvent::Claim(claim::Event::Proposed { .. } | claim::Event::Refined { .. }),
            Subject::Claim(id),
        ) => {
            let card = rows.get::<ClaimDoc>(id.0)?;
            let case = card.map(|card| card.case);
            let text = card.and_then(|card| card.proposition.as_ref()).map(named);
            put(rows, HitKind::Claim, id.0, case, text.unwrap_or_default())?;
        }
        (AnyEvent::Report(event), Subject::Report(id)) => return of_report(id, event, rows),
        _ => return Ok(Took::Ignored),
    }
    Ok(Took::Used)
}

fn of_report(id: ReportId, event: &report::Event, rows: &mut Rows<'_>) -> Result<Took> {
    let known = rows.get::<ReportDoc>(id.0)?;
    let case = known.map(|known| known.case);
    let title = known.and_then(|known| known.title().map(ToOwned::to_owned)).unwrap_or_default();
    match event {
        report::Event::Filed { rendition, content, .. }
        | report::Event::RenditionAdded { rendition, content, .. } => {
            if let Some(content) = content.known() {
                let row = SearchRow {
                    kind: HitKind::Report,
                    id: id.0,
                    case,
                    rendition: Some(*rendition),
                    text: String::new(),
                    elsewhere: Some(content.text.clone()),
                };
                rows.put(Uuid::new_v5(&id.0, rendition.0.as_bytes()), Of::Other, row)?;
            }
            if !title.is_empty() {
                put(rows, HitKind::Report, id.0, case, title)?;
            }
        }
        report::Event::MetadataInferred { .. } | report::Event::MetadataCorrected { .. } => {
            put(rows, HitKind::Report, id.0, case, title)?;
        }
        report::Event::SpanMarkedNoClaim { .. } | report::Event::Withdrawn { .. } => {
            return Ok(Took::Ignored);
        }
    }
    Ok(Took::Used)
}

fn put(
    rows: &mut Rows<'_>,
    kind: HitKind,
    id: Uuid,
    case: Option<CaseId>,
    text: String,
) -> Result<()> {
    // Of a subject without words there is nothing to find; one that had some keeps an empty row.
    if text.is_empty() && rows.get::<SearchRow>(id)?.is_none() {
        return Ok(());
    }
    rows.put(id, Of::Other, SearchRow { kind, id, case, rendition: None, text, elsewhere: None })
}

/// The words of a proposition by which it is found: its gist and every name in it.
fn named(proposition: &Proposition) -> String {
    let mut lines: Vec<String> = vec![proposition.gist.clone().into()];
    for participant in &proposition.participants {
        lines.extend(match &participant.who {
            Who::Named { name } | Who::Umbrella { label: name } => Some(name.clone().into()),
            Who::Unnamed { description } => Some(description.clone().into()),
            Who::NotNamed { implied, .. } => implied.clone().map(Into::into),
        });
    }
    for place in &proposition.places {
        lines.push(place.name.clone().into());
        let of = place.relation.as_ref().and_then(|relation| relation.of.clone());
        lines.extend(of.map(String::from));
    }
    for quantity in &proposition.quantities {
        lines.push(quantity.population.clone().into());
    }
    for thing in &proposition.materiel {
        lines.push(thing.item.clone().into());
        lines.extend(thing.supplier.clone().map(String::from));
        lines.extend(thing.possessor.clone().map(String::from));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests;
