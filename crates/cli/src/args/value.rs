//! Values with units.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use omnistorage::HashType;

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits]
        .parse()
        .map_err(|_| "a number with a unit is needed")?;
    let unit = match &text[digits..] {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err("the unit must be one of ns, us, ms, s, m, h, d".to_owned()),
    };
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}

/// A hash by name, in any case and with or without a hyphen: `SHA-256`.
pub(super) fn hash_type(text: &str) -> Result<HashType, String> {
    let name = text.to_ascii_lowercase().replace('-', "");
    name.parse()
        .map_err(|_| "known are md5, sha1, sha256, crc32c and blake3".to_owned())
}

/// An RFC 3339 time, or a date or date and time in UTC.
pub(super) fn time(text: &str) -> Result<SystemTime, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.into());
    }
    let date: DateTime = text
        .parse()
        .map_err(|_| "it must be a time such as 2026-11-21T13:05:00Z or 2026-11-21".to_owned())?;
    let time = date.to_zoned(TimeZone::UTC);
    time.map(|time| time.timestamp().into())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_known_by_other_spellings() {
        assert_eq!(hash_type("MD5"), Ok(HashType::Md5));
        assert_eq!(hash_type("SHA-256"), Ok(HashType::Sha256));
        assert!(hash_type("md4").unwrap_err().contains("blake3"));
    }

    #[test]
    fn times_with_a_zone_are_exact() {
        let want = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(time("1970-01-01T00:00:01.5Z"), Ok(want));
        assert_eq!(time("1970-01-01T01:00:01.5+01:00"), Ok(want));
        let noon = time("2026-11-21T12:00:00Z");
        assert_eq!(time("2026-11-21 12:00"), noon);
        assert_eq!(
            time("2026-11-21"),
            noon.map(|noon| noon - Duration::from_secs(43_200))
        );
        assert!(time("yesterday").is_err());
    }
}
