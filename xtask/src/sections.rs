//! Generated parts of hand-written documents.
//!
//! A part stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`, each on a line of its own.

use crate::Result;

/// The lines of a part; `None` when the document has no such part.
pub(crate) fn section<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (start, end) = bounds(document, name)?;
    Some(&document[start..end])
}

/// The document with another text in a part.
///
/// # Errors
/// The part is missing, or begins and never ends.
pub(crate) fn replaced(document: &str, name: &str, text: &str) -> Result<String> {
    let (start, end) = bounds(document, name)
        .ok_or_else(|| format!("the lines {} and {} are missing", begin(name), finish(name)))?;
    Ok(format!(
        "{}{}\n{}",
        &document[..start],
        text.trim_end(),
        &document[end..]
    ))
}

fn begin(name: &str) -> String {
    format!("<!-- {name}:begin -->")
}

fn finish(name: &str) -> String {
    format!("<!-- {name}:end -->")
}

fn bounds(document: &str, name: &str) -> Option<(usize, usize)> {
    let begin = begin(name) + "\n";
    let start = document.find(&begin)? + begin.len();
    let end = start + document[start..].find(&finish(name))?;
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# A\n<!-- x:begin -->\nold\n<!-- x:end -->\ntail\n";

    #[test]
    fn a_part_is_found_and_replaced() {
        assert_eq!(section(DOCUMENT, "x"), Some("old\n"));
        let new = replaced(DOCUMENT, "x", "new\n\n").unwrap();
        assert_eq!(new, DOCUMENT.replace("old", "new"));
        assert_eq!(replaced(&new, "x", "new").unwrap(), new);
    }

    #[test]
    fn a_missing_or_open_part_is_an_error() {
        assert!(replaced(DOCUMENT, "y", "").is_err());
        assert!(replaced("<!-- x:begin -->\n", "x", "").is_err());
    }
}
