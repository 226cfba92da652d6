//! Times as text: RFC 3339 with nanoseconds, as rclone keeps them in metadata.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Error, Result};

const DAY: i64 = 86_400;

/// Writes a time in UTC, such as `2026-11-21T13:29:46.000000001Z`. `None` outside of the years 0 to
/// 9999.
#[must_use]
pub fn format(time: SystemTime) -> Option<String> {
    let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (i64::try_from(after.as_secs()).ok()?, after.subsec_nanos()),
        Err(before) => {
            let before = before.duration();
            let seconds = i64::try_from(before.as_secs()).ok()?.checked_neg()?;
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds.checked_sub(1)?, 1_000_000_000 - nanos),
            }
        }
    };
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let rest = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    (0..=9999).contains(&year).then(|| {
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    })
}

/// Nanoseconds since 1970, as stores with a column for a number keep a time.
///
/// # Errors
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a time that does not fit: before 1677
/// or after 2262.
#[doc(hidden)]
pub fn nanoseconds(time: SystemTime) -> Result<i64> {
    let count = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).ok(),
        Err(before) => i64::try_from(before.duration().as_nanos()).ok().map(|n| -n),
    };
    count.ok_or_else(|| Error::unsupported("a modified time before 1677 or after 2262"))
}

/// The time so many nanoseconds after 1970, or before it.
#[doc(hidden)]
#[must_use]
pub fn of_nanoseconds(count: i64) -> SystemTime {
    let distance = Duration::from_nanos(count.unsigned_abs());
    if count < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    }
}

/// Reads RFC 3339 with any fraction and offset, or decimal seconds since 1970, which rclone writes
/// on S3. `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    match text.as_bytes() {
        [_, _, _, _, b'-', ..] if text.is_ascii() => parse_rfc3339(text),
        _ => parse_decimal(text),
    }
}

fn parse_rfc3339(text: &str) -> Option<SystemTime> {
    let field = |at: std::ops::Range<usize>| digits(text.get(at)?);
    let (year, month, day) = (field(0..4)?, field(5..7)?, field(8..10)?);
    let (hour, minute, second) = (field(11..13)?, field(14..16)?, field(17..19)?);
    let good = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !good {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let nanos = match rest[..zone].strip_prefix('.') {
        Some(fraction) => fraction_nanos(fraction)?,
        None if zone == 0 => 0,
        None => return None,
    };
    let offset = match rest.as_bytes()[zone] {
        b'Z' | b'z' => 0,
        sign => {
            let (hours, minutes) = rest[zone + 1..].split_once(':')?;
            let seconds = digits(hours)? * 3600 + digits(minutes)? * 60;
            if sign == b'-' { -seconds } else { seconds }
        }
    };
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    at(seconds, nanos)
}

fn parse_decimal(text: &str) -> Option<SystemTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let nanos = fraction_nanos(fraction)?;
    match whole.strip_prefix('-') {
        Some(whole) => at(-digits(whole)?, 0)?.checked_sub(Duration::from_nanos(nanos.into())),
        None => at(digits(whole)?, nanos),
    }
}

fn at(seconds: i64, nanos: u32) -> Option<SystemTime> {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let whole = if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    whole?.checked_add(Duration::from_nanos(nanos.into()))
}

fn digits(text: &str) -> Option<i64> {
    let good = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

/// The first nine digits after the point.
fn fraction_nanos(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine = text.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(nine.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// Days since 1970 of a date of the Gregorian calendar; years start in March so that the leap day
/// comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day counted from 1970; the inverse of [`days`].
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = (shifted + 2) % 12 + 1;
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_instants() {
        let at = |seconds| UNIX_EPOCH + Duration::new(seconds, 1);
        for (time, text) in [
            (UNIX_EPOCH, "1970-01-01T00:00:00.000000000Z"),
            (at(951_782_400), "2000-02-29T00:00:00.000000001Z"),
            (at(1_795_267_786), "2026-11-21T13:29:46.000000001Z"),
            (
                UNIX_EPOCH - Duration::new(0, 1),
                "1969-12-31T23:59:59.999999999Z",
            ),
        ] {
            assert_eq!(format(time).as_deref(), Some(text));
            assert_eq!(parse(text), Some(time));
        }
        assert_eq!(
            parse("2000-02-29T02:30:00.5+02:30"),
            Some(UNIX_EPOCH + Duration::new(951_782_400, 500_000_000))
        );
        assert_eq!(
            parse("951782400.000000001"),
            Some(at(951_782_400)),
            "as rclone writes it on S3"
        );
        for bad in [
            "",
            "x",
            "2000-13-01T00:00:00Z",
            "2000-01-01",
            "1.x",
            "é000-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn counts_before_and_after_1970_survive() {
        for count in [i64::MIN + 1, -1, 0, 1, i64::MAX] {
            assert_eq!(nanoseconds(of_nanoseconds(count)).unwrap(), count);
        }
        let late = UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert!(nanoseconds(late).unwrap_err().is_unsupported());
    }

    #[test]
    fn every_day_of_eight_centuries_comes_back() {
        for day in days(1600, 1, 1)..days(2400, 1, 1) {
            let (y, m, d) = civil(day);
            assert_eq!(days(y, m, d), day);
        }
    }
}
