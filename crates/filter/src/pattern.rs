use std::fmt;

use regex::Regex;

use crate::FilterError;
use crate::error::Flaw;
use crate::glob::{self, Kind};
use crate::re2;
use crate::rules::Place;

/// One pattern of the filter language, for paths with `/` between segments.
///
/// | Pattern | Matches |
/// |---|---|
/// | `*` | any characters but `/` |
/// | `**` | any characters |
/// | `?` | one character but `/` |
/// | `[a-z]`, `[^a-z]` | one character of the class, or not of it; also `[[:alpha:]]`, `\d`, `\w`, `\s` |
/// | `{a,b*}` | one of the alternatives, which may nest |
/// | `{{a\|b+}}` | a regular expression in the syntax of RE2 |
/// | `\*` | the character after the `\` |
///
/// With a `/` at the start it has to match the whole path, without one the path or what follows any
/// `/` in it.
///
/// ```
/// use storage_filter::Pattern;
///
/// let anchored = Pattern::new("/logs/**.gz", false)?;
/// assert!(anchored.matches("logs/2026/a.gz"));
/// assert!(!anchored.matches("old/logs/a.gz"));
/// let floating = Pattern::new("*.{jpg,png}", true)?;
/// assert!(floating.matches("photos/A.JPG"));
/// # Ok::<(), storage_filter::FilterError>(())
/// ```
#[derive(Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern. Time to match grows with the length of the path and not otherwise.
    ///
    /// # Errors
    /// [`FilterError::Rule`] with the column of what cannot be understood.
    pub fn new(pattern: &str, ignore_case: bool) -> Result<Self, FilterError> {
        let place = Place::alone("pattern", pattern);
        Self::compile(pattern, ignore_case).map_err(|flaw| place.error(flaw))
    }

    pub(crate) fn compile(pattern: &str, ignore_case: bool) -> Result<Self, Flaw> {
        let anchor = match (pattern.starts_with('/'), ignore_case) {
            (true, false) => "^",
            (true, true) => "(?i)^",
            (false, false) => "(?:^|/)",
            (false, true) => "(?i)(?:^|/)",
        };
        let mut expression = String::from(anchor);
        for part in glob::parse(pattern)? {
            let text = part_expression(&part.kind).map_err(|flaw| {
                let inside = if matches!(part.kind, Kind::Regex(_)) {
                    2
                } else {
                    0
                };
                Flaw::new(part.at + inside + flaw.at, flaw.reason)
            })?;
            expression.push_str(&text);
        }
        expression.push('$');
        let regex = Regex::new(&expression).map_err(|error| Flaw::new(0, reason(&error)))?;
        let text = pattern.to_owned();
        Ok(Self { text, regex })
    }

    /// Whether the path matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// The pattern as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What a part of a glob is as a regular expression.
fn part_expression(kind: &Kind) -> Result<String, Flaw> {
    Ok(match kind {
        Kind::Literal(c) => regex::escape(c.encode_utf8(&mut [0; 4])),
        Kind::Escape(c) => {
            let translated = re2::translate(&format!("\\{c}"))?;
            checked(translated)?
        }
        Kind::One => "[^/]".to_owned(),
        Kind::Segment => "[^/]*".to_owned(),
        Kind::Anything => "(?s:.*)".to_owned(),
        Kind::Class(text) => checked(re2::translate(text)?)?,
        Kind::Open => "(?:".to_owned(),
        Kind::Or => "|".to_owned(),
        Kind::Close => ")".to_owned(),
        Kind::Regex(text) => checked(format!("(?:{})", re2::translate(text)?))?,
    })
}

/// Compiles a part by itself, so that what is wrong with it is found where it stands.
fn checked(expression: String) -> Result<String, Flaw> {
    match Regex::new(&expression) {
        Ok(_) => Ok(expression),
        Err(error) => Err(Flaw::new(0, reason(&error))),
    }
}

/// The last line of a message of `regex`, which draws the expression above it.
fn reason(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.regex.as_str() == other.regex.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
