//! A row in plain sentences, one for each group of its fields, and where each sentence stands.

use assay_domain::value::Quote;

use super::row::Seen;

/// A row's text and the sentences a claim is anchored to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) quotes: Vec<Quote>,
}

impl Said {
    /// One more sentence on a line of its own.
    fn say(&mut self, sentence: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(sentence);
    }

    /// One more sentence that a claim rests on.
    fn hold(&mut self, sentence: &str) {
        self.say(sentence);
        let end = self.text.chars().count();
        let start = end.saturating_sub(sentence.chars().count());
        self.quotes.push(Quote {
            rendition: None,
            exact: Some(sentence.to_owned()),
            prefix: None,
            suffix: None,
            start: u32::try_from(start).ok(),
            end: u32::try_from(end).ok(),
            span_sha256: None,
            text_sha256: None,
        });
    }
}

/// The text of a row. Its words must stay as they are: another text under the same key is a change.
pub(crate) fn of(seen: &Seen) -> Said {
    let mut said = Said::default();
    let id = seen.row.id;
    said.say(&format!("{}, Georeferenced Event Dataset, event {id}.", super::HOLDER));
    said.hold(&format!("Side A is {}; side B is {}.", seen.side_a, seen.side_b));
    said.hold(&when(seen));
    said.hold(&place(seen));
    said.hold(&deaths(seen));
    if let Some(sentence) = coded_from(seen) {
        said.say(&sentence);
    }
    said
}

fn when(seen: &Seen) -> String {
    let precision = seen.row.date_prec.map(|code| format!(" (date_prec {code})"));
    let precision = precision.unwrap_or_default();
    if seen.start == seen.end {
        format!("The event is dated {}{precision}.", seen.start)
    } else {
        format!("The event is dated from {} to {}{precision}.", seen.start, seen.end)
    }
}

fn place(seen: &Seen) -> String {
    let names: Vec<&str> = seen.levels.iter().map(|(_, name)| name.as_str()).collect();
    let names = if names.is_empty() { "not named".to_owned() } else { names.join(", ") };
    let point = match (seen.row.latitude, seen.row.longitude) {
        (Some(latitude), Some(longitude)) => {
            format!(", latitude {latitude}, longitude {longitude}")
        }
        _ => String::new(),
    };
    let precision = seen.row.where_prec.map(|code| format!(" (where_prec {code})"));
    format!("The place is {names}{point}{}.", precision.unwrap_or_default())
}

fn deaths(seen: &Seen) -> String {
    let row = &seen.row;
    let parts = [
        (row.deaths_side_a, "on side A"),
        (row.deaths_side_b, "on side B"),
        (row.deaths_civilian, "of civilians"),
        (row.deaths_unknown, "of people of unknown side"),
    ];
    let counted: Vec<String> =
        parts.iter().filter_map(|(n, whose)| n.map(|n| format!("{n} {whose}"))).collect();
    let counted =
        if counted.is_empty() { String::new() } else { format!("{}; ", counted.join(", ")) };
    let best = seen.best.map(|best| {
        let how = if best.given { "best estimate" } else { "sum of these" };
        format!("{how} {}, ", best.n)
    });
    let best = best.unwrap_or_default();
    let (low, high) = (row.deaths_low, row.deaths_high);
    format!("Deaths: {counted}{best}low estimate {low}, high estimate {high}.")
}

fn coded_from(seen: &Seen) -> Option<String> {
    let article = seen.row.source_article.as_deref().filter(|text| !text.trim().is_empty());
    match (article, seen.source_day) {
        (None, None) => None,
        (None, Some(day)) => Some(format!("It was coded from a source dated {day}.")),
        (Some(article), None) => Some(format!("It was coded from: {article}.")),
        (Some(article), Some(day)) => {
            Some(format!("It was coded from a source dated {day}: {article}."))
        }
    }
}
