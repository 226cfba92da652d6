use std::fmt;

use storage_core::{Error, ErrorKind};

/// Why a rule failed: what was expected and what came.
#[derive(Debug)]
pub(crate) struct Violation(String);

/// What checking a rule returns.
pub(crate) type Verdict<T = ()> = Result<T, Violation>;

impl Violation {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self(format!("expected success, found the error `{error}`"))
    }
}

impl From<std::io::Error> for Violation {
    fn from(error: std::io::Error) -> Self {
        Error::from(error).into()
    }
}

/// Requires `condition`; `expected` is the sentence that it stands for.
pub(crate) fn ensure(condition: bool, expected: impl FnOnce() -> String) -> Verdict {
    if condition {
        return Ok(());
    }
    Err(Violation(expected()))
}

/// Requires two values to be equal.
// By value: rules compare what a call has just given with a literal.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn equal<T, U>(what: &str, found: T, expected: U) -> Verdict
where
    T: PartialEq<U> + fmt::Debug,
    U: fmt::Debug,
{
    ensure(found == expected, || {
        format!("{what}: expected {expected:?}, found {found:?}")
    })
}

/// Requires two values to differ.
pub(crate) fn differ<T: PartialEq + fmt::Debug>(what: &str, one: &T, other: &T) -> Verdict {
    ensure(one != other, || {
        format!("{what}: expected two different values, found {one:?} twice")
    })
}

/// Requires the same bytes, and says where they differ.
pub(crate) fn same_bytes(what: &str, found: &[u8], expected: &[u8]) -> Verdict {
    ensure(found == expected, || {
        let at = found
            .iter()
            .zip(expected)
            .position(|(found, expected)| found != expected);
        match at {
            _ if found.len() + expected.len() <= 80 => format!(
                "{what}: expected {:?}, found {:?}",
                String::from_utf8_lossy(expected),
                String::from_utf8_lossy(found)
            ),
            Some(at) => format!(
                "{what}: expected {} bytes, found {} that differ from byte {at} on",
                expected.len(),
                found.len()
            ),
            None => format!(
                "{what}: expected {} bytes, found {}",
                expected.len(),
                found.len()
            ),
        }
    })
}

/// Requires a failure of this kind and gives the error.
pub(crate) fn fails<T>(
    what: &str,
    result: storage_core::Result<T>,
    kind: ErrorKind,
) -> Verdict<Error> {
    fails_with(what, result, &[kind])
}

/// Requires a failure of one of these kinds and gives the error.
pub(crate) fn fails_with<T>(
    what: &str,
    result: storage_core::Result<T>,
    kinds: &[ErrorKind],
) -> Verdict<Error> {
    match result {
        Err(error) if kinds.contains(&error.kind()) => Ok(error),
        Err(error) => Err(Violation(format!(
            "{what}: expected {kinds:?}, found the error `{error}`"
        ))),
        Ok(_) => Err(Violation(format!(
            "{what}: expected {kinds:?}, found success"
        ))),
    }
}
