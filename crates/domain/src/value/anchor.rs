//! Anchors: exact words of a rendition, by quote and by position, with their hash (W3C Web Annotation selectors).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::id::RenditionId;

/// How many characters of context a resolved anchor keeps on each side.
const CONTEXT_CHARS: usize = 32;

/// SHA-256 of bytes, in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The words somebody points at, as a client gives them: by quote, by position, or by both.
///
/// `start` and `end` count Unicode scalars, half-open. Where only `exact` is given it must occur
/// once, or `prefix` / `suffix` must single it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The rendition; the report's first where left out.
    #[serde(default)]
    pub rendition: Option<RenditionId>,
    /// The words themselves.
    #[serde(default)]
    pub exact: Option<String>,
    /// The words directly before.
    #[serde(default)]
    pub prefix: Option<String>,
    /// The words directly after.
    #[serde(default)]
    pub suffix: Option<String>,
    /// The first character, counted from 0.
    #[serde(default)]
    pub start: Option<u32>,
    /// The character after the last.
    #[serde(default)]
    pub end: Option<u32>,
    /// SHA-256 of the words (UTF-8, hex), where the client wants it checked.
    #[serde(default)]
    pub span_sha256: Option<String>,
    /// SHA-256 of the whole text the client saw, where it wants that checked.
    #[serde(default)]
    pub text_sha256: Option<String>,
}

/// Words of a rendition, resolved and pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// In which rendition.
    pub rendition: RenditionId,
    /// The first character (Unicode scalar), counted from 0.
    pub start: u32,
    /// The character after the last.
    pub end: u32,
    /// The words themselves.
    pub exact: String,
    /// Up to 32 characters before.
    pub prefix: String,
    /// Up to 32 characters after.
    pub suffix: String,
    /// SHA-256 of the words (UTF-8, hex).
    pub span_sha256: String,
}

/// Why words cannot be anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// Neither words nor a position were given.
    #[error("give `exact`, or `start` and `end`")]
    Empty,
    /// The position lies outside the text, or ends before it begins.
    #[error("the position lies outside the text")]
    Outside,
    /// The words do not stand there, or nowhere.
    #[error("these words do not stand in the text")]
    NotFound,
    /// The words stand in several places.
    #[error("these words stand in several places; give `prefix`, `suffix` or a position")]
    Several,
    /// The hash of the words or of the text is another.
    #[error("the hash does not match: the client saw another text")]
    HashMismatch,
}

impl Quote {
    /// Finds the words in a text and pins them.
    pub fn resolve(
        &self,
        rendition: RenditionId,
        text: &str,
        text_sha256: &str,
    ) -> Result<Anchor, AnchorError> {
        if self.text_sha256.as_deref().is_some_and(|hash| hash != text_sha256) {
            return Err(AnchorError::HashMismatch);
        }
        let (from, to) = match (self.start, self.end) {
            (Some(start), Some(end)) => self.at_position(text, start, end)?,
            (None, None) => self.by_words(text)?,
            _ => return Err(AnchorError::Empty),
        };
        let anchor = pin(rendition, text, from, to).ok_or(AnchorError::Outside)?;
        if self.span_sha256.as_deref().is_some_and(|hash| hash != anchor.span_sha256) {
            return Err(AnchorError::HashMismatch);
        }
        Ok(anchor)
    }

    fn at_position(&self, text: &str, start: u32, end: u32) -> Result<(usize, usize), AnchorError> {
        let from = byte_at(text, start).ok_or(AnchorError::Outside)?;
        let to = byte_at(text, end).ok_or(AnchorError::Outside)?;
        let words =
            text.get(from..to).filter(|words| !words.is_empty()).ok_or(AnchorError::Outside)?;
        let same = self.exact.as_deref().is_none_or(|exact| exact == words);
        if same && self.context_fits(text, from, to) {
            Ok((from, to))
        } else {
            Err(AnchorError::NotFound)
        }
    }

