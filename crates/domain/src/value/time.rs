//! World time as sources give it: EDTF, the words it came from, what it hangs on, and resolved day bounds.

use edtf_core::{Bound, BoundDate, Relation};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::ClaimId;
use crate::text::{Phrase, Reason, ValueError};

/// An expression of ISO 8601-2 Annex A (EDTF levels 0–2) that parses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, example = "[2018-01-07..2018-01-11]"))]
#[serde(try_from = "String", into = "String")]
pub struct Edtf(String);

impl Edtf {
    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parsed(&self) -> Option<edtf_core::Edtf> {
        edtf_core::Edtf::parse(&self.0).ok()
    }

    /// The earliest and the latest day it touches.
    pub fn bounds(&self) -> Bounds {
        let Some(parsed) = self.parsed() else {
            return Bounds { earliest: Edge::Unknown, latest: Edge::Unknown };
        };
        let bounds = parsed.bounds();
        Bounds { earliest: Edge::of(bounds.earliest), latest: Edge::of(bounds.latest) }
    }

    /// The whole span of days it touches, as an interval: a question about a month means all of it.
    fn span(&self) -> Option<edtf_core::Edtf> {
        let Bounds { earliest, latest } = self.bounds();
        let end = |edge: Edge| edge.day().map_or_else(|| "..".to_owned(), |day| day.to_string());
        edtf_core::Edtf::parse(&format!("{}/{}", end(earliest), end(latest))).ok()
    }

    /// The days an interval certainly covers: from the last day it can begin to the first it can end.
    fn core(&self) -> Option<Bounds> {
        let (from, to) = self.0.split_once('/')?;
        let end = |text: &str| match text {
            "" => None,
            ".." => Some(Bounds { earliest: Edge::Open, latest: Edge::Open }),
            text => Some(Self(text.to_owned()).bounds()),
        };
        let (from, to) = (end(from)?, end(to)?);
        Some(Bounds { earliest: from.latest, latest: to.earliest })
    }

    /// Whether it shares a day with the span of another: certainly, possibly, or not.
    pub fn overlaps(&self, window: &Self) -> Match {
        let (Some(a), Some(b)) = (self.parsed(), window.span()) else {
            return Match::Possible;
        };
        if self.bounds().apart(window.bounds()) {
            return Match::No;
        }
        let qualified = a.is_uncertain() || a.is_approximate();
        if !qualified && self.bounds().within(window.bounds()) {
            return Match::Certain; // Wherever in its bounds it lies, it lies in the window.
        }
        if !qualified && self.core().is_some_and(|core| core.meets(window.bounds())) {
            return Match::Certain; // It holds throughout its core, and the window has a day of that.
        }
        let relations = a.relation(&b);
        let apart = [Relation::Before, Relation::After];
        if apart.iter().all(|relation| relations.is_impossible(*relation)) {
            return Match::Certain;
        }
        let shared = [Relation::Overlaps, Relation::Contains, Relation::Within, Relation::Equal];
        if shared.iter().all(|relation| relations.is_impossible(*relation)) {
            return Match::No;
        }
        Match::Possible
    }
}

impl TryFrom<String> for Edtf {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        if text.len() > 200 {
            return Err(ValueError::new("edtf_too_long", "at most 200 bytes"));
        }
        match edtf_core::Edtf::parse(&text) {
            Ok(_) => Ok(Self(text)),
            Err(error) => Err(ValueError::new("edtf_invalid", error.to_string())),
        }
    }
}

impl From<Edtf> for String {
    fn from(edtf: Edtf) -> String {
        edtf.0
    }
}

/// The three answers to "did it hold then?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It cannot have.
    No,
    /// It may have.
    Possible,
    /// It must have.
    Certain,
}

/// One end of resolved bounds: a day, `..` for open, `?` for not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Edge {
    /// A calendar day.
    Day(Date),
    /// Open: it goes on in that direction.
    Open,
    /// Not known, or beyond what can be reckoned.
    Unknown,
}

#[cfg(feature = "schema")]
crate::schema::text!(Edge, |text| text.examples(["2018-01-11"]));

