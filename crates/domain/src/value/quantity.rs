//! Quantities keep their form and their words: "at least 60" is never 60.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::{Name, Phrase, ValueError};

/// An exact decimal; written as a string, read from a string or a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, example = "16"))]
pub struct Amount(pub Decimal);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "amount_invalid: a decimal as a string, or a whole number")]
enum AmountIn {
    Whole(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match AmountIn::deserialize(deserializer)? {
            AmountIn::Whole(n) => Ok(Self(Decimal::from(n))),
            AmountIn::Text(text) => Decimal::from_str_exact(&text).map(Self).map_err(|_| {
                serde::de::Error::custom(ValueError::new(
                    "amount_invalid",
                    "a decimal of at most 28 digits",
                ))
            }),
        }
    }
}

impl From<i64> for Amount {
    fn from(n: i64) -> Self {
        Self(Decimal::from(n))
    }
}

/// Whether a list names all there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exhaustive {
    /// It names all.
    Yes,
    /// It does not ("such as").
    No,
    /// The source does not say.
    Unknown,
}

/// The form a number was given in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum Form {
    /// "16"
    Exact {
        /// The number.
        n: Amount,
    },
    /// "at least 60" (`inclusive`), "more than 3,000,000" (not).
    AtLeast {
        /// The lower end.
        n: Amount,
        /// Whether the end itself counts.
        inclusive: bool,
    },
    /// "at most 10" (`inclusive`), "fewer than 10" (not).
    AtMost {
        /// The upper end.
        n: Amount,
        /// Whether the end itself counts.
        inclusive: bool,
    },
    /// "between 2 and 3"; `best` where the source gives an estimate beside the ends.
    Range {
        /// The lower end.
        low: Amount,
        /// The upper end.
        high: Amount,
        /// The source's own best estimate. Real data has `low > best`: it is flagged, not mended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        best: Option<Amount>,
    },
    /// "about 2"
    Approx {
        /// The number.
        n: Amount,
    },
    /// "almost all"; bounds in 0–1 where somebody gave them.
    Fraction {
        /// The word.
        word: Phrase,
        /// At least this share.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        low: Option<Amount>,
        /// At most this share.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        high: Option<Amount>,
    },
    /// "some"
    Vague {
        /// The word.
        word: Phrase,
    },
    /// As many as a list names.
    List {
        /// How many it names.
        n: Amount,
        /// Whether that is all.
        exhaustive: Exhaustive,
    },
    /// "tanks"
    UnspecifiedPlural,
}

/// What happened to those counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CasualtyStatus {
    /// Killed.
    Killed,
    /// Wounded.
    Wounded,
    /// Captured.
    Captured,
    /// Missing.
    Missing,
    /// "Casualties": killed or wounded, the source does not say.
    CasualtyUnspecified,
}

/// A quantity as a source gave it.
///
/// `{"population":"prisoners","status":"captured","form":{"is":"at_least","n":"60","inclusive":true}}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// What is counted or measured.
    pub population: Name,
    /// What happened to them, where people are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<CasualtyStatus>,
    /// The form of the number.
    pub form: Form,
    /// The unit, where it is not a count (`km`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Phrase>,
    /// The qualifier as it stood ("only", "some").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<Phrase>,
}

/// What is odd about a quantity and was kept all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum QuantityFlag {
    /// The source's low end is above its own best estimate.
    LowAboveBest,
    /// The source's best estimate is above its own high end.
    BestAboveHigh,
}

impl Quantity {
    /// The least and the most it can be; `None` is open, unknown is both open.
    pub fn bounds(&self) -> (Option<Amount>, Option<Amount>) {
        match &self.form {
            Form::Exact { n } | Form::List { n, exhaustive: Exhaustive::Yes } => {
                (Some(*n), Some(*n))
            }
            Form::AtLeast { n, .. } | Form::List { n, .. } => (Some(*n), None),
            Form::AtMost { n, .. } => (None, Some(*n)),
            Form::Range { low, high, .. } => (Some(*low), Some(*high)),
            Form::Fraction { low, high, .. } => (*low, *high),
            Form::Approx { .. } | Form::Vague { .. } | Form::UnspecifiedPlural => (None, None),
        }
    }

    /// The law of ranges: lower ≤ upper, shares within 0–1, counts not below nothing.
    pub fn check(&self) -> Result<(), ValueError> {
        let (low, high) = self.bounds();
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            return Err(ValueError::new(
                "quantity_range_inverted",
                "the lower end is above the upper end",
            ));
        }
        if matches!(self.form, Form::Fraction { .. })
            && [low, high].into_iter().flatten().any(|n| n.0 < Decimal::ZERO || n.0 > Decimal::ONE)
        {
            return Err(ValueError::new("quantity_share_outside", "a share lies between 0 and 1"));
        }
        if self.status.is_some() && [low, high].into_iter().flatten().any(|n| n.0 < Decimal::ZERO) {
            return Err(ValueError::new("quantity_negative", "people are counted from 0"));
        }
        Ok(())
    }

    /// What is odd about it, for those who read it.
    pub fn flags(&self) -> Vec<QuantityFlag> {
        let Form::Range { low, high, best: Some(best) } = &self.form else {
            return Vec::new();
        };
        let low = (low > best).then_some(QuantityFlag::LowAboveBest);
        let high = (best > high).then_some(QuantityFlag::BestAboveHigh);
        low.into_iter().chain(high).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Quantity, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn at_least_sixty_has_no_upper_end() -> serde_json::Result<()> {
        let q = read(
            r#"{"population":"prisoners","form":{"is":"at_least","n":"60","inclusive":true}}"#,
        )?;
        assert_eq!(q.bounds(), (Some(60.into()), None));
        assert_eq!(
            serde_json::to_string(&q.form)?,
            r#"{"is":"at_least","n":"60","inclusive":true}"#
        );
        Ok(())
    }

    #[test]
    fn an_inverted_range_is_refused_but_low_above_best_is_only_flagged() -> serde_json::Result<()> {
        let inverted = read(r#"{"population":"dead","form":{"is":"range","low":5,"high":3}}"#)?;
        assert_eq!(inverted.check().map_err(|e| e.code), Err("quantity_range_inverted"));
        let odd = read(r#"{"population":"dead","form":{"is":"range","low":5,"high":9,"best":4}}"#)?;
        assert_eq!(odd.check(), Ok(()));
        assert_eq!(odd.flags(), [QuantityFlag::LowAboveBest]);
        Ok(())
    }

    #[test]
    fn a_float_is_no_amount() {
        assert!(read(r#"{"population":"dead","form":{"is":"exact","n":1.5}}"#).is_err());
    }
}
