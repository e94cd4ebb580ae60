//! The window as rows of text: a header, the page in the middle, a footer with the keys.

use super::stepper::{Stepper, View};
use super::tell::tell;
use super::text::{Line, Row, Tone, apart, clean, cut, fold_all, joined};

/// Title, place, doer, and a rule.
const HEADER_ROWS: usize = 4;
/// A rule, and the keys.
const FOOTER_ROWS: usize = 2;
/// Smaller windows show only that they are too small.
const COLUMNS_MIN: usize = 40;
const ROWS_MIN: usize = 10;

const KEYS: &str = "→ next  ← back  j k scroll  g go to  / find  s case  w write  ? help  q quit";
const KEYS_SHORT: &str = "→ ← step  j k scroll  ? help  q quit";
const KEYS_BACK: &str = "j k scroll  w write  Esc back to the step  q quit";

const HELP: &str = "\
Every step is what somebody did with one command, in the order of the log.

→  n  space    the next step
←  p           the step before
Home  End      the first step, the last step
g              go to a position of the log, or to an instant
/              find the next step that says certain words
j  k  ↓  ↑     scroll by a row
PgDn  PgUp     scroll by a page
s              the whole case as it stood after this step, and back
w              write the whole page to a new file
Esc            back to the step; while typing: never mind
?              this page, and back
q  Ctrl-C      quit

In the difference, - stands before what was there and + before what is there now.";

/// The rows the middle has.
pub(super) const fn body_rows(stepper: &Stepper) -> usize {
    stepper.rows.saturating_sub(HEADER_ROWS + FOOTER_ROWS)
}

/// How far the middle can be scrolled.
pub(super) fn scroll_max(stepper: &Stepper) -> usize {
    page(stepper).len().saturating_sub(body_rows(stepper))
}

/// The page in the middle, from its first row to its last.
fn page(stepper: &Stepper) -> Vec<Row> {
    let lines = match &stepper.view {
        View::Step => tell(&stepper.frame),
        View::Whole(text) => lines_of(text),
        View::Help => lines_of(HELP),
    };
    fold_all(&lines, stepper.columns)
}

fn lines_of(text: &str) -> Vec<Line> {
    text.lines().map(|line| Line::new(Tone::Plain, "", line)).collect()
}

fn header(stepper: &Stepper) -> [Row; HEADER_ROWS] {
    let (frame, columns) = (&stepper.frame, stepper.columns);
    let place = match stepper.view {
        View::Step | View::Help => frame.place(),
        View::Whole(_) => format!("The whole case after: {}", frame.place()),
    };
    let row = |tone, text| Row { tone, text };
    [
        row(Tone::Strong, apart(&frame.title, &frame.standing(), columns)),
        row(Tone::Plain, cut(&place, columns)),
        row(Tone::Plain, cut(&frame.doer(), columns)),
        row(Tone::Faint, "─".repeat(columns)),
    ]
}

fn footer(stepper: &Stepper, length: usize) -> [Row; FOOTER_ROWS] {
    let columns = stepper.columns;
    let shown = body_rows(stepper);
    let rule = if length > shown {
        let last = stepper.scroll.saturating_add(shown).min(length);
        let first = stepper.scroll.saturating_add(1);
        apart(&"─".repeat(columns), &format!("rows {first}–{last} of {length}"), columns)
            .replace('…', "─")
    } else {
        "─".repeat(columns)
    };
    let last = match (&stepper.prompt, &stepper.said) {
        (Some(prompt), _) => end(&format!("{}{}▏", prompt.question(), prompt.text()), columns),
        (None, Some(said)) => cut(said, columns),
        (None, None) if stepper.view != View::Step => cut(KEYS_BACK, columns),
        (None, None) if KEYS.chars().count() <= columns => KEYS.to_owned(),
        (None, None) => cut(KEYS_SHORT, columns),
    };
    [Row { tone: Tone::Faint, text: rule }, Row { tone: Tone::Bar, text: last }]
}

/// The end of what is typed, where not all of it fits.
fn end(text: &str, columns: usize) -> String {
    let text = clean(text);
    let too_many = text.chars().count().saturating_sub(columns);
    text.chars().skip(too_many).collect()
}

/// The whole window, row by row.
pub(super) fn screen(stepper: &Stepper) -> Vec<Row> {
    if stepper.columns < COLUMNS_MIN || stepper.rows < ROWS_MIN {
        let words = format!("Too small: {COLUMNS_MIN}×{ROWS_MIN} is needed. q quits.");
        return vec![Row { tone: Tone::Plain, text: cut(&words, stepper.columns) }];
    }
    let page = page(stepper);
    let length = page.len();
    let mut rows = Vec::with_capacity(stepper.rows);
    rows.extend(header(stepper));
    rows.extend(page.into_iter().skip(stepper.scroll).take(body_rows(stepper)));
    let empty = Row { tone: Tone::Plain, text: String::new() };
    rows.resize(stepper.rows.saturating_sub(FOOTER_ROWS), empty);
    rows.extend(footer(stepper, length));
    rows
}

/// Header and page without the window's edges, to be kept.
pub(super) fn whole_text(stepper: &Stepper) -> String {
    let rows: Vec<Row> = header(stepper).into_iter().chain(page(stepper)).collect();
    joined(&rows)
}
