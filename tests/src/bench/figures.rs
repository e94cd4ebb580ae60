//! Figures of interleaved rounds: medians with their spread, ratios round by round, and goals.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

/// A count as a figure.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "counts here stay far below 2^53, where every whole number is exact"
)]
pub const fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a figure.
pub fn float_len(count: usize) -> f64 {
    float(u64::try_from(count).unwrap_or(u64::MAX))
}

/// A duration in milliseconds.
pub fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// How many a second.
pub fn per_second(count: u64, span: Duration) -> f64 {
    float(count) / span.as_secs_f64().max(1e-9)
}

/// The value below which so many thousandths of all lie; nothing of nothing.
pub fn quantile(values: &[f64], thousandths: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last * thousandths / 1_000).copied()
}

/// A median with the least and the greatest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Spread {
    /// Of some rounds; nothing of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            median: quantile(values, 500)?,
            low: quantile(values, 0)?,
            high: quantile(values, 1_000)?,
        })
    }
}

/// What a goal asks of its ratio (or of the figure itself, where there is nothing to compare).
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// Not more than this; better, not more than that.
    AtMost(f64, Option<f64>),
    /// Not less than this; better, not less than that.
    AtLeast(f64, Option<f64>),
    /// Shown without a judgement.
    None,
}

/// A line of the table before it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Goal {
    /// Its number in the list of goals.
    pub id: &'static str,
    /// What is measured.
    pub what: &'static str,
    /// What it is compared with.
    pub against: &'static str,
    /// What is asked.
    pub bound: Bound,
    /// The unit of both figures.
    pub unit: &'static str,
}

/// What came of a goal.
#[derive(Clone, Debug)]
pub enum Taken {
    /// Measured; the comparison is missing where the goal is a figure of its own.
    Measured {
        /// The figure.
        measured: Spread,
        /// What it is compared with.
        compared: Option<Spread>,
        /// The one by the other, round by round; the figure itself where nothing is compared.
        ratio: Spread,
    },
    /// Not measured, and why.
    NotTaken(String),
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was to be measured.
    pub goal: Goal,
    /// What came of it.
    pub taken: Taken,
    /// Whether what it is compared with was disturbed, so that no judgement stands.
    pub disturbed: bool,
}

impl Row {
    /// The judgement in words.
    pub fn verdict(&self) -> &'static str {
        let Taken::Measured { ratio, .. } = &self.taken else { return "not taken" };
        if self.disturbed {
            return "F disturbed";
        }
        let (must, aim) = match self.goal.bound {
            Bound::None => return "–",
            Bound::AtMost(must, aim) => {
                (ratio.median <= must, aim.is_some_and(|aim| ratio.median <= aim))
            }
            Bound::AtLeast(must, aim) => {
                (ratio.median >= must, aim.is_some_and(|aim| ratio.median >= aim))
            }
        };
        match (must, aim) {
            (_, true) => "met (aim)",
            (true, false) => "met",
            (false, false) => "NOT MET",
        }
    }
}

/// Everything measured so far, one value a round under each name, and what is to be said about it.
#[derive(Debug, Default)]
pub struct Rounds {
    values: BTreeMap<String, Vec<f64>>,
    failures: BTreeMap<String, String>,
    notes: Vec<String>,
}

impl Rounds {
    /// Adds a round's value.
    pub fn put(&mut self, name: &str, value: f64) {
        self.values.entry(name.to_owned()).or_default().push(value);
    }

    /// Adds a round's value, or why there is none; the first reason is kept.
    pub fn take(&mut self, name: &str, value: Result<f64>) {
        match value {
            Ok(value) => self.put(name, value),
            Err(error) => self.fail(name, &error),
        }
    }

    /// Says why something could not be measured.
    pub fn fail(&mut self, name: &str, error: &anyhow::Error) {
        self.failures.entry(name.to_owned()).or_insert_with(|| format!("{error:#}"));
    }

    /// Says why nothing was measured under a name, if nothing was and nothing failed.
    pub fn explain(&mut self, name: &str, why: &str) {
        if !self.values.contains_key(name) {
            self.failures.entry(name.to_owned()).or_insert_with(|| why.to_owned());
        }
    }

    /// Says something under the table; once is enough.
    pub fn note(&mut self, words: impl Into<String>) {
        let words = words.into();
        if !self.notes.contains(&words) {
            self.notes.push(words);
        }
    }

    /// What is to be said.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The median of what was measured under a name.
    pub fn median(&self, name: &str) -> Option<f64> {
        Some(Spread::of(self.values.get(name)?)?.median)
    }

    /// The values under a name, or why there are none.
    fn values(&self, name: &str) -> Result<&[f64], String> {
        if let Some(why) = self.failures.get(name) {
            return Err(why.clone());
        }
        match self.values.get(name) {
            Some(values) if !values.is_empty() => Ok(values),
            _ => Err("not measured: left out, or what comes before it failed".to_owned()),
        }
    }

    /// The line of a goal; compared with another name's values of the same rounds, or with nothing.
    pub fn row(&self, goal: Goal, measured: &str, compared: Option<&str>) -> Row {
        let taken = match self.taken(measured, compared) {
            Ok(taken) => taken,
            Err(why) => Taken::NotTaken(why),
        };
        Row { goal, taken, disturbed: false }
    }

    fn taken(&self, measured: &str, compared: Option<&str>) -> Result<Taken, String> {
        let values = self.values(measured)?;
        let spread = |values: &[f64]| Spread::of(values).ok_or_else(|| "no rounds".to_owned());
        let Some(compared) = compared else {
            let measured = spread(values)?;
            return Ok(Taken::Measured { measured, compared: None, ratio: measured });
        };
        let others = self.values(compared)?;
        let ratios: Vec<f64> =
            values.iter().zip(others).map(|(one, other)| one / other.max(1e-12)).collect();
        Ok(Taken::Measured {
            measured: spread(values)?,
            compared: Some(spread(others)?),
            ratio: spread(&ratios)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_round_by_round() {
        let mut rounds = Rounds::default();
        for (one, other) in [(2.0, 1.0), (9.0, 3.0), (4.0, 4.0)] {
            rounds.put("one", one);
            rounds.put("other", other);
        }
        let goal = Goal {
            id: "P0",
            what: "",
            against: "",
            bound: Bound::AtMost(2.5, Some(2.0)),
            unit: "",
        };
        let row = rounds.row(goal, "one", Some("other"));
        assert_eq!(row.verdict(), "met (aim)");
        let missing = rounds.row(goal, "one", Some("neither"));
        assert_eq!(missing.verdict(), "not taken");
    }
}
