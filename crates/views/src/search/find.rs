//! Asking the index: a bounded set of candidates in sight, the best first, with the words around each hit.

use std::collections::HashSet;

use assay_domain::id::{CaseId, RenditionId, ReportId};
use assay_domain::policy::Permission;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, params_from_iter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::SearchRow;
use super::words::{Term, question, split, terms};
use crate::at::{At, sql};
use crate::db::Reader;
use crate::error::{Result, ViewError};
use crate::list::raw;
use crate::members::Sight;
use crate::page::{Cursor, Key, Limit, Page, Place};
use crate::project::FACTS_MAX;
use crate::renditions::{RenditionDoc, row_of};
use crate::rows::{Row as _, blob};

/// How many candidates are ranked: the newest.
const CANDIDATES_MAX: usize = 1_000;
/// How many bytes a snippet keeps on each side of its first hit.
const SNIPPET_BYTES: usize = 120;
/// How many hits within a snippet are marked.
const MARKS_MAX: usize = 20;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    /// A case.
    Case,
    /// A report.
    Report,
    /// A claim.
    Claim,
    /// A source.
    Source,
}

impl HitKind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Report => "report",
            Self::Claim => "claim",
            Self::Source => "source",
        }
    }
}

/// Words around a hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Snippet {
    /// The words as they stand.
    pub text: String,
    /// The first character of the snippet in the whole text (Unicode scalars, from 0).
    pub start: u32,
    /// The hits within the snippet: first character, character after the last.
    pub marks: Vec<(u32, u32)>,
    /// The rendition the words stand in, where it is a report's text.
    pub rendition: Option<RenditionId>,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = SearchHit))]
pub struct Hit {
    /// What kind of thing.
    pub kind: HitKind,
    /// Which.
    pub id: Uuid,
    /// In which case.
    pub case: Option<CaseId>,
    /// The words around the first hit.
    pub snippet: Snippet,
}

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchFilter {
    /// Only for this kind of thing.
    pub kind: Option<HitKind>,
    /// Only in this case.
    pub case: Option<CaseId>,
}

/// What holds all the words asked for ([`Hit`]), the best first.
///
/// Words are all needed, `"quoted phrases"` stand together, `word*` is a beginning. What is found is
/// exact as of the moment; the ranking (BM25 over the newest 1,000 candidates) weighs words by how
/// rare they are in the index of today.
pub fn find(
    db: &Reader,
    sight: &Sight,
    at: At,
    asked: &str,
    filter: &SearchFilter,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page> {
    db.snapshot(|| {
        let place = cursor.map(|cursor| cursor.place("search")).transpose()?;
        let (position, skip) = match place {
            None => (db.resolve(at)?, 0),
            Some(Place { position, keys, .. }) => match keys.as_slice() {
                [Key::Number(skip)] => {
                    (position, usize::try_from(*skip).map_err(|_| ViewError::BadCursor)?)
                }
                _ => return Err(ViewError::BadCursor),
            },
        };
        let terms = terms(asked);
        if terms.is_empty() {
            return Ok(Page::empty(position));
        }
        let found = ranked(db, sight, At::Position(position), &terms, filter)?;
        let mut items = Vec::new();
        for key in found.iter().skip(skip).take(limit.get()) {
            let row = read(db, *key)?;
            let hit = hit(db, &row, &terms, At::Position(position))?;
            items.push(raw(serde_json::to_string(&hit)?)?);
        }
        let done = skip.saturating_add(items.len());
        let next = if done < found.len() {
            let keys = vec![Key::Number(i64::try_from(done).unwrap_or(i64::MAX))];
            Some(Cursor::of(&Place { list: "search".to_owned(), position, keys, id: Uuid::nil() })?)
        } else {
            None
        };
        Ok(Page { items, next, position })
    })
}

/// The keys of the rows found, best first, one a subject.
fn ranked(
    db: &Reader,
    sight: &Sight,
    at: At,
    terms: &[Term],
    filter: &SearchFilter,
) -> Result<Vec<i64>> {
    let (held, times) = at.held("s");
    let (seen, cases) = sight.filter("s.case_id");
    let sources = i64::from(sight.may_anywhere(Permission::ReadSources));
    let mut values: Vec<Value> = vec![question(terms).into()];
    values.push(first_later(db, at)?.into());
    values.extend(times);
    values.push(sources.into());
    values.extend(cases);
    let mut more = String::new();
    if let Some(kind) = filter.kind {
        more.push_str(" AND s.kind = ?");
        values.push(kind.word().to_owned().into());
    }
    if let Some(case) = filter.case {
        more.push_str(" AND s.case_id = ?");
        values.push(blob(case.0));
    }
    let sql = format!(
        "SELECT key, kind, subject FROM (
            SELECT s.key AS key, s.kind AS kind, s.subject AS subject, bm25(search_index) AS rank, s.from_pos AS since, s.id AS id
            FROM search_index JOIN search_rows s ON s.key = search_index.rowid
            WHERE search_index MATCH ? AND search_index.rowid < ? AND {held}
              AND ((s.case_id IS NULL AND ?) OR (s.case_id IS NOT NULL AND {seen})){more}
            ORDER BY search_index.rowid DESC LIMIT {CANDIDATES_MAX})
         ORDER BY rank, since DESC, id"
    );
    let mut statement = db.conn().prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found: Vec<i64> = Vec::new();
    let mut known: HashSet<(String, [u8; 16])> = HashSet::new();
    while let Some(row) = rows.next()? {
        if known.insert((row.get(1)?, row.get(2)?)) {
            found.push(row.get(0)?);
        }
    }
    Ok(found)
}