impl Edge {
    fn of(bound: Bound) -> Self {
        match bound {
            Bound::NegativeInfinity | Bound::PositiveInfinity => Self::Open,
            Bound::Unknown => Self::Unknown,
            Bound::Date(BoundDate { year, month, day }) => {
                let date = i16::try_from(year).ok().and_then(|year| {
                    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
                });
                date.map_or(Self::Unknown, Self::Day)
            }
        }
    }

    /// The day, where it is one.
    pub const fn day(self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            Self::Open | Self::Unknown => None,
        }
    }
}

impl TryFrom<String> for Edge {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        match text.as_str() {
            ".." => Ok(Self::Open),
            "?" => Ok(Self::Unknown),
            day => day
                .parse()
                .map(Self::Day)
                .map_err(|_| ValueError::new("time_bound_invalid", "a day, `..` or `?`")),
        }
    }
}

impl From<Edge> for String {
    fn from(edge: Edge) -> String {
        match edge {
            Edge::Open => "..".to_owned(),
            Edge::Unknown => "?".to_owned(),
            Edge::Day(day) => day.to_string(),
        }
    }
}

/// The days an expression resolves to, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The first day it can touch.
    pub earliest: Edge,
    /// The last day it can touch.
    pub latest: Edge,
}

impl Bounds {
    /// Whether these days and others surely share none.
    fn apart(self, other: Self) -> bool {
        let after =
            |from: Edge, to: Edge| from.day().zip(to.day()).is_some_and(|(from, to)| from > to);
        after(self.earliest, other.latest) || after(other.earliest, self.latest)
    }

    /// Whether these days and others share one, as far as both are known.
    fn meets(self, other: Self) -> bool {
        let before = |from: Edge, to: Edge| match (from, to) {
            (Edge::Open, _) | (_, Edge::Open) => true,
            (Edge::Day(from), Edge::Day(to)) => from <= to,
            _ => false,
        };
        before(self.earliest, self.latest)
            && before(self.earliest, other.latest)
            && before(other.earliest, self.latest)
    }

    /// Whether these days all lie within others, as far as both are known.
    fn within(self, other: Self) -> bool {
        let from = match (self.earliest, other.earliest) {
            (_, Edge::Open) => true,
            (Edge::Day(mine), Edge::Day(theirs)) => mine >= theirs,
            _ => false,
        };
        let to = match (self.latest, other.latest) {
            (_, Edge::Open) => true,
            (Edge::Day(mine), Edge::Day(theirs)) => mine <= theirs,
            _ => false,
        };
        from && to
    }
}

/// What a relative expression ("yesterday") was resolved against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "to", rename_all = "snake_case", deny_unknown_fields)]
pub enum TimeAnchor {
    /// The report's publication date, stated or inferred.
    Publication {
        /// Why, where it is not plain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<Reason>,
    },
    /// The time of another claim.
    Claim {
        /// Which claim.
        claim: ClaimId,
        /// Why, where it is not plain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        basis: Option<Reason>,
    },
    /// A date of its own.
    Date {
        /// Which date.
        edtf: Edtf,
        /// Why.
        basis: Reason,
    },
}

/// How one time stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// It came before.
    Before,
    /// It came after.
    After,
    /// It lies within.
    During,
    /// At the same time.
    Simultaneous,
    /// It begins with it.
    Starts,
    /// It ends with it.
    Finishes,
}

/// An order relative to another claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TimeOrder {
    /// How.
    pub rel: Order,
    /// To which claim.
    pub to: ClaimId,
}

/// A part of a day, `HH:MM` to `HH:MM`, in the given zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// From this time on.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "13:00:00"))]
    pub from: jiff::civil::Time,
    /// Until this time.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "15:30:00"))]
    pub to: jiff::civil::Time,
}

/// When something is said to have held.
///
/// `{"edtf":"2018-01-11","verbatim":"Thursday","anchor":{"to":"publication"},"bounds":{"earliest":"2018-01-11","latest":"2018-01-11"}}`.
/// `bounds` are filled in where they are left out, and refused where they are wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FuzzyTime {
    /// The expression, where one can be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edtf: Option<Edtf>,
    /// The words of the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<Phrase>,
    /// What a relative expression was resolved against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<TimeAnchor>,
    /// The IANA zone of the day (`Asia/Damascus`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Phrase>,
    /// The part of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// Its order relative to another claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<TimeOrder>,
    /// UCDP `date_prec`: 1 exact, 2 within 2–6 days, 3 a week, 4 a month, 5 up to a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 5))]
    pub date_precision: Option<u8>,
    /// The days it resolves to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
}

