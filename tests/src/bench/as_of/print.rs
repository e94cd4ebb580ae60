//! The figures as tables: one for each size and number of clients, a line for each question.

use super::super::figures::{Bound, Goal, Rounds, Row, Taken};
use super::super::table::{number, spread};
use super::{CLIENTS, MOMENTS, QUERIES, RATIO_MAX, name, then};

/// What stands over the columns of one past moment.
const HEAD: &str = "ms p50 / p99";

/// Prints every table of a size; answers how many ratios are above the bound.
pub fn print(rounds: &Rounds, entries: u64) -> usize {
    let mut above = 0;
    for clients in CLIENTS {
        let (lines, slow) = lines(rounds, entries, clients);
        above += slow;
        let plural = if clients == 1 { "" } else { "s" };
        println!(
            "\n{entries} entries, {clients} client{plural} ({HEAD}; ratio of p50 to now [least–greatest])"
        );
        println!("{}", aligned(&lines));
    }
    above
}

/// The lines of a table, and how many ratios in them are above the bound.
fn lines(rounds: &Rounds, entries: u64, clients: usize) -> (Vec<Vec<String>>, usize) {
    let mut top = vec!["question".to_owned(), "now".to_owned()];
    top.extend(MOMENTS.iter().flat_map(|part| [then(*part), "ratio".to_owned()]));
    top.push(format!("at most {RATIO_MAX}"));
    let (mut lines, mut above) = (vec![top], 0);
    for query in QUERIES {
        let figure = |moment: &str| name(entries, query, clients, moment);
        let head = figure("head");
        let mut line = vec![query.to_owned(), both(rounds, &head)];
        let (mut slow, mut missing) = (Vec::new(), Vec::new());
        for part in MOMENTS {
            let past = figure(&then(part));
            let row = rounds.row(goal(query), &past, Some(&head));
            line.extend([both(rounds, &past), ratio(&row)]);
            match row.verdict() {
                "met" => (),
                "NOT MET" => slow.push(then(part)),
                _ => missing.push(then(part)),
            }
        }
        above += slow.len();
        let said = |word: &str, at: &[String]| format!("{word} at {}", at.join(", "));
        let mut verdict = Vec::new();
        verdict.extend((!slow.is_empty()).then(|| said("ABOVE", &slow)));
        verdict.extend((!missing.is_empty()).then(|| said("NOT TAKEN", &missing)));
        line.push(if verdict.is_empty() { "met".to_owned() } else { verdict.join("; ") });
        lines.push(line);
    }
    (lines, above)
}

const fn goal(what: &'static str) -> Goal {
    let bound = Bound::AtMost(RATIO_MAX, None);
    Goal { id: "as of", what, against: "now", bound, unit: " ms" }
}

fn both(rounds: &Rounds, figure: &str) -> String {
    let shown = |name: &str| rounds.median(name).map_or_else(|| "–".to_owned(), number);
    format!("{} / {}", shown(figure), shown(&format!("{figure}.p99")))
}

fn ratio(row: &Row) -> String {
    match &row.taken {
        Taken::Measured { ratio, .. } => spread(ratio, "×"),
        Taken::NotTaken(why) => format!("not taken: {why}"),
    }
}

/// Columns as wide as what is in them.
fn aligned(lines: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let mut out = String::new();
    for line in lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            text.push_str(cell);
            let gap = width(column).saturating_sub(cell.chars().count()) + 2;
            text.extend(std::iter::repeat_n(' ', gap));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_takes_longer_as_of_the_past_is_flagged() {
        let mut rounds = Rounds::default();
        for query in QUERIES {
            rounds.put(&name(100, query, 1, "head"), 2.0);
            for part in MOMENTS {
                let slow = query == "overview" && part == 50;
                rounds.put(&name(100, query, 1, &then(part)), if slow { 4.0 } else { 2.5 });
            }
        }
        let (table, above) = lines(&rounds, 100, 1);
        assert_eq!((table.len(), above), (QUERIES.len() + 1, 1));
        let overview = table.iter().find(|line| line[0] == "overview").unwrap();
        assert_eq!(overview[1..4], ["2.00 / –", "2.50 / –", "1.25×"]);
        assert_eq!(overview.last().unwrap(), "ABOVE at 50 %");
        assert_eq!(table[1].last().unwrap(), "met");
        let (unmeasured, above) = lines(&rounds, 100, 16);
        assert_eq!(
            (unmeasured[1].last().unwrap().starts_with("NOT TAKEN at 10 %"), above),
            (true, 0)
        );
        assert!(aligned(&table).lines().next().unwrap().starts_with("question"));
    }
}
