//! Events of the UCDP Georeferenced Event Dataset: each row is a report of its own rendering and one event claim.
//!
//! Read in this order: [`row`] (what a line holds), `text` (the plain sentences that become the
//! report, with the place of each, so that anchors resolve), `claim` (when, where, who, how many).
//!
//! Source: UCDP GED codebook (`where_prec`, `date_prec`, best / high / low). Real data has `low > best`:
//! it is kept and flagged, never mended; only `low > high`, which no range can be, is refused.

pub mod row;

mod claim;
mod text;

use std::io::BufRead;

use assay_domain::report::{Metadata, RenditionContent, ReportKind};
use assay_domain::text::{Name, Phrase, Title, ValueError};

use crate::error::LineError;
use crate::item::{ClaimItem, Item, Key, Numbered, ReportItem};
use crate::lines::{Line, lines};
use crate::ndjson::parse;
use row::Row;

/// Who speaks in every row.
pub(crate) const HOLDER: &str = "Uppsala Conflict Data Program";

/// Reads a file of rows: for each a report and then its claim, under the row's line.
pub fn read(input: impl BufRead) -> impl Iterator<Item = Result<Numbered, LineError>> {
    lines(input)
        .flat_map(|line| match line.and_then(|line| items_of(&line)) {
            Ok(items) => items.map(|item| Some(Ok(item))),
            Err(error) => [Some(Err(error)), None],
        })
        .flatten()
}

fn items_of(line: &Line) -> Result<[Numbered; 2], LineError> {
    let row: Row = parse(line.number, &line.text)?;
    let seen = row.checked(line.number)?;
    let said = text::of(&seen);
    let wrong = |error: ValueError| LineError::value(line.number, "/id", &error);
    let key = Key::try_from(format!("ucdp:ged:{}", seen.row.id)).map_err(wrong)?;
    let content = RenditionContent::new(said.text.clone(), None)
        .map_err(|refusal| LineError::refused(line.number, "", &refusal))?;
    let title = Title::try_from(format!("UCDP GED event {}", seen.row.id)).map_err(wrong)?;
    let report = ReportItem {
        key: key.clone(),
        kind: ReportKind::Dataset,
        content: RenditionContent { language: Phrase::try_from("en").ok(), ..content },
        stated: vec![
            Metadata::Title(title),
            Metadata::Author(Name::try_from(HOLDER).map_err(wrong)?),
        ],
        flags: Vec::new(),
    };
    let claim = ClaimItem { report: key.clone(), ..claim::of(&seen, &said, key, line.number)? };
    let numbered = |item| Numbered { line: line.number, bytes: line.bytes, item };
    Ok([numbered(Item::Report(Box::new(report))), numbered(Item::Claim(Box::new(claim)))])
}
