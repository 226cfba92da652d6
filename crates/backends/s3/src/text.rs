//! Texts as headers carry them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::base64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const START: &str = "=?UTF-8?B?";
const END: &str = "?=";

/// Before a value that is ASCII and escaped by percent signs.
const ESCAPED: &str = "UTF-8''";

/// A value that survives a header: as it is where that is certain, else encoded. RFC 2047 is for what
/// is not ASCII only, since stores that know it decode what they get, and give ASCII back as it is,
/// spaces at the ends lost; so that is escaped as RFC 8187 has it.
pub(crate) fn encoded(value: &str) -> String {
    if !value.is_ascii() {
        return format!("{START}{}{END}", base64::encode(value));
    }
    let plain = !value.is_empty()
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.contains("  ")
        && !value.contains("=?")
        && !value.starts_with(ESCAPED);
    if plain {
        return value.to_owned();
    }
    format!("{ESCAPED}{}", utf8_percent_encode(value, NON_ALPHANUMERIC))
}

/// The value that [`encoded`] made the text of; a text that it never makes stays as it is.
pub(crate) fn decoded(text: String) -> String {
    let bytes = match text.strip_prefix(ESCAPED) {
        Some(escaped) => Some(percent_decode_str(escaped).collect()),
        None => text
            .strip_prefix(START)
            .and_then(|rest| rest.strip_suffix(END))
            .and_then(|inner| base64::decode(inner).ok()),
    };
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or(text)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    base64::decode(text).ok()
}

/// Seconds since 1970 with nine digits after the point.
pub(crate) fn seconds(time: SystemTime) -> String {
    let (sign, apart) = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => ("", since),
        Err(before) => ("-", before.duration()),
    };
    format!("{sign}{}.{:09}", apart.as_secs(), apart.subsec_nanos())
}

/// The time that a number of seconds means, with any number of digits after the point.
pub(crate) fn parse_seconds(text: &str) -> Option<SystemTime> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let apart = Duration::new(whole.parse().ok()?, nanos.parse().ok()?);
    if negative {
        UNIX_EPOCH.checked_sub(apart)
    } else {
        UNIX_EPOCH.checked_add(apart)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back() {
        for value in [
            "",
            " a",
            "a  b",
            "naïve",
            "=?UTF-8?B?eA==?=",
            "=?",
            "UTF-8''%20",
            "plain text; a=b",
            "日本",
        ] {
            let encoded = encoded(value);
            assert!(encoded.is_ascii() && !encoded.is_empty(), "{encoded:?}");
            // What stores decode must not be ASCII only, or it comes back without its spaces.
            assert!(!encoded.contains("=?") || !value.is_ascii(), "{encoded:?}");
            assert_eq!(decoded(encoded), value);
        }
        assert_eq!(decoded("=?UTF-8?B?!?=".to_owned()), "=?UTF-8?B?!?=");
    }

    #[test]
    fn times_come_back() {
        for (text, seconds, nanos) in [
            ("1700000000.123456789", 1_700_000_000, 123_456_789),
            ("1700000000.5", 1_700_000_000, 500_000_000),
            ("7", 7, 0),
        ] {
            let time = UNIX_EPOCH + Duration::new(seconds, nanos);
            assert_eq!(parse_seconds(text), Some(time));
            assert_eq!(parse_seconds(&super::seconds(time)), Some(time));
        }
        let before = UNIX_EPOCH - Duration::new(5, 250_000_000);
        assert_eq!(parse_seconds(&seconds(before)), Some(before));
        for wrong in ["", "x", "1.x", "1.-5", "--1"] {
            assert_eq!(parse_seconds(wrong), None, "{wrong}");
        }
    }
}
