//! One readable table for people; the widths follow what is in it.

use super::figures::{Bound, Row, Spread, Taken};

const HEADS: [&str; 8] =
    ["goal", "what", "measured", "compared with", "its figure", "ratio", "must / aim", "verdict"];
/// A reason longer than this goes on under the table.
const REASON_CHARS_MAX: usize = 60;

/// A figure with about three digits that say something.
pub fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 10_000.0 => {
            let digits = format!("{value:.0}");
            let mut out = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at).is_multiple_of(3) {
                    out.push(',');
                }
                out.push(digit);
            }
            out
        }
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A median with its spread.
pub fn spread(spread: &Spread, unit: &str) -> String {
    let (low, high) = (number(spread.low), number(spread.high));
    if low == high {
        return format!("{}{unit}", number(spread.median));
    }
    format!("{}{unit} [{low}–{high}]", number(spread.median))
}

fn bound(bound: Bound) -> String {
    let with = |sign: &str, must: f64, aim: Option<f64>| match aim {
        None => format!("{sign} {must}"),
        Some(aim) => format!("{sign} {must} / {aim}"),
    };
    match bound {
        Bound::None => "–".to_owned(),
        Bound::AtMost(must, aim) => with("≤", must, aim),
        Bound::AtLeast(must, aim) => with("≥", must, aim),
    }
}

fn cells(row: &Row, reasons: &mut Vec<String>) -> [String; 8] {
    let goal = row.goal;
    let dash = || "–".to_owned();
    let (measured, compared, ratio) = match &row.taken {
        Taken::NotTaken(why) => {
            let fits = why.chars().count() <= REASON_CHARS_MAX && !why.contains('\n');
            if !fits {
                reasons.push(format!("{} {}: {why}", goal.id, goal.what));
            }
            (if fits { why.clone() } else { "see below".to_owned() }, dash(), dash())
        }
        Taken::Measured { measured, compared: None, .. } => {
            (spread(measured, goal.unit), dash(), dash())
        }
        Taken::Measured { measured, compared: Some(compared), ratio } => {
            (spread(measured, goal.unit), spread(compared, goal.unit), spread(ratio, ""))
        }
    };
    [
        goal.id.to_owned(),
        goal.what.to_owned(),
        measured,
        goal.against.to_owned(),
        compared,
        ratio,
        bound(goal.bound),
        row.verdict().to_owned(),
    ]
}

/// The table, and under it why figures are missing.
pub fn render(rows: &[Row]) -> String {
    let mut reasons = Vec::new();
    let mut lines: Vec<[String; 8]> = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| cells(row, &mut reasons)));
    let mut widths = [0_usize; 8];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(line) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        out.push_str(text.trim_end());
        out.push('\n');
        if at == 0 {
            let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>();
            out.push_str(&rule.join("  "));
            out.push('\n');
        }
    }
    for reason in reasons {
        out.push_str("not taken: ");
        out.push_str(&reason);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_keep_three_digits() {
        let shown = [0.0123, 1.234, 12.34, 123.4, 12_345.6, 1_234_567.0].map(number);
        assert_eq!(shown, ["0.012", "1.23", "12.3", "123", "12,346", "1,234,567"]);
    }
}