    fn by_words(&self, text: &str) -> Result<(usize, usize), AnchorError> {
        let exact =
            self.exact.as_deref().filter(|exact| !exact.is_empty()).ok_or(AnchorError::Empty)?;
        let mut places = text
            .match_indices(exact)
            .map(|(from, words)| (from, from.saturating_add(words.len())))
            .filter(|(from, to)| self.context_fits(text, *from, *to));
        let first = places.next().ok_or(AnchorError::NotFound)?;
        if places.next().is_some() { Err(AnchorError::Several) } else { Ok(first) }
    }

    fn context_fits(&self, text: &str, from: usize, to: usize) -> bool {
        let before = text.get(..from).unwrap_or_default();
        let after = text.get(to..).unwrap_or_default();
        self.prefix.as_deref().is_none_or(|prefix| before.ends_with(prefix))
            && self.suffix.as_deref().is_none_or(|suffix| after.starts_with(suffix))
    }
}

/// The byte where a character begins; the text's end for the character after the last.
fn byte_at(text: &str, char_index: u32) -> Option<usize> {
    let index = usize::try_from(char_index).ok()?;
    text.char_indices().map(|(byte, _)| byte).chain(std::iter::once(text.len())).nth(index)
}

fn pin(rendition: RenditionId, text: &str, from: usize, to: usize) -> Option<Anchor> {
    let (before, exact, after) = (text.get(..from)?, text.get(from..to)?, text.get(to..)?);
    let start = u32::try_from(before.chars().count()).ok()?;
    let end = start.checked_add(u32::try_from(exact.chars().count()).ok()?)?;
    let tail: Vec<char> = before.chars().rev().take(CONTEXT_CHARS).collect();
    Some(Anchor {
        rendition,
        start,
        end,
        exact: exact.to_owned(),
        prefix: tail.into_iter().rev().collect(),
        suffix: after.chars().take(CONTEXT_CHARS).collect(),
        span_sha256: sha256_hex(exact.as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const TEXT: &str = "Yıldırım spoke. He spoke “again”.";

    fn quote(exact: &str) -> Quote {
        Quote {
            rendition: None,
            exact: Some(exact.to_owned()),
            prefix: None,
            suffix: None,
            start: None,
            end: None,
            span_sha256: None,
            text_sha256: None,
        }
    }

    fn resolve(quote: &Quote) -> Result<(u32, u32), AnchorError> {
        let hash = sha256_hex(TEXT.as_bytes());
        quote.resolve(Uuid::nil().into(), TEXT, &hash).map(|a| (a.start, a.end))
    }

    #[test]
    fn positions_count_characters_not_bytes() {
        assert_eq!(resolve(&quote("He")), Ok((16, 18)));
        assert_eq!(resolve(&quote("again")), Ok((26, 31)));
    }

    #[test]
    fn words_in_several_places_need_context() {
        assert_eq!(resolve(&quote("spoke")), Err(AnchorError::Several));
        let second = Quote { prefix: Some("He ".to_owned()), ..quote("spoke") };
        assert_eq!(resolve(&second), Ok((19, 24)));
    }

    #[test]
    fn another_text_or_other_words_do_not_match() {
        let other = Quote { text_sha256: Some(sha256_hex(b"other")), ..quote("He") };
        assert_eq!(resolve(&other), Err(AnchorError::HashMismatch));
        let span = Quote { span_sha256: Some(sha256_hex(b"She")), ..quote("He") };
        assert_eq!(resolve(&span), Err(AnchorError::HashMismatch));
        let moved = Quote { start: Some(0), end: Some(2), ..quote("He") };
        assert_eq!(resolve(&moved), Err(AnchorError::NotFound));
    }

    #[test]
    fn a_position_outside_the_text_is_refused() {
        let outside = Quote { start: Some(30), end: Some(99), exact: None, ..quote("") };
        assert_eq!(resolve(&outside), Err(AnchorError::Outside));
    }
}
