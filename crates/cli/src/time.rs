//! Times as text.

use std::time::SystemTime;

use jiff::Timestamp;

/// RFC 3339 in UTC: `2026-11-21T13:05:00.123456789Z`; empty for a time outside the years 1 to 9999.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .map(|time| time.to_string())
        .unwrap_or_default()
}

/// Reads a time as `rfc3339` writes it, or a date with or without a time of day, at this place's time.
pub(crate) fn parse_time(text: &str) -> Option<SystemTime> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = local.to_zoned(jiff::tz::TimeZone::system()).ok()?;
    Some(zoned.timestamp().into())
}

/// Seconds that this place's time is ahead of UTC now.
pub(crate) fn utc_offset() -> i32 {
    jiff::Zoned::now().offset().seconds()
}
