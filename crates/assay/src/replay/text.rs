//! Lines as a terminal can show them: cleaned of what would command it, measured, folded to a width.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Stands where a character would have commanded the terminal instead of being shown.
const REPLACED: char = '\u{fffd}';
/// How much further in the rows of a folded line go on.
const HANGING: &str = "  ";
/// Below this many columns the lead of a line is left out, or nothing would be left for its words.
const TEXT_COLUMNS_MIN: usize = 8;

/// How a row looks where the terminal can; its words say the same without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// What only some want to know.
    Faint,
    /// What stood there before.
    Old,
    /// What stands there now.
    New,
    /// The bar with the keys.
    Bar,
}

/// A row of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// A line before it is folded; every row of it begins with the same lead, such as `+ `.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    tone: Tone,
    lead: String,
    text: String,
}

impl Line {
    /// A line of words that come from anywhere.
    pub(super) fn new(tone: Tone, lead: impl Into<String>, text: &str) -> Self {
        Self { tone, lead: lead.into(), text: clean(text) }
    }

    /// An empty line.
    pub(super) fn empty() -> Self {
        Self::new(Tone::Plain, "", "")
    }

    /// Its rows at a width.
    pub(super) fn fold(&self, columns: usize) -> Vec<Row> {
        let room = columns.saturating_sub(self.lead.width());
        let lead = if room < TEXT_COLUMNS_MIN { "" } else { self.lead.as_str() };
        let room = columns.saturating_sub(lead.width()).max(1);
        let mut rows = Vec::new();
        for paragraph in self.text.split('\n') {
            let hanging = if rows.is_empty() { "" } else { HANGING };
            rows.extend(folded(paragraph, room, hanging));
        }
        let row = |text: String| {
            let text = format!("{lead}{text}").trim_end().to_owned();
            Row { tone: self.tone, text }
        };
        rows.into_iter().map(row).collect()
    }
}

/// The rows of many lines at a width.
pub(super) fn fold_all(lines: &[Line], columns: usize) -> Vec<Row> {
    lines.iter().flat_map(|line| line.fold(columns)).collect()
}

/// The rows as one text.
pub(super) fn joined(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        text.push_str(row.text.trim_end());
        text.push('\n');
    }
    text
}

/// A paragraph in rows: broken at spaces where there are some, and between characters elsewhere.
fn folded(paragraph: &str, room: usize, first: &str) -> Vec<String> {
    let hanging = if room > TEXT_COLUMNS_MIN { HANGING } else { "" };
    let mut rows = Vec::new();
    let mut row = if hanging.is_empty() { String::new() } else { first.to_owned() };
    let mut indent = row.len();
    for grapheme in paragraph.graphemes(true) {
        if row.width().saturating_add(grapheme.width()) > room && row.len() > indent {
            let space = grapheme == " ";
            let rest = if space { String::new() } else { break_at_space(&mut row, indent) };
            rows.push(std::mem::replace(&mut row, format!("{hanging}{rest}")));
            indent = hanging.len();
            if space {
                continue;
            }
        }
        row.push_str(grapheme);
    }
    rows.push(row);
    rows
}

/// Cuts a row at its last space, and gives back what goes on the next row.
fn break_at_space(row: &mut String, indent: usize) -> String {
    let words = row.get(indent..).unwrap_or_default();
    match words.rfind(' ').filter(|at| *at > 0) {
        Some(at) => {
            let rest = row.split_off(indent.saturating_add(at));
            rest.trim_start().to_owned()
        }
        None => String::new(),
    }
}

/// Words without anything that would command a terminal or turn the order of what is read:
/// control characters and the marks that override the direction of writing.
pub(super) fn clean(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| match c {
        '\n' => c,
        '\t' => ' ',
        _ if c.is_control() || turns(c) => REPLACED,
        _ => c,
    };
    text.replace("\r\n", "\n").chars().map(shown).collect()
}

/// The same on one row of at most so many columns, cut with `…`.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let one_row = clean(text).replace('\n', " ");
    if one_row.width() <= columns {
        return one_row;
    }
    let mut row = String::new();
    for grapheme in one_row.graphemes(true) {
        if row.width().saturating_add(grapheme.width()).saturating_add(1) > columns {
            break;
        }
        row.push_str(grapheme);
    }
    row.push('…');
    row
}

/// One text at the left edge and one at the right; the left one is cut where both do not fit.
pub(super) fn apart(left: &str, right: &str, columns: usize) -> String {
    let right = cut(right, columns);
    let room = columns.saturating_sub(right.width().saturating_add(1));
    let left = cut(left, room);
    let gap = columns.saturating_sub(left.width()).saturating_sub(right.width());
    format!("{left}{}{right}", " ".repeat(gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lead: &str, text: &str, columns: usize) -> Vec<String> {
        let line = Line::new(Tone::Plain, lead, text);
        line.fold(columns).into_iter().map(|row| row.text).collect()
    }

    #[test]
    fn a_long_line_is_broken_at_spaces_and_keeps_its_lead() {
        let folded = rows("+ ", "title: Rebels took sixteen villages", 20);
        assert_eq!(folded, ["+ title: Rebels took", "+   sixteen villages"]);
    }

    #[test]
    fn what_has_no_spaces_is_broken_between_characters() {
        assert_eq!(rows("", "0123456789abcdef", 10), ["0123456789", "  abcdef"]);
        assert_eq!(
            rows("", "反政府勢力が村を占拠した", 12),
            ["反政府勢力が", "  村を占拠し", "  た"]
        );
    }

    #[test]
    fn lines_of_a_text_stay_lines() {
        assert_eq!(rows("  ", "one\r\ntwo\n\nthree", 40), ["  one", "    two", "", "    three"]);
    }

    #[test]
    fn what_would_command_the_terminal_is_not_passed_on() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\td\u{9b}"), "a\u{fffd}[2Jb\u{fffd}c d\u{fffd}");
    }

    #[test]
    fn no_row_is_wider_than_the_window() {
        let text = "Vojska je 12. siječnja — «тактическое отступление» — 反政府勢力 ".repeat(9);
        for columns in 1..60 {
            for row in rows("+     ", &text, columns) {
                let least = columns.max(2); // A wide character takes two columns.
                assert!(row.width() <= least, "{columns}: {row:?}");
            }
        }
    }

    #[test]
    fn a_title_gives_way_to_what_stands_at_the_right() {
        assert_eq!(apart("Counter-attack", "open", 12), "Counte… open");
        assert_eq!(apart("Short", "open", 12), "Short   open");
    }
}
