//! From the syntax of RE2 to that of the crate `regex`, where the same text means something else.

use crate::error::Flaw;

/// Translates an expression. The `at` of a flaw counts from its start.
pub(crate) fn translate(expression: &str) -> Result<String, Flaw> {
    let mut translator = Translator {
        chars: expression.chars().collect(),
        at: 0,
        out: String::with_capacity(expression.len()),
    };
    while let Some(c) = translator.take() {
        translator.outside(c)?;
    }
    Ok(translator.out)
}

/// What stands for one class of characters, without brackets. In RE2 these are of ASCII.
const fn perl_class(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        's' => "\\t\\n\\x0c\\r\\x20",
        'w' => "0-9A-Za-z_",
        'D' => "[^0-9]",
        'S' => "[^\\t\\n\\x0c\\r\\x20]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn take_if(&mut self, wanted: &str) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let found = rest.len() >= wanted.len() && wanted.chars().zip(rest).all(|(a, b)| a == *b);
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            self.out.push_str(&format!("\\x{:02x}", u32::from(c)));
        } else {
            self.out.push(c);
        }
    }

    fn outside(&mut self, c: char) -> Result<(), Flaw> {
        match c {
            '\\' => return self.escape(),
            '[' => return self.class(),
            // A brace that begins no repetition is itself.
            '{' if !self.is_repetition() => self.literal('{'),
            _ => self.out.push(c),
        }
        Ok(())
    }

    /// Whether `n}`, `n,}` or `n,m}` follows.
    fn is_repetition(&self) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|c| *c == '}') else {
            return false;
        };
        let inner: String = rest.get(..end).unwrap_or_default().iter().collect();
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        match inner.split_once(',') {
            Some((low, high)) => !low.is_empty() && digits(low) && digits(high),
            None => !inner.is_empty() && digits(&inner),
        }
    }

    fn escape(&mut self) -> Result<(), Flaw> {
        let Some(c) = self.take() else {
            return Err(Flaw::new(self.at - 1, "nothing follows the final `\\`"));
        };
        match (c, perl_class(c)) {
            (_, Some(class)) => {
                self.out.push('[');
                self.out.push_str(class);
                self.out.push(']');
            }
            ('b', _) => self.out.push_str("(?-u:\\b)"),
            ('Q', _) => {
                while self.peek().is_some() && !self.take_if("\\E") {
                    if let Some(c) = self.take() {
                        self.literal(c);
                    }
                }
            }
            ('<' | '>', _) => self.literal(c),
            _ => self.out.extend(['\\', c]),
        }
        Ok(())
    }

    /// A class of characters, up to its bracket. Brackets within stand for themselves.
    fn class(&mut self) -> Result<(), Flaw> {
        let start = self.at - 1;
        self.out.push('[');
        if self.take_if("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            let begin = self.at;
            match self.peek() {
                None => return Err(Flaw::new(start, "the `[` is not closed")),
                Some(']') if !is_first => break,
                _ if self.named_class() => {}
                _ => {
                    let low = self.class_char(start)?;
                    let is_range = self.peek() == Some('-')
                        && !matches!(self.chars.get(self.at + 1), None | Some(']'));
                    let high = if is_range {
                        self.at += 1;
                        self.class_char(start)?
                    } else {
                        low
                    };
                    if high < low {
                        let text: String = self
                            .chars
                            .get(begin..self.at)
                            .unwrap_or_default()
                            .iter()
                            .collect();
                        let reason = format!("the range `{text}` runs backwards");
                        return Err(Flaw::new(begin, reason));
                    }
                    let (low, high) = (u32::from(low), u32::from(high));
                    self.out
                        .push_str(&format!("\\x{{{low:x}}}-\\x{{{high:x}}}"));
                }
            }
            is_first = false;
        }
        self.at += 1;
        self.out.push(']');
        Ok(())
    }

    /// `[:name:]`, `\d` and the like, and `\p`, which are copied as what means the same.
    fn named_class(&mut self) -> bool {
        let rest = self.chars.get(self.at..).unwrap_or_default();
        let end = match rest {
            ['[', ':', ..] => rest.windows(2).position(|two| two == [':', ']'].as_slice()),
            ['\\', letter, ..] if perl_class(*letter).is_some() => {
                self.out.push_str(perl_class(*letter).unwrap_or_default());
                self.at += 2;
                return true;
            }
            ['\\', 'p' | 'P', '{', ..] => rest.iter().position(|c| *c == '}').map(|end| end - 1),
            ['\\', 'p' | 'P', _, ..] => Some(1),
            _ => None,
        };
        // The first two of `[:name:]` are no end.
        let Some(end) = end.filter(|end| *end > 0) else {
            return false;
        };
        let text = rest.get(..end + 2).unwrap_or_default();
        self.out.extend(text);
        self.at += text.len();
        true
    }

    fn class_char(&mut self, start: usize) -> Result<char, Flaw> {
        let unclosed = || Flaw::new(start, "the `[` is not closed");
        let at = self.at;
        let c = self.take().ok_or_else(unclosed)?;
        if c != '\\' {
            return Ok(c);
        }
        let escaped = self.take().ok_or_else(unclosed)?;
        Ok(match escaped {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self
                .hexadecimal()
                .ok_or_else(|| Flaw::new(at, "`\\x` names no character"))?,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => return Err(Flaw::new(at, format!("`\\{c}` means nothing in a class"))),
        })
    }

    /// What follows `\x`: two digits, or any number in braces.
    fn hexadecimal(&mut self) -> Option<char> {
        let rest = self.chars.get(self.at..)?;
        let (digits, len): (String, usize) = if rest.first() == Some(&'{') {
            let end = rest.iter().position(|c| *c == '}')?;
            (rest.get(1..end)?.iter().collect(), end + 1)
        } else {
            (rest.get(..2)?.iter().collect(), 2)
        };
        self.at += len;
        u32::from_str_radix(&digits, 16)
            .ok()
            .and_then(char::from_u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, text: &str) -> bool {
        let translated = translate(expression).unwrap();
        regex::Regex::new(&format!("^(?:{translated})$"))
            .unwrap()
            .is_match(text)
    }

    #[test]
    fn means_what_it_means_in_go() {
        for (expression, text, expected) in [
            (r"\d", "٣", false),
            (r"\w+", "aé", false),
            (r"[\d_]+", "1_2", true),
            (r"[^\D]", "1", true),
            ("[a[b]", "[", true),
            ("[a&&b]+", "a&b", true),
            ("[a~~b]", "~", true),
            ("[[:alpha:]0]+", "a0", true),
            ("[]a]+", "]a", true),
            ("[a-]+", "a-", true),
            ("[^a]", "é", true),
            ("a{", "a{", true),
            ("a{,2}", "a{,2}", true),
            ("a{2}", "aa", true),
            (r"\Qa.b\E.", "a.bc", true),
            (r"\Qa.b\E", "axb", false),
            (r"\<", "<", true),
            (r"[\x41\x{42}]+", "AB", true),
            (r"[\pL]+", "é", true),
        ] {
            assert_eq!(matches(expression, text), expected, "{expression} {text}");
        }
        assert!(
            translate("[z-a]")
                .unwrap_err()
                .reason
                .contains("runs backwards")
        );
    }
}
