use std::fmt;

use crate::{Error, Result};

/// A pattern for one path segment: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of or none
/// of a class, `\` takes the next character literally. No pattern crosses a `/`.
///
/// ```
/// use storage_core::Glob;
///
/// let glob = Glob::new("report-[0-9]*.csv")?;
/// assert!(glob.matches("report-7-final.csv"));
/// assert!(!glob.matches("report-x.csv"));
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Literal(char),
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`Config`](crate::ErrorKind::Config) for an unclosed class, a class that runs backwards, a `\`
    /// at the end or a `/`.
    pub fn new(pattern: impl Into<String>) -> Result<Self> {
        let pattern = pattern.into();
        let bad = |what: &str| Err(Error::config(format!("glob {pattern:?}: {what}")));
        let mut tokens = Vec::new();
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Any,
                '?' => Token::One,
                '/' => return bad("a pattern is for one segment and holds no `/`"),
                '\\' => match chars.next() {
                    Some(literal) => Token::Literal(literal),
                    None => return bad("nothing follows the final `\\`"),
                },
                '[' => match parse_class(&mut chars) {
                    Ok(class) => class,
                    Err(what) => return bad(what),
                },
                literal => Token::Literal(literal),
            });
        }
        tokens.dedup_by(|a, b| *a == Token::Any && *b == Token::Any);
        Ok(Self { pattern, tokens })
    }

    /// The pattern as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// Whether the whole `name` matches. Time is at most the product of both lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (mut rest, mut at) = (name, 0);
        // Where to go on when the text after the latest `*` did not match: one character further.
        let mut retry: Option<(&str, usize)> = None;
        loop {
            let next = rest.chars().next();
            match (self.tokens.get(at), next) {
                (None, None) => return true,
                (Some(Token::Any), _) => {
                    at += 1;
                    retry = Some((rest, at));
                    continue;
                }
                (Some(token), Some(c)) if token.accepts(c) => {
                    at += 1;
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
                _ => {}
            }
            let Some((from, after_star)) = retry else {
                return false;
            };
            let Some(skipped) = from.chars().next() else {
                return false;
            };
            rest = &from[skipped.len_utf8()..];
            at = after_star;
            retry = Some((rest, after_star));
        }
    }
}

fn parse_class(chars: &mut std::str::Chars<'_>) -> std::result::Result<Token, &'static str> {
    let mut ranges = Vec::new();
    let mut next = chars.next();
    let negated = matches!(next, Some('!' | '^'));
    if negated {
        next = chars.next();
    }
    loop {
        let low = match next {
            Some(']') if !ranges.is_empty() => return Ok(Token::Class { negated, ranges }),
            Some('\\') => chars.next(),
            other => other,
        };
        let Some(low) = low else {
            return Err("a `[` is not closed");
        };
        let mut ahead = chars.clone();
        let high = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(high)) if high != ']' => {
                *chars = ahead;
                high
            }
            _ => low,
        };
        if high < low {
            return Err("a class runs backwards");
        }
        ranges.push((low, high));
        next = chars.next();
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Literal(literal) => *literal == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.pattern, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_documented() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("?", "é", true),
            ("[!a-c]x", "dx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a-]", "-", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("**x", "yx", true),
        ] {
            assert_eq!(
                Glob::new(pattern).unwrap().matches(name),
                expected,
                "{pattern} {name}"
            );
        }
        for pattern in ["[a", "[z-a]", "a\\", "a/b", "[", "[!"] {
            assert!(Glob::new(pattern).is_err(), "{pattern}");
        }
    }
}
