//! Parts that many documents share: instants as they are written, who did something when, and why.

use assay_domain::id::UserId;
use assay_domain::personal::Personal;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Serialize};

static PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// A moment, written as RFC 3339 in UTC with microseconds: `2018-01-12T09:30:00.000000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String, format = DateTime, example = "2018-01-12T09:30:00.000000Z"))]
pub struct Instant(pub Timestamp);

impl Instant {
    /// From microseconds since 1970, as envelopes carry them.
    pub fn of_micros(micros: i64) -> Option<Self> {
        Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&PRINTER.timestamp_to_string(&self.0))
    }
}

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&PRINTER.timestamp_to_string(&self.0))
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Who did something, and when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Deed {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Instant,
}

/// What somebody gave as a reason, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Remark {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Instant,
    /// Their words; null where none were given or they were erased.
    pub reason: Option<String>,
    /// Whether the words were erased.
    pub erased: bool,
}

impl Remark {
    /// A deed with its reason.
    pub(crate) fn new<T: Clone + Into<String>>(deed: Deed, reason: Option<&Personal<T>>) -> Self {
        let erased = reason.is_some_and(gone);
        let reason = reason.and_then(Personal::known).cloned().map(Into::into);
        Self { by: deed.by, at: deed.at, reason, erased }
    }
}

/// Whether a personal value can no longer be read.
pub(crate) fn gone<T>(personal: &Personal<T>) -> bool {
    personal.known().is_none()
}

/// The words of a personal text, where they are known.
pub(crate) fn words<T: Clone + Into<String>>(personal: &Personal<T>) -> Option<String> {
    personal.known().cloned().map(Into::into)
}
