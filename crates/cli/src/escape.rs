//! Control characters of names, which could move a terminal's cursor or forge lines, shown as text.

use std::borrow::Cow;

/// The text with all of its control characters escaped, as `\x1b` or `\n`.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, char::is_control)
}

/// The same, but that line breaks and tabs stay.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' if is_escaped(c) => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            '\t' if is_escaped(c) => plain.push_str("\\t"),
            c if is_escaped(c) => plain.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::{line, text};

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(line("a\x1b[2J\n\tü\u{9b}\r"), r"a\x1b[2J\n\tü\x9b\r");
        assert_eq!(text("a\n\x07"), "a\n\\x07");
    }
}
