//! Reports as rows of a CSV table under a header, in any order of columns.
//!
//! Columns: `key`, `kind` and `text` are needed; `title`, `author`, `url`, `published` (EDTF) and
//! `language` may be there. Another column is an error of the whole file; an empty cell says nothing.
//! RFC 4180: a cell in quotes may hold line breaks, and a quote in it is doubled.

use std::io::BufRead;

use assay_domain::report::{Metadata, RenditionContent, ReportKind};
use assay_domain::text::{Address, Name, Phrase, Title, ValueError};
use assay_domain::value::{Edtf, FuzzyTime};
use csv::{ByteRecord, ReaderBuilder};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::error::LineError;
use crate::item::{Item, Key, Numbered, ReportItem};
use crate::lines::{LINE_BYTES_MAX, Lines, lines, too_long};

/// The columns a table may have.
pub const COLUMNS: [&str; 8] =
    ["key", "kind", "title", "author", "url", "published", "language", "text"];
/// The columns it must have.
const NEEDED: [&str; 3] = ["key", "kind", "text"];

/// Reads a table.
pub fn read<R: BufRead>(input: R) -> Rows<R> {
    Rows { input: lines(input), columns: None, ended: false }
}

/// The rows of a table, as reports.
#[derive(Debug)]
pub struct Rows<R> {
    input: Lines<R>,
    columns: Option<Vec<&'static str>>,
    ended: bool,
}

/// Where in a row a reader is; it decides whether a line break ends the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    /// Before the first character of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// In a cell in quotes.
    Quoted,
    /// After a quote in a cell in quotes: it ended, or the quote is doubled.
    Quote,
}

impl Within {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Quoted, b'"') => Self::Quote,
            (Self::Quoted, _) | (Self::Quote | Self::Start, b'"') => Self::Quoted,
            (_, b',' | b'\n') => Self::Start,
            _ => Self::Plain,
        }
    }
}

impl<R: BufRead> Rows<R> {
    /// The next row with its line; `None` at the end.
    fn row(&mut self) -> Result<Option<(u64, ByteRecord)>, LineError> {
        let mut row = Vec::new();
        let mut first = 0;
        let mut within = Within::Start;
        loop {
            let line = self.input.raw().map_err(|error| self.broken(&error))?;
            if line.is_empty() {
                self.ended = true;
                let cut = !row.is_empty();
                let open = || LineError::new(first, "quote_open", "a quote is never closed");
                return if cut { Err(open()) } else { Ok(None) };
            }
            if row.is_empty() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                first = self.input.number();
            }
            within = line.iter().fold(within, |within, byte| within.after(*byte));
            row.extend(line);
            if row.len() > LINE_BYTES_MAX.saturating_add(1) {
                return Err(self.over_long(first, within, row.last() == Some(&b'\n')));
            }
            if within != Within::Quoted {
                return cells_of(first, &row).map(|cells| Some((first, cells)));
            }
        }
    }

    fn broken(&mut self, error: &std::io::Error) -> LineError {
        self.ended = true;
        self.input.broken(error)
    }

    /// A row over its limit: without a quote left open the next line is a row again.
    fn over_long(&mut self, first: u64, within: Within, whole: bool) -> LineError {
        if within == Within::Quoted {
            self.ended = true;
            let mut error = too_long(first);
            error.detail.push_str("; a quote is open here, so the rest was not read");
            return error;
        }
        if !whole && let Err(error) = self.input.skip_line() {
            return self.broken(&error);
        }
        too_long(first)
    }

    /// Reads the header on first use.
    fn columns(&mut self) -> Result<Vec<&'static str>, LineError> {
        if let Some(columns) = &self.columns {
            return Ok(columns.clone());
        }
        let columns = self.row().and_then(header);
        self.ended |= columns.is_err();
        self.columns.clone_from(&columns.as_ref().ok().cloned());
        columns
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Numbered, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let columns = match self.columns() {
            Ok(columns) => columns,
            Err(error) => return Some(Err(error)),
        };
        match self.row() {
            Err(error) => Some(Err(error)),
            Ok(None) => None,
            Ok(Some((line, record))) => {
                let bytes = self.input.bytes();
                let item = |report| Item::Report(Box::new(report));
                let numbered = |report| Numbered { line, bytes, item: item(report) };
                Some(report_of(line, &columns, &record).map(numbered))
            }
        }
    }
}