impl FuzzyTime {
    /// A plain expression with its bounds.
    pub fn plain(edtf: Edtf) -> Self {
        let bounds = Some(edtf.bounds());
        Self { edtf: Some(edtf), bounds, ..Self::default() }
    }

    /// The same with its bounds resolved; refuses what cannot be.
    pub fn resolved(mut self) -> Result<Self, ValueError> {
        if self.edtf.is_none() && self.verbatim.is_none() && self.relative.is_none() {
            return Err(ValueError::new("time_empty", "give `edtf`, `verbatim` or `relative`"));
        }
        if self.date_precision.is_some_and(|code| !(1..=5).contains(&code)) {
            return Err(ValueError::new("time_precision_unknown", "`date_precision` is 1 to 5"));
        }
        if let Some(zone) = &self.zone
            && jiff::tz::TimeZone::get(zone.as_str()).is_err()
        {
            return Err(ValueError::new("time_zone_unknown", "`zone` is an IANA name"));
        }
        if self.clock.as_ref().is_some_and(|clock| clock.from > clock.to) {
            return Err(ValueError::new("time_clock_inverted", "`from` is after `to`"));
        }
        let bounds = self.edtf.as_ref().map(Edtf::bounds);
        if self.bounds.is_some() && self.bounds != bounds {
            return Err(ValueError::new(
                "time_bounds_wrong",
                "`bounds` are not those of `edtf`; leave them out",
            ));
        }
        self.bounds = bounds;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edtf(text: &str) -> Edtf {
        Edtf::try_from(text.to_owned()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_the_field_needs_parses_and_resolves() {
        for (text, earliest, latest) in [
            ("2018-01-11", "2018-01-11", "2018-01-11"),
            ("[2018-01-07..2018-01-11]", "2018-01-07", "2018-01-11"),
            ("2018-01~", "2018-01-01", "2018-01-31"),
            ("2017", "2017-01-01", "2017-12-31"),
            ("2015-21/..", "2015-03-01", ".."),
            ("/2018-01-11", "?", "2018-01-11"),
        ] {
            let Bounds { earliest: e, latest: l } = edtf(text).bounds();
            assert_eq!(
                (String::from(e), String::from(l)),
                (earliest.to_owned(), latest.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn yesterday_is_not_edtf() {
        assert_eq!(Edtf::try_from("yesterday".to_owned()).map_err(|e| e.code), Err("edtf_invalid"));
        assert_eq!(
            Edtf::try_from("2018-02-30".to_owned()).map_err(|e| e.code),
            Err("edtf_invalid")
        );
    }

    #[test]
    fn overlap_has_three_values() {
        assert_eq!(edtf("2018-01-11").overlaps(&edtf("2018-01")), Match::Certain);
        assert_eq!(edtf("[2018-01-07..2018-01-11]").overlaps(&edtf("2018-01-11")), Match::Possible);
        assert_eq!(edtf("2017").overlaps(&edtf("2018-01-11")), Match::No);
        // Since some day of spring 2015 and still: so on any day of 2016, but perhaps not on 1 April 2015.
        assert_eq!(edtf("2015-21/..").overlaps(&edtf("2016-06-01")), Match::Certain);
        assert_eq!(edtf("2015-21/..").overlaps(&edtf("2015-04-01")), Match::Possible);
        assert_eq!(edtf("2015-21/..").overlaps(&edtf("2014")), Match::No);
        assert_eq!(edtf("/2018-01-11").overlaps(&edtf("2018-01-12")), Match::No);
    }

    #[test]
    fn wrong_bounds_are_refused_and_missing_ones_filled_in() {
        let time = FuzzyTime::plain(edtf("2018-01-11"));
        assert_eq!(FuzzyTime { bounds: None, ..time.clone() }.resolved(), Ok(time.clone()));
        let wrong = FuzzyTime { bounds: Some(edtf("2017").bounds()), ..time };
        assert_eq!(wrong.resolved().map_err(|e| e.code), Err("time_bounds_wrong"));
    }
}
