//! What somebody asks for, made safe: words, "phrases" and pref*, and nothing else of the index's syntax.

use super::fold::{alone, fold, wordy};

/// The most terms of a question; the rest is left out.
const TERMS_MAX: usize = 32;

/// One term: words that follow each other, the last perhaps only begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) words: Vec<String>,
    pub(super) prefix: bool,
}

/// The terms of a question; all of them must be found.
pub(super) fn terms(question: &str) -> Vec<Term> {
    let mut found = Vec::new();
    for (at, part) in question.split(['"', '“', '”', '«', '»']).enumerate() {
        // Every second part stood in quotation marks.
        if at % 2 == 1 {
            found.extend(term(part, false));
        } else {
            found
                .extend(part.split_whitespace().filter_map(|word| term(word, word.ends_with('*'))));
        }
    }
    found.truncate(TERMS_MAX);
    found
}

fn term(text: &str, prefix: bool) -> Option<Term> {
    let words: Vec<String> = split(text).map(|(_, _, word)| word).collect();
    (!words.is_empty()).then_some(Term { words, prefix })
}

/// The words of a text with the bytes they stand at, folded; a folded word is never empty.
pub(super) fn split(text: &str) -> impl Iterator<Item = (usize, usize, String)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (start, first) = rest.find(|(_, c)| wordy(*c))?;
            let mut end = start.saturating_add(first.len_utf8());
            while !alone(first)
                && let Some((at, c)) = rest.next_if(|(_, c)| wordy(*c) && !alone(*c))
            {
                end = at.saturating_add(c.len_utf8());
            }
            let word = fold(text.get(start..end)?);
            let word = word.trim();
            if word.chars().any(wordy) {
                return Some((start, end, word.to_owned()));
            }
        }
    })
}

/// The question in the syntax of FTS5: every term quoted, all of them needed.
pub(super) fn question(terms: &[Term]) -> String {
    let quoted = |term: &Term| {
        let star = if term.prefix { " *" } else { "" };
        format!("\"{}\"{star}", term.words.join(" ").replace('"', ""))
    };
    terms.iter().map(quoted).collect::<Vec<_>>().join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> String {
        question(&terms(text))
    }

    #[test]
    fn words_are_needed_phrases_kept_and_stars_understood() {
        assert_eq!(asked("West  of"), r#""west" AND "of""#);
        assert_eq!(asked(r#""west side" sal*"#), r#""west side" AND "sal" *"#);
        assert_eq!(asked("漢字"), r#""漢 字""#);
    }

    #[test]
    fn nothing_of_the_syntax_gets_through() {
        assert_eq!(asked("a OR NOT (b)"), r#""a" AND "or" AND "not" AND "b""#);
        assert_eq!(asked("body:x ^y -z +w"), r#""body x" AND "y" AND "z" AND "w""#);
        assert_eq!(asked(r#""unfinished"#), r#""unfinished""#);
        assert_eq!(asked("* \" ' ) ("), "");
    }
}