/// The cells of one row.
fn cells_of(line: u64, row: &[u8]) -> Result<ByteRecord, LineError> {
    let unreadable = |_| LineError::new(line, "row_invalid", "the row cannot be read");
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
    let mut cells = ByteRecord::new();
    reader.read_byte_record(&mut cells).map_err(unreadable)?;
    if reader.read_byte_record(&mut ByteRecord::new()).map_err(unreadable)? {
        let detail = "a line break within a cell (here a lone carriage return) stands in quotes";
        return Err(LineError::new(line, "row_invalid", detail));
    }
    Ok(cells)
}

/// The columns of a header row, each known and once.
fn header(row: Option<(u64, ByteRecord)>) -> Result<Vec<&'static str>, LineError> {
    let (line, record) =
        row.ok_or_else(|| LineError::new(1, "header_missing", "the first row names the columns"))?;
    let mut columns = Vec::with_capacity(record.len());
    for (cell, at) in record.iter().zip(0_u32..) {
        let cell = if at == 0 { cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell) } else { cell };
        let name = String::from_utf8_lossy(cell);
        let known = COLUMNS.into_iter().find(|column| *column == name);
        let known = known.ok_or_else(|| {
            let detail = format!("a column is one of {}", COLUMNS.join(", "));
            LineError::new(line, "column_unknown", detail).at(format!("/{name}"))
        })?;
        if columns.contains(&known) {
            let error = LineError::new(line, "column_twice", "a column stands once");
            return Err(error.at(format!("/{known}")));
        }
        columns.push(known);
    }
    match NEEDED.into_iter().find(|needed| !columns.contains(needed)) {
        Some(missing) => {
            let error = LineError::new(line, "column_missing", "key, kind and text are needed");
            Err(error.at(format!("/{missing}")))
        }
        None => Ok(columns),
    }
}

/// The cells of one row by column.
struct Cells<'a> {
    line: u64,
    columns: &'a [&'static str],
    record: &'a ByteRecord,
}

impl Cells<'_> {
    /// The words of a cell; nothing where it is empty or not there.
    fn words(&self, column: &str) -> Result<Option<String>, LineError> {
        let mut cells = self.columns.iter().zip(self.record.iter());
        let Some((_, cell)) = cells.find(|(name, _)| **name == column) else { return Ok(None) };
        let text = std::str::from_utf8(cell).map_err(|error| {
            let detail = format!("no UTF-8 after byte {} of the cell", error.valid_up_to());
            LineError::new(self.line, "line_not_utf8", detail).at(format!("/{column}"))
        })?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    }

    /// The value of a cell.
    fn value<T>(&self, column: &str) -> Result<Option<T>, LineError>
    where
        T: TryFrom<String, Error = ValueError>,
    {
        let value = self.words(column)?.map(T::try_from).transpose();
        value.map_err(|error| LineError::value(self.line, &format!("/{column}"), &error))
    }

    fn missing(&self, column: &str) -> LineError {
        let detail = format!("`{column}` is empty");
        LineError::new(self.line, "field_missing", detail).at(format!("/{column}"))
    }
}

fn report_of(
    line: u64,
    columns: &[&'static str],
    record: &ByteRecord,
) -> Result<ReportItem, LineError> {
    if record.len() != columns.len() {
        let detail = format!("{} cells under {} columns", record.len(), columns.len());
        return Err(LineError::new(line, "row_length", detail));
    }
    let cells = Cells { line, columns, record };
    let key: Key = cells.value("key")?.ok_or_else(|| cells.missing("key"))?;
    let kind = cells.words("kind")?.ok_or_else(|| cells.missing("kind"))?;
    let word: StrDeserializer<'_, WordError> = kind.as_str().into_deserializer();
    let kind = ReportKind::deserialize(word)
        .map_err(|error| LineError::new(line, "value_unknown", error.to_string()).at("/kind"))?;
    let text = cells.words("text")?.unwrap_or_default();
    let content = RenditionContent::new(text, None)
        .map_err(|refusal| LineError::refused(line, "", &refusal))?;
    let language = cells.value::<Phrase>("language")?;
    let published = cells.value::<Edtf>("published")?.map(FuzzyTime::plain);
    let stated = [
        cells.value::<Title>("title")?.map(Metadata::Title),
        cells.value::<Name>("author")?.map(Metadata::Author),
        cells.value::<Address>("url")?.map(Metadata::Url),
        published.map(Metadata::Published),
    ];
    Ok(ReportItem {
        key,
        kind,
        content: RenditionContent { language, ..content },
        stated: stated.into_iter().flatten().collect(),
        flags: Vec::new(),
    })
}
