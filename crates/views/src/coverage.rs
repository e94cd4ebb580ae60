//! Coverage: which words of a report no assertion is anchored to yet, and nobody marked as carrying none.

use assay_domain::id::{AssertionId, ClaimId, RenditionId, ReportId};
use assay_domain::text::Label;
use assay_domain::value::Stance;
use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::assertions::live_in;
use crate::at::At;
use crate::db::Reader;
use crate::error::Result;
use crate::members::Sight;
use crate::renditions::{RenditionDoc, row_of};
use crate::reports::{ReportDoc, in_sight};
use crate::rows::Row as _;

/// Words of a rendition; characters are Unicode scalars, counted from 0, half-open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TextSpan {
    /// The first character.
    pub start: u32,
    /// The character after the last.
    pub end: u32,
    /// The words themselves.
    pub text: String,
}

/// Words an assertion is anchored to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CoveredSpan {
    /// The first character.
    pub start: u32,
    /// The character after the last.
    pub end: u32,
    /// The claim.
    pub claim: ClaimId,
    /// Its assertion.
    pub assertion: AssertionId,
    /// What the holder does towards the claim.
    pub stance: Stance,
    /// The holder's side.
    pub side: Option<Label>,
}

/// How much of a rendition's words is accounted for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Coverage {
    /// Which report.
    pub report: ReportId,
    /// Which of its renditions.
    pub rendition: RenditionId,
    /// Words there are (Unicode word boundaries, UAX 29).
    pub words_total: u32,
    /// Words that an assertion is anchored to or that are marked as carrying no claim.
    pub words_covered: u32,
    /// Of those, words that are only marked as carrying no claim.
    pub words_no_claim: u32,
    /// Covered words to all words, 0 to 1; 1 where there are none.
    pub share: f64,
    /// What nobody has looked at yet, in reading order.
    pub uncovered: Vec<TextSpan>,
    /// What was marked as carrying no claim.
    pub no_claim: Vec<TextSpan>,
    /// What assertions are anchored to, in reading order.
    pub assertions: Vec<CoveredSpan>,
    /// Whether the text was erased, and nothing can be said.
    pub erased: bool,
}

/// The coverage of one rendition of a report; of the first where none is named.
pub fn coverage(
    db: &Reader,
    sight: &Sight,
    at: At,
    report: ReportId,
    rendition: Option<RenditionId>,
) -> Result<Option<Coverage>> {
    db.snapshot(|| {
        let Some(found) = in_sight(db, sight, ReportDoc::TABLE, report.0, at)? else {
            return Ok(None);
        };
        let doc: ReportDoc = serde_json::from_str(&found.json)?;
        let Some(rendition) = rendition.or(doc.renditions.first().map(|first| first.id)) else {
            return Ok(None);
        };
        let row = row_of(report, rendition);
        let Some(text) = db.document(RenditionDoc::TABLE, row, at)? else { return Ok(None) };
        let text: RenditionDoc = serde_json::from_str(&text.json)?;
        let mut assertions: Vec<CoveredSpan> = live_in(db, at, report)?
            .into_iter()
            .flat_map(|known| {
                let (claim, assertion) = (known.claim, known.id);
                let (stance, side) = (known.stance, known.side);
                let here = known.spans.into_iter().filter(move |span| span.rendition == rendition);
                here.map(move |span| {
                    let (start, end, side) = (span.start, span.end, side.clone());
                    CoveredSpan { start, end, claim, assertion, stance, side }
                })
            })
            .collect();
        assertions.sort_by_key(|span| (span.start, span.end, span.claim, span.assertion));
        let marks = doc.no_claim.iter().filter_map(|mark| mark.anchor.as_ref());
        let mut no_claim: Vec<TextSpan> = marks
            .filter(|anchor| anchor.rendition == rendition)
            .map(|anchor| {
                let (start, end, text) = (anchor.start, anchor.end, anchor.exact.clone());
                TextSpan { start, end, text }
            })
            .collect();
        no_claim.sort_by_key(|span| (span.start, span.end));
        Ok(Some(measure(report, rendition, text.text.as_deref(), assertions, no_claim)))
    })
}

