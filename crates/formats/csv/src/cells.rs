use std::borrow::Cow;

use serde::de::IgnoredAny;

/// How the values of JSON records become cells of text, and back.
///
/// | JSON | `Typed` | `Text` |
/// |---|---|---|
/// | string | as it is; as JSON, in quotes, where it would otherwise come back as something else | as it is |
/// | number, `true`, `false` | as JSON | as JSON; comes back as a string |
/// | `null` | `null` | refused |
/// | array, object | as JSON | refused |
/// | key that is missing | nothing | refused |
///
/// | Cell | `Typed` | `Text` |
/// |---|---|---|
/// | nothing | the key is left out; an empty string in an array | an empty string |
/// | one JSON text without space around it | that value; numbers keep all their digits | a string |
/// | anything else | a string | a string |
///
/// So with `Typed` JSON objects go to CSV and come back with the same values, and with `Text` CSV
/// goes to JSON and comes back with the same cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cells {
    /// Cells are JSON where they can be.
    #[default]
    Typed,
    /// Cells are strings.
    Text,
}

/// What a cell holds.
pub(crate) enum Content<'a> {
    Nothing,
    /// JSON text other than a string.
    Literal(&'a str),
    String(Cow<'a, str>),
}

impl Cells {
    /// Reads a cell.
    pub(crate) fn read(self, text: &str) -> Content<'_> {
        match self {
            Self::Text => Content::String(text.into()),
            Self::Typed => read_typed(text),
        }
    }
}

/// How JSON values become cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Cells(Cells),
    /// As the `csv` crate writes values.
    Plain,
}

impl Style {
    /// Whether a key may be missing.
    pub(crate) fn may_lack(self) -> bool {
        self == Self::Cells(Cells::Typed)
    }

    /// The cell of a JSON value, or why there is none.
    pub(crate) fn write(self, json: &str) -> Result<Cow<'_, str>, &'static str> {
        let typed = self == Self::Cells(Cells::Typed);
        let text = match json.as_bytes().first() {
            Some(b'"') => unquote(json).ok_or("is no JSON string")?,
            Some(b'[' | b'{') if !typed => return Err("is nested, which needs typed cells"),
            Some(b'n') if self == Self::Plain => return Ok("".into()),
            Some(b'n') if !typed => return Err("is null, which needs typed cells"),
            _ => return Ok(json.into()),
        };
        if !typed || is_plain(&text) {
            return Ok(text);
        }
        let quoted = serde_json::to_string(&text).map_err(|_| "is no JSON string")?;
        Ok(quoted.into())
    }
}

fn read_typed(text: &str) -> Content<'_> {
    let (Some(first), Some(last)) = (text.as_bytes().first(), text.as_bytes().last()) else {
        return Content::Nothing;
    };
    let literal = match first {
        b'0'..=b'9' | b'-' => is_number(text.as_bytes()),
        b't' | b'f' | b'n' => matches!(text, "true" | "false" | "null"),
        b'[' | b'{' => matches!(last, b']' | b'}') && is_json(text),
        b'"' => match unquote(text).filter(|_| *last == b'"') {
            Some(string) => return Content::String(string),
            None => false,
        },
        _ => false,
    };
    if literal {
        Content::Literal(text)
    } else {
        Content::String(text.into())
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether this is a number as JSON writes them. Dates and the like begin as numbers do, so that a
/// parser's errors would cost too much here.
fn is_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = split_digits(text);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".").map(split_digits) {
        Some(([], _)) => return false,
        Some((_, rest)) => rest,
        None => rest,
    };
    let [b'e' | b'E', exponent @ ..] = rest else {
        return rest.is_empty();
    };
    let ([b'+' | b'-', digits @ ..] | digits) = exponent;
    matches!(split_digits(digits), ([_, ..], []))
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Whether a string may stand as it is.
fn is_plain(text: &str) -> bool {
    matches!(read_typed(text), Content::String(read) if read == text)
}

fn unquote(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.get(1..json.len().checked_sub(1)?)?;
    let simple = json.ends_with('"')
        && inner
            .bytes()
            .all(|byte| byte >= b' ' && !b"\"\\".contains(&byte));
    if simple {
        return Some(inner.into());
    }
    serde_json::from_str::<String>(json).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every text of up to six of these bytes.
    #[test]
    fn numbers_are_those_of_json() {
        let mut texts = vec![String::new()];
        let mut numbers = 0;
        for _ in 0..6 {
            let longer = texts
                .iter()
                .flat_map(|text| "-+.0 1eE".chars().map(move |c| format!("{text}{c}")));
            texts = longer.collect();
            for text in &texts {
                let expected = is_json(text) && !text.contains(' ');
                assert_eq!(is_number(text.as_bytes()), expected, "{text:?}");
                numbers += usize::from(expected);
            }
        }
        assert!(numbers > 100);
    }
}
