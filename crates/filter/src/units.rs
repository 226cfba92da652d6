//! Sizes and ages as rclone writes them.

use std::time::{Duration, SystemTime};

/// A size or age that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {expected}")]
pub struct UnitError {
    text: String,
    what: &'static str,
    expected: &'static str,
}

/// Reads a size: a number, which may have a point, with `B`, `K`, `M`, `G`, `T`, `P` or `E` for powers
/// of 1024, also as `Ki` or `KiB`; without a unit KiB. `off` is none.
///
/// ```
/// use storage_filter::parse_size;
///
/// assert_eq!(parse_size("1.5M"), Ok(Some(1_572_864)));
/// assert_eq!(parse_size("100"), Ok(Some(102_400)));
/// assert_eq!(parse_size("100B"), Ok(Some(100)));
/// assert_eq!(parse_size("off"), Ok(None));
/// ```
///
/// # Errors
/// [`UnitError`] for anything else.
pub fn parse_size(text: &str) -> Result<Option<u64>, UnitError> {
    let error = || UnitError {
        text: text.to_owned(),
        what: "size",
        expected: "write a number with B, K, M, G, T or P, as in 100K or 1.5G, or off",
    };
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let (number, unit) = split_unit(text);
    let power = match unit.to_ascii_lowercase().as_str() {
        "b" => 0,
        "" | "k" | "ki" | "kib" => 1,
        "m" | "mi" | "mib" => 2,
        "g" | "gi" | "gib" => 3,
        "t" | "ti" | "tib" => 4,
        "p" | "pi" | "pib" => 5,
        "e" | "ei" | "eib" => 6,
        _ => return Err(error()),
    };
    let bytes = parse_number(number).ok_or_else(error)? * 1024f64.powi(power);
    if bytes > i64::MAX as f64 {
        return Err(error());
    }
    Ok(Some(bytes as u64))
}

/// Reads an age: numbers with `ms`, `s`, `m`, `h`, `d`, `w`, `M` (30 days) or `y` (365 days), as in `2d`
/// or `1h30m`; without a unit seconds. `off` is none. Gives the time that long before `now`.
///
/// Points in time are for the caller to read, as that takes a calendar.
///
/// # Errors
/// [`UnitError`] for anything else.
pub fn parse_age(text: &str, now: SystemTime) -> Result<Option<SystemTime>, UnitError> {
    let error = || UnitError {
        text: text.to_owned(),
        what: "age",
        expected: "write a number with ms, s, m, h, d, w, M or y, as in 2d or 1h30m, or off",
    };
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let age = parse_duration(text).ok_or_else(error)?;
    now.checked_sub(age).map(Some).ok_or_else(error)
}

/// The sum of the parts, each a number with its unit. Only one part may go without a unit, or have one
/// of a day or longer.
fn parse_duration(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let (number, unit) = split_unit(text);
    if let Some(seconds) = long_unit(unit) {
        return Duration::try_from_secs_f64(parse_number(number)? * seconds).ok();
    }
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let (number, after) = split_unit(rest);
        let len = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(len)?;
        sum += parse_number(number)? * short_unit(unit)?;
        rest = next;
    }
    Duration::try_from_secs_f64(sum).ok()
}

fn long_unit(unit: &str) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    Some(match unit {
        "" => 1.0,
        "d" => DAY,
        "w" => 7.0 * DAY,
        "M" => 30.0 * DAY,
        "y" => 365.0 * DAY,
        _ => return None,
    })
}

fn short_unit(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text.split_at(end.unwrap_or(text.len()))
}

fn parse_number(text: &str) -> Option<f64> {
    let good = text.bytes().any(|byte| byte.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages() {
        for (text, bytes) in [
            ("0", 0),
            ("1k", 1024),
            ("1KiB", 1024),
            (".5K", 512),
            ("2T", 2 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(Some(bytes)), "{text}");
        }
        for text in ["", "K", "1X", "-1", "1..2K", "1e9", "99999999P", "NaN"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        for (text, seconds) in [
            ("10", 10.0),
            ("1h30m", 5400.0),
            ("1.5d", 129_600.0),
            ("2w", 1_209_600.0),
            ("1M", 2_592_000.0),
            ("1y", 31_536_000.0),
            ("1500ms", 1.5),
        ] {
            let expected = now - Duration::from_secs_f64(seconds);
            assert_eq!(parse_age(text, now), Ok(Some(expected)), "{text}");
        }
        for text in ["", "d", "1x", "1d2", "-1s", "1.2.3s"] {
            assert!(parse_age(text, now).is_err(), "{text}");
        }
        assert_eq!(parse_age("off", now), Ok(None));
    }
}