/// A word by its characters and its bytes.
struct Word {
    chars: (u32, u32),
    bytes: (usize, usize),
}

fn words(text: &str) -> Vec<Word> {
    let (mut at, mut chars) = (0, 0);
    let mut found = Vec::new();
    for (start, word) in text.unicode_word_indices() {
        chars = add(chars, count(text.get(at..start).unwrap_or_default()));
        let first = chars;
        chars = add(chars, count(word));
        at = start.saturating_add(word.len());
        found.push(Word { chars: (first, chars), bytes: (start, at) });
    }
    found
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

const fn add(a: u32, b: u32) -> u32 {
    a.saturating_add(b)
}

/// Spans in reading order, with what touches or overlaps joined.
fn union(spans: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut spans: Vec<(u32, u32)> = spans.collect();
    spans.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for (start, end) in spans {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn holds(spans: &[(u32, u32)], word: (u32, u32)) -> bool {
    let after = spans.partition_point(|span| span.0 <= word.0);
    let span = after.checked_sub(1).and_then(|at| spans.get(at));
    span.is_some_and(|span| word.1 <= span.1)
}

fn measure(
    report: ReportId,
    rendition: RenditionId,
    text: Option<&str>,
    assertions: Vec<CoveredSpan>,
    no_claim: Vec<TextSpan>,
) -> Coverage {
    let claimed = union(assertions.iter().map(|span| (span.start, span.end)));
    let marked = no_claim.iter().map(|span| (span.start, span.end));
    let all = union(claimed.iter().copied().chain(marked));
    let erased = text.is_none();
    let text = text.unwrap_or_default();
    let (mut total, mut covered, mut only_marked) = (0_u32, 0_u32, 0_u32);
    let mut gaps: Vec<Word> = Vec::new();
    let mut open = false;
    for word in words(text) {
        total = add(total, 1);
        if holds(&all, word.chars) {
            covered = add(covered, 1);
            only_marked = add(only_marked, u32::from(!holds(&claimed, word.chars)));
            open = false;
        } else {
            match gaps.last_mut() {
                Some(gap) if open => {
                    (gap.chars.1, gap.bytes.1) = (word.chars.1, word.bytes.1);
                }
                _ => gaps.push(word),
            }
            open = true;
        }
    }
    let span = |gap: Word| TextSpan {
        start: gap.chars.0,
        end: gap.chars.1,
        text: text.get(gap.bytes.0..gap.bytes.1).unwrap_or_default().to_owned(),
    };
    Coverage {
        report,
        rendition,
        words_total: total,
        words_covered: covered,
        words_no_claim: only_marked,
        share: if total == 0 { 1.0 } else { f64::from(covered) / f64::from(total) },
        uncovered: gaps.into_iter().map(span).collect(),
        no_claim,
        assertions,
        erased,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "whole words to whole words")]
    use super::*;

    fn spans(text: &str, claimed: &[(u32, u32)]) -> Coverage {
        let assertions = claimed.iter().map(|(start, end)| CoveredSpan {
            start: *start,
            end: *end,
            claim: uuid::Uuid::nil().into(),
            assertion: uuid::Uuid::nil().into(),
            stance: Stance::Asserts,
            side: None,
        });
        let id = uuid::Uuid::nil();
        measure(id.into(), id.into(), Some(text), assertions.collect(), vec![])
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let seen = spans("Yıldırım — said no", &[(0, 8)]);
        assert_eq!((seen.words_total, seen.words_covered), (3, 1));
        let text = "said no".to_owned();
        assert_eq!(seen.uncovered, [TextSpan { start: 11, end: 18, text }]);
    }

    #[test]
    fn gaps_are_joined_until_something_covered_comes() {
        let seen = spans("one two three four", &[(8, 13)]);
        let texts: Vec<&str> = seen.uncovered.iter().map(|gap| gap.text.as_str()).collect();
        assert_eq!(texts, ["one two", "four"]);
        assert_eq!(spans("one two", &[(0, 4), (4, 7)]).share, 1.0);
        assert_eq!(spans("", &[]).share, 1.0);
    }
}
