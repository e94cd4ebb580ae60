//! Times as ASN.1 writes them: `UTCTime` and `GeneralizedTime`, in UTC only.

use ::der::Tag;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::TimestampError;
use crate::der::Value;

/// The moment a value names. `UTCTime` has two digits for the year (1950–2049, RFC 5280 §4.1.2.5.1);
/// `GeneralizedTime` may have one to nine digits of a second's fraction (RFC 3161 §2.4.2).
pub(crate) fn moment(value: Value<'_>) -> Result<Timestamp, TimestampError> {
    let text = std::str::from_utf8(value.content).ok();
    let read = match value.tag {
        Tag::UtcTime => text.and_then(short),
        Tag::GeneralizedTime => text.and_then(long),
        _ => None,
    };
    read.ok_or_else(|| value.malformed())
}

fn short(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|digits| all_digits(digits, 12..=12))?;
    let century = if digits.get(..2)?.parse::<u8>().ok()? < 50 { "20" } else { "19" };
    timestamp(&format!("{century}{digits}"), 0)
}

fn long(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let Some((digits, fraction)) = text.split_once('.') else {
        return timestamp(text, 0);
    };
    if !all_digits(fraction, 1..=9) {
        return None;
    }
    timestamp(digits, format!("{fraction:0<9}").parse().ok()?)
}

fn all_digits(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `YYYYMMDDhhmmss` and the nanoseconds after it.
fn timestamp(digits: &str, nanosecond: i32) -> Option<Timestamp> {
    if !all_digits(digits, 14..=14) {
        return None;
    }
    let year = digits.get(..4)?.parse().ok()?;
    let part = |from: usize| digits.get(from..from.checked_add(2)?)?.parse::<i8>().ok();
    let (month, day, hour, minute, second) = (part(4)?, part(6)?, part(8)?, part(10)?, part(12)?);
    let civil = DateTime::new(year, month, day, hour, minute, second, nanosecond).ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::{long, short};

    fn shown(time: Option<jiff::Timestamp>) -> Option<String> {
        time.map(|time| time.to_string())
    }

    #[test]
    fn two_digits_of_a_year_mean_1950_to_2049() {
        assert_eq!(shown(short("491231235959Z")).as_deref(), Some("2049-12-31T23:59:59Z"));
        assert_eq!(shown(short("500101000000Z")).as_deref(), Some("1950-01-01T00:00:00Z"));
    }

    #[test]
    fn a_fraction_of_a_second_is_kept() {
        let read = shown(long("20250324111747.0625Z"));
        assert_eq!(read.as_deref(), Some("2025-03-24T11:17:47.0625Z"));
        assert_eq!(shown(long("20250324111747Z")).as_deref(), Some("2025-03-24T11:17:47Z"));
    }

    #[test]
    fn what_is_no_time_in_utc_is_not_read() {
        let wrong = [
            "20250324111747",
            "20250324111747+0100",
            "20250324111747.Z",
            "20250324111747.1234567891Z",
            "20250229000000Z",
            "20250324116047Z",
            "2025032411+747Z",
            "",
            "Z",
        ];
        for text in wrong {
            assert_eq!(long(text), None, "{text}");
        }
        assert_eq!(short("20250324111747Z"), None);
        assert_eq!(short("2503241117é7Z"), None);
    }
}
