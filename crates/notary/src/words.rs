//! Numbers and times as words for operators.

use std::time::Duration;

use jiff::Timestamp;

/// A moment in microseconds since 1970 as people write it.
pub(crate) fn moment(micros: i64) -> String {
    let moment = Timestamp::from_microsecond(micros);
    moment.map_or_else(|_| format!("{micros} µs since 1970"), |moment| moment.to_string())
}

/// A duration in microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A duration in seconds, for a gauge.
pub(crate) fn seconds(micros: i64) -> f64 {
    let micros = u64::try_from(micros).unwrap_or(0);
    Duration::from_micros(micros).as_secs_f64()
}

/// A count for a gauge, exact far beyond any log.
pub(crate) fn gauge(count: u64) -> f64 {
    let (high, low) = (u32::try_from(count >> 32), u32::try_from(count & 0xffff_ffff));
    f64::from(high.unwrap_or(u32::MAX)) * 4_294_967_296.0 + f64::from(low.unwrap_or(u32::MAX))
}
