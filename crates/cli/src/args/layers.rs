//! Compressions and record formats, as arguments name them.

use omnistorage::compression::{Compression, Level};
use omnistorage::format::Format;

/// The compression of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompressArg {
    /// What the name's extension says.
    Auto,
    Named(Compression, Level),
}

/// Parses `auto` or `NAME[:LEVEL]`.
pub(super) fn compress(text: &str) -> Result<CompressArg, String> {
    if text == "auto" {
        return Ok(CompressArg::Auto);
    }
    let (name, level) = match text.split_once(':') {
        Some((name, level)) => (name, level.parse().map_err(shown)?),
        None => (text, Level::Default),
    };
    Ok(CompressArg::Named(name.parse().map_err(shown)?, level))
}

/// What an extension such as `csv.gz` says, given as an argument.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LayersArg {
    pub(crate) format: Option<Format>,
    pub(crate) compression: Option<Compression>,
}

/// Parses `FORMAT`, `FORMAT.COMPRESSION` or `COMPRESSION`.
pub(super) fn layers(text: &str) -> Result<LayersArg, String> {
    let (format, compression) = match text.split_once('.') {
        Some((format, compression)) => (Some(format), Some(compression)),
        None if text.parse::<Compression>().is_ok() => (None, Some(text)),
        None => (Some(text), None),
    };
    Ok(LayersArg {
        format: format.map(str::parse).transpose().map_err(shown)?,
        compression: compression.map(str::parse).transpose().map_err(shown)?,
    })
}

/// The bytes of a size such as `64Ki`; `off` is no limit.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let size = omnistorage::filter::parse_size(text).map_err(|error| error.to_string())?;
    Ok(size.unwrap_or(u64::MAX))
}

/// One byte of ASCII, or `tab`.
pub(super) fn byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("one ASCII character is needed, or the word tab".to_owned()),
    }
}

/// The message of an error without its kind, which clap's own words say.
#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn shown(error: omnistorage::Error) -> String {
    error.message().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_as_extensions_are() {
        let parsed = |text| layers(text).map(|found| (found.format, found.compression));
        assert_eq!(parsed("csv"), Ok((Some(Format::Csv), None)));
        assert_eq!(
            parsed("jsonl.zst"),
            Ok((Some(Format::Ndjson), Some(Compression::Zstd)))
        );
        assert_eq!(
            parsed("length-prefixed.gzip"),
            Ok((Some(Format::LengthPrefixed), Some(Compression::Gzip)))
        );
        assert_eq!(parsed("snappy"), Ok((None, Some(Compression::Snappy))));
        for wrong in ["", "xml", "csv.xz", "gz.csv", "csv."] {
            assert!(layers(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            compress("zstd:19"),
            Ok(CompressArg::Named(Compression::Zstd, Level::Number(19)))
        );
        assert_eq!(compress("auto"), Ok(CompressArg::Auto));
        for wrong in ["", "xz", "gzip:", "gzip:x"] {
            assert!(compress(wrong).is_err(), "{wrong}");
        }
    }
}
