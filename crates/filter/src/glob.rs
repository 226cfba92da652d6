//! From rclone's globs to regular expressions in the syntax of RE2, which Go and rclone use.

use crate::error::Flaw;

/// A part of the expression: what it is, and the character of the pattern that it starts at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A character that stands for itself.
    Literal(char),
    /// An escape, with its backslash.
    Escape(char),
    /// `?`
    One,
    /// `*`
    Segment,
    /// `**`
    Anything,
    /// `[…]`, with its brackets.
    Class(String),
    /// `{`, `,` and `}` of alternatives.
    Open,
    Or,
    Close,
    /// The text between `{{` and `}}`.
    Regex(String),
}

/// The parts of a glob, without the `/` that anchors it.
pub(crate) fn parse(glob: &str) -> Result<Vec<Part>, Flaw> {
    let mut parser = Parser {
        chars: glob.chars().collect(),
        at: usize::from(glob.starts_with('/')),
        open: Vec::new(),
        parts: Vec::new(),
    };
    while let Some(kind) = parser.next_part()? {
        let (at, kind) = kind;
        parser.parts.push(Part { at, kind });
    }
    match parser.open.pop() {
        Some(at) => Err(Flaw::new(at, "the `{` is not closed")),
        None => Ok(parser.parts),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    /// Where the alternatives begin that are open.
    open: Vec<usize>,
    parts: Vec<Part>,
}

impl Parser {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next_part(&mut self) -> Result<Option<(usize, Kind)>, Flaw> {
        let start = self.at;
        let Some(c) = self.peek(0) else {
            return Ok(None);
        };
        self.at += 1;
        let kind = match c {
            '\\' => match self.peek(0) {
                Some(escaped) => {
                    self.at += 1;
                    Kind::Escape(escaped)
                }
                None => return Err(Flaw::new(start, "nothing follows the final `\\`")),
            },
            '*' => self.stars(start)?,
            '?' => Kind::One,
            '[' => self.class(start)?,
            ']' => return Err(Flaw::new(start, "the `]` closes nothing")),
            '{' if self.peek(0) == Some('{') => self.regex(start)?,
            '{' => {
                self.open.push(start);
                Kind::Open
            }
            '}' if self.open.pop().is_some() => Kind::Close,
            '}' => return Err(Flaw::new(start, "the `}` closes nothing")),
            ',' if !self.open.is_empty() => Kind::Or,
            literal => Kind::Literal(literal),
        };
        Ok(Some((start, kind)))
    }

    fn stars(&mut self, start: usize) -> Result<Kind, Flaw> {
        while self.peek(0) == Some('*') {
            self.at += 1;
        }
        match self.at - start {
            1 => Ok(Kind::Segment),
            2 => Ok(Kind::Anything),
            _ => Err(Flaw::new(start, "more than two `*` in a row")),
        }
    }

    /// A class ends with the bracket that closes it, counting brackets within.
    fn class(&mut self, start: usize) -> Result<Kind, Flaw> {
        let mut depth = 1;
        while depth > 0 {
            match self.peek(0) {
                Some('[') => depth += 1,
                Some(']') => depth -= 1,
                Some(_) => {}
                None => return Err(Flaw::new(start, "the `[` is not closed")),
            }
            self.at += 1;
        }
        Ok(Kind::Class(self.text(start, self.at)))
    }

    /// A regular expression ends at the last `}}` of the first run of `}`.
    fn regex(&mut self, start: usize) -> Result<Kind, Flaw> {
        let begin = start + 2;
        self.at = begin;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('}'), Some('}')) => break,
                (Some(_), _) => self.at += 1,
                (None, _) => return Err(Flaw::new(start, "the `{{` is not closed")),
            }
        }
        while self.peek(2) == Some('}') {
            self.at += 1;
        }
        let text = self.text(begin, self.at);
        self.at += 2;
        Ok(Kind::Regex(text))
    }

    fn text(&self, from: usize, to: usize) -> String {
        self.chars
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_named_with_their_place() {
        for (glob, at, reason) in [
            ("a]", 1, "the `]` closes nothing"),
            ("a***", 1, "more than two `*` in a row"),
            ("{a", 0, "the `{` is not closed"),
            ("{a,{b}", 0, "the `{` is not closed"),
            ("é[a", 1, "the `[` is not closed"),
            ("a\\", 1, "nothing follows the final `\\`"),
            ("/{{a", 1, "the `{{` is not closed"),
            ("a}}", 1, "the `}` closes nothing"),
        ] {
            assert_eq!(parse(glob), Err(Flaw::new(at, reason)), "{glob}");
        }
    }

    #[test]
    fn a_regular_expression_takes_all_closing_braces_of_a_run() {
        let parts = parse("{{a{2}}}").unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].kind, Kind::Regex("a{2}".to_owned()));
    }
}
