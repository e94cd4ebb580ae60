//! One row as it stands in the file, and the same with its dates, sides and places checked.

use assay_domain::text::{Name, ValueError};
use assay_domain::value::PrecisionCode;
use jiff::civil::Date;
use serde::Deserialize;

use crate::error::LineError;

/// A row. The names of the sample in `samples/` are the first; those of the data set's own export
/// are read too.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The event's id in the data set.
    pub id: u64,
    /// What the row was coded from, as the data set names it.
    #[serde(default)]
    pub source_article: Option<String>,
    /// The day of what it was coded from; a time of day after it is left out.
    #[serde(default)]
    pub source_date: Option<String>,
    /// Deaths on side A.
    #[serde(default, alias = "deaths_a")]
    pub deaths_side_a: Option<u32>,
    /// Deaths on side B.
    #[serde(default, alias = "deaths_b")]
    pub deaths_side_b: Option<u32>,
    /// Deaths of civilians.
    #[serde(default, alias = "deaths_civilians")]
    pub deaths_civilian: Option<u32>,
    /// Deaths of people whose side is not known.
    #[serde(default)]
    pub deaths_unknown: Option<u32>,
    /// The low estimate of all deaths.
    #[serde(alias = "low")]
    pub deaths_low: u32,
    /// The high estimate of all deaths.
    #[serde(alias = "high")]
    pub deaths_high: u32,
    /// The best estimate of all deaths; the sum of the four counts where it is left out.
    #[serde(default, alias = "deaths_best")]
    pub best: Option<u32>,
    /// Side A.
    #[serde(alias = "side_a")]
    pub side_a_name: String,
    /// Side B.
    #[serde(alias = "side_b")]
    pub side_b_name: String,
    /// The country.
    #[serde(default, alias = "country")]
    pub location_root_name: String,
    /// The first administrative level.
    #[serde(default, alias = "adm_1")]
    pub location_adm1_name: String,
    /// The second administrative level.
    #[serde(default, alias = "adm_2")]
    pub location_adm2_name: String,
    /// The place itself.
    #[serde(default, alias = "where_coordinates")]
    pub location_where_name: String,
    /// Latitude in degrees.
    #[serde(default)]
    pub latitude: Option<f64>,
    /// Longitude in degrees.
    #[serde(default)]
    pub longitude: Option<f64>,
    /// How precise the place is, 1 to 7.
    #[serde(default)]
    pub where_prec: Option<u8>,
    /// The first day.
    #[serde(alias = "date_start")]
    pub start_date: String,
    /// The last day.
    #[serde(alias = "date_end")]
    pub end_date: String,
    /// How precise the time is, 1 to 5.
    #[serde(default)]
    pub date_prec: Option<u8>,
}

/// A row whose values are what they should be.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) row: Row,
    pub(crate) start: Date,
    pub(crate) end: Date,
    pub(crate) source_day: Option<Date>,
    pub(crate) side_a: Name,
    pub(crate) side_b: Name,
    /// The named levels, the finest first, each once.
    pub(crate) levels: Vec<(PrecisionCode, Name)>,
    pub(crate) best: Option<Best>,
}

/// The best estimate, and whether the row gives it or only its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Best {
    pub(crate) n: i64,
    pub(crate) given: bool,
}

impl Row {
    pub(crate) fn checked(self, line: u64) -> Result<Seen, LineError> {
        let (start, end) =
            (day(&self.start_date, line, "/start_date")?, day(&self.end_date, line, "/end_date")?);
        if start > end {
            let error = LineError::new(line, "date_inverted", "the last day is before the first");
            return Err(error.at("/end_date"));
        }
        if self.deaths_low > self.deaths_high {
            let detail = "the low estimate is above the high one";
            return Err(LineError::new(line, "quantity_range_inverted", detail).at("/deaths_low"));
        }
        within(self.where_prec, 7, line, "where_prec")?;
        within(self.date_prec, 5, line, "date_prec")?;
        let source_day = self.source_date.as_deref().filter(|text| !text.trim().is_empty());
        Ok(Seen {
            start,
            end,
            source_day: source_day.map(|text| day(text, line, "/source_date")).transpose()?,
            side_a: name(&self.side_a_name, line, "side_a_name")?,
            side_b: name(&self.side_b_name, line, "side_b_name")?,
            levels: self.levels(line)?,
            best: self.best(),
            row: self,
        })
    }

    fn levels(&self, line: u64) -> Result<Vec<(PrecisionCode, Name)>, LineError> {
        let named = [
            (PrecisionCode::Locality, &self.location_where_name, "location_where_name"),
            (PrecisionCode::Adm2, &self.location_adm2_name, "location_adm2_name"),
            (PrecisionCode::Adm1, &self.location_adm1_name, "location_adm1_name"),
            (PrecisionCode::Country, &self.location_root_name, "location_root_name"),
        ];
        let mut levels: Vec<(PrecisionCode, Name)> = Vec::with_capacity(named.len());
        for (code, text, field) in named {
            if text.trim().is_empty() {
                continue;
            }
            let name = name(text, line, field)?;
            // A district that stands in the place's own column as well is a district.
            levels.retain(|(_, finer)| *finer != name);
            levels.push((code, name));
        }
        Ok(levels)
    }

    fn best(&self) -> Option<Best> {
        if let Some(best) = self.best {
            return Some(Best { n: i64::from(best), given: true });
        }
        let parts =
            [self.deaths_side_a, self.deaths_side_b, self.deaths_civilian, self.deaths_unknown];
        let whole: Option<Vec<u32>> = parts.into_iter().collect();
        whole.map(|parts| Best { n: parts.into_iter().map(i64::from).sum(), given: false })
    }
}

fn name(text: &str, line: u64, field: &str) -> Result<Name, LineError> {
    let wrong = |error: ValueError| LineError::value(line, &format!("/{field}"), &error);
    Name::try_from(text.trim()).map_err(wrong)
}

/// A day, perhaps with a time of day after it, which the data set writes and does not mean.
fn day(text: &str, line: u64, pointer: &str) -> Result<Date, LineError> {
    let first = text.split([' ', 'T']).next().unwrap_or_default();
    first
        .parse()
        .map_err(|_| LineError::new(line, "date_invalid", "a day as YYYY-MM-DD").at(pointer))
}

fn within(code: Option<u8>, most: u8, line: u64, field: &str) -> Result<(), LineError> {
    if code.is_none_or(|code| (1..=most).contains(&code)) {
        return Ok(());
    }
    let error = LineError::new(line, "precision_unknown", format!("`{field}` is 1 to {most}"));
    Err(error.at(format!("/{field}")))
}