/// A key that every row of a moment lies before: what is later need not be walked through.
///
/// Rows are written in the order of their transactions, and no transaction reaches further than
/// [`FACTS_MAX`] positions: a row that begins later than that has a greater key than any row of the moment.
fn first_later(db: &Reader, at: At) -> Result<i64> {
    let reach = u64::try_from(FACTS_MAX).unwrap_or(u64::MAX);
    let after = db.resolve(at)?.saturating_add(reach);
    let mut statement = db.conn().prepare_cached(
        "SELECT key FROM search_rows WHERE from_pos > ? ORDER BY from_pos LIMIT 1",
    )?;
    let found = statement.query_row([sql(after)], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(i64::MAX))
}

fn read(db: &Reader, key: i64) -> Result<SearchRow> {
    let mut statement = db.conn().prepare_cached("SELECT doc FROM search_rows WHERE key = ?")?;
    let doc: String = statement.query_row([key], |row| row.get(0))?;
    Ok(serde_json::from_str(&doc)?)
}

fn hit(db: &Reader, row: &SearchRow, terms: &[Term], at: At) -> Result<Hit> {
    let elsewhere = match row.rendition {
        Some(rendition) => {
            let id = row_of(ReportId(row.id), rendition);
            let found = db.document(RenditionDoc::TABLE, id, at)?;
            let found = found.map(|found| serde_json::from_str::<RenditionDoc>(&found.json));
            found.transpose()?.and_then(|found| found.text)
        }
        None => None,
    };
    let mut snippet = snippet(elsewhere.as_deref().unwrap_or(&row.text), terms);
    snippet.rendition = row.rendition;
    Ok(Hit { kind: row.kind, id: row.id, case: row.case, snippet })
}

/// Where terms stand in a text, by bytes, in reading order; no further than a snippet of the first shows.
fn hits(text: &str, terms: &[Term]) -> Vec<(usize, usize)> {
    let mut words: Vec<(usize, usize, String)> = Vec::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut shown = usize::MAX;
    for word in split(text) {
        if word.0 > shown {
            break;
        }
        words.push(word);
        let ended: Vec<_> = terms.iter().filter_map(|term| ends_here(&words, term)).collect();
        if let (true, Some((_, end))) = (found.is_empty(), ended.first()) {
            shown = end.saturating_add(SNIPPET_BYTES);
        }
        found.extend(ended);
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Where a term stands, if the last of the words is the last of its.
fn ends_here(words: &[(usize, usize, String)], term: &Term) -> Option<(usize, usize)> {
    let here = words.get(words.len().checked_sub(term.words.len())?..)?;
    let last = term.words.len().saturating_sub(1);
    let fits = here.iter().zip(&term.words).enumerate().all(|(n, (word, asked))| {
        word.2 == *asked || (term.prefix && n == last && word.2.starts_with(asked.as_str()))
    });
    if fits { Some((here.first()?.0, here.last()?.1)) } else { None }
}

fn snippet(text: &str, terms: &[Term]) -> Snippet {
    let found = hits(text, terms);
    let first = found.first().copied().unwrap_or((0, 0));
    let start = edge(text, first.0.saturating_sub(SNIPPET_BYTES), first.0);
    let end = text.len().min(first.1.saturating_add(SNIPPET_BYTES));
    let end = (end..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let shown = text.get(start..end).unwrap_or_default();
    let inside = found.iter().filter(|(from, to)| *from >= start && *to <= end).take(MARKS_MAX);
    let chars = |from: usize, to: usize| {
        u32::try_from(text.get(from..to).unwrap_or_default().chars().count()).unwrap_or(u32::MAX)
    };
    Snippet {
        text: shown.to_owned(),
        start: chars(0, start),
        marks: inside.map(|(from, to)| (chars(start, *from), chars(start, *to))).collect(),
        rendition: None,
    }
}

/// The first place from `from` on where a snippet may begin: at a word, at the latest at the hit.
fn edge(text: &str, from: usize, hit: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let from = (from..=hit).find(|at| text.is_char_boundary(*at)).unwrap_or(hit);
    let before = text.get(from..hit).unwrap_or_default();
    before.find(char::is_whitespace).map_or(from, |space| {
        let rest = before.get(space..).unwrap_or_default();
        let blank = rest.len().saturating_sub(rest.trim_start().len());
        from.saturating_add(space).saturating_add(blank)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_marks_the_words_as_they_stand() {
        let snippet = snippet("Premier Yıldırım spoke", &terms("YILDIRIM"));
        assert_eq!((snippet.start, snippet.marks), (0, vec![(8, 16)]));
        let long = format!("{} hit {}", "é".repeat(500), "ü".repeat(500));
        let found = super::snippet(&long, &terms("hi*"));
        assert!(found.text.contains("hit"));
        assert!(found.text.len() < 300);
    }
}
