use std::fmt;
use std::str::FromStr;

use storage_core::{Error, Result};

/// A record format that Omnistorage has a crate for.
///
/// ```
/// use storage_format::Format;
///
/// assert_eq!(Format::detect("logs/today.JSONL"), Some(Format::Ndjson));
/// assert_eq!(Format::detect("today.txt"), None);
/// assert_eq!("length-prefixed".parse::<Format>()?, Format::LengthPrefixed);
/// # Ok::<(), storage_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Newline-delimited JSON.
    Ndjson,
    /// Comma-separated values.
    Csv,
    /// CSV with tabs in place of commas.
    Tsv,
    /// Records behind their length, a varint.
    LengthPrefixed,
}

impl Format {
    /// Every format, in declaration order.
    pub const ALL: [Self; 4] = [Self::Ndjson, Self::Csv, Self::Tsv, Self::LengthPrefixed];

    /// The lower-case name: `ndjson`, `csv`, `tsv`, `length-prefixed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::LengthPrefixed => "length-prefixed",
        }
    }

    /// The extension, without the dot: `ndjson`, `csv`, `tsv`, `lp`.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::LengthPrefixed => "lp",
            Self::Ndjson | Self::Csv | Self::Tsv => self.name(),
        }
    }

    /// The format that the last extension of a file name or path stands for, in any case: `ndjson`,
    /// `jsonl`; `csv`; `tsv`; `lp`. The extension of a compression has to be taken off before.
    #[must_use]
    pub fn detect(name: &str) -> Option<Self> {
        let base = name.rsplit('/').next()?;
        let (stem, extension) = base.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            _ if stem.is_empty() => None,
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            "tsv" => Some(Self::Tsv),
            "lp" => Some(Self::LengthPrefixed),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    /// Parses a name or an extension, also `jsonl`.
    ///
    /// # Errors
    /// `Config`, naming the choices.
    fn from_str(text: &str) -> Result<Self> {
        let known = |format: &Self| {
            text == format.name()
                || text == format.extension()
                || (*format == Self::Ndjson && text == "jsonl")
        };
        Self::ALL.into_iter().find(known).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::config(format!("no format is named {text:?}; known are {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions_tell_the_format() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
            assert_eq!(format.extension().parse::<Format>().unwrap(), format);
            let name = format!("a.b/c.{}", format.extension());
            assert_eq!(Format::detect(&name), Some(format));
        }
        for name in ["csv", ".csv", "a.csv/b", "a.csv.gz", "a.", ""] {
            assert_eq!(Format::detect(name), None, "{name}");
        }
        let error = "xml".parse::<Format>().unwrap_err().to_string();
        assert!(
            error.contains("ndjson, csv, tsv, length-prefixed"),
            "{error}"
        );
    }
}
