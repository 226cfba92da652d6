use crate::Request;

/// Which requests a rule or a count is about: all that fit everything said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    method: Option<String>,
    path: Option<String>,
    header: Option<String>,
    bytes: Option<Vec<u8>>,
    /// How many that fit are left alone first.
    skip: u64,
    /// How many are taken then; all if there is none.
    take: Option<Take>,
}

/// A number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Some(u64),
    All,
}

impl When {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests of this method, such as `PUT`.
    #[must_use]
    pub fn method(method: &str) -> Self {
        Self {
            method: Some(method.to_owned()),
            ..Self::default()
        }
    }

    /// Requests whose path and query fit this pattern, in which `*` stands for anything, `/` and
    /// nothing included: `/bucket/*uploadId=*`. The path is compared as it is sent, encoded.
    #[must_use]
    pub fn path(mut self, pattern: &str) -> Self {
        self.path = Some(pattern.to_owned());
        self
    }

    /// Requests that have this header, in any case: `range`, `if-none-match`.
    #[must_use]
    pub fn header(mut self, name: &str) -> Self {
        self.header = Some(name.to_ascii_lowercase());
        self
    }

    /// Requests over TCP that have these bytes somewhere, in any case: `SET`.
    #[must_use]
    pub fn containing(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.bytes = Some(bytes.into());
        self
    }

    /// The `number`th of them alone, from 1.
    #[must_use]
    pub const fn nth(mut self, number: u64) -> Self {
        self.skip = number.saturating_sub(1);
        self.take = Some(Take::Some(1));
        self
    }

    /// The first `number` of them.
    #[must_use]
    pub const fn first(mut self, number: u64) -> Self {
        self.take = Some(Take::Some(number));
        self
    }

    /// All of them but the first `number`.
    #[must_use]
    pub const fn after(mut self, number: u64) -> Self {
        self.skip = number;
        self.take = Some(Take::All);
        self
    }

    /// All of them.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.take = Some(Take::All);
        self
    }

    /// Whether it is about this request, not counting.
    pub(crate) fn fits(&self, request: &Request) -> bool {
        let method = self.method.as_deref();
        let path = self.path.as_deref();
        method.is_none_or(|method| request.method().eq_ignore_ascii_case(method))
            && path.is_none_or(|pattern| fits(pattern.as_bytes(), request.target().as_bytes()))
            && self
                .header
                .as_deref()
                .is_none_or(|name| request.header(name).is_some())
            && self
                .bytes
                .as_deref()
                .is_none_or(|bytes| contains(request.bytes(), bytes))
    }

    /// Whether the one after `seen` others that fit is taken.
    pub(crate) const fn takes(&self, seen: u64) -> bool {
        seen >= self.skip && !self.is_over(seen)
    }

    /// Whether no later one is taken after `seen` that fit; never for those that have no end.
    pub(crate) const fn is_over(&self, seen: u64) -> bool {
        match self.take {
            Some(Take::All) => false,
            Some(Take::Some(number)) => seen >= self.skip.saturating_add(number),
            None => seen > self.skip,
        }
    }

    /// Whether it has an end.
    pub(crate) const fn ends(&self) -> bool {
        !matches!(self.take, Some(Take::All))
    }
}

/// Whether a text is the pattern's, in which `*` stands for anything.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let mut pieces = pattern.split(|byte| *byte == b'*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match find(rest, piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    match piece.is_empty() {
        true => Some(0),
        false => text.windows(piece.len()).position(|window| window == piece),
    }
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    let mut windows = text.windows(piece.len().max(1));
    piece.is_empty() || windows.any(|window| window.eq_ignore_ascii_case(piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        let cases = [
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("/a*", "/a", true),
            ("*/a", "/b/a", true),
            ("*key*", "/b/key?x=1", true),
            ("/b/*uploadId=*", "/b/k?partNumber=1&uploadId=7", true),
            ("/b/*uploadId=*", "/b/k?uploads", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("*a*b*", "xbxa", false),
            ("", "/", false),
        ];
        for (pattern, text, expected) in cases {
            let found = fits(pattern.as_bytes(), text.as_bytes());
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_number_of_requests_is_taken() {
        let taken = |when: When| -> Vec<u64> { (0..6).filter(|seen| when.takes(*seen)).collect() };
        assert_eq!(taken(When::any()), [0]);
        assert_eq!(taken(When::any().nth(3)), [2]);
        assert_eq!(taken(When::any().first(2)), [0, 1]);
        assert_eq!(taken(When::any().after(4)), [4, 5]);
        assert_eq!(taken(When::any().always()), [0, 1, 2, 3, 4, 5]);
        assert!(When::any().nth(2).is_over(2) && !When::any().nth(2).is_over(1));
    }
}
