//! What names and arguments say about the layers of an object.

use std::thread::available_parallelism;

use omnistorage::compression::{Compression, Level};
use omnistorage::csv::{Cells, Ragged};
use omnistorage::format::Format;
use omnistorage::length_prefixed::Prefix;
use omnistorage::pipeline::{CompressionLayer, FormatLayer};
use omnistorage::{csv, length_prefixed, ndjson, zstd};

use crate::args::{ConvertArgs, CsvArgs, LayersArg, LengthPrefixedArgs, PrefixArg};

/// The layers of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layers {
    pub(crate) format: Option<Format>,
    pub(crate) compression: Option<Compression>,
}

impl Layers {
    /// What is given, or else what the extensions of `name` say.
    pub(crate) fn new(name: &str, given: Option<LayersArg>) -> Self {
        let given = given.unwrap_or_default();
        let (inside, compression) = Compression::split(name);
        Self {
            format: given.format.or(Format::detect(inside)),
            compression: given.compression.or(compression),
        }
    }
}

/// Compresses at a level; with Zstandard beside what makes the bytes.
pub(crate) fn compress_with(compression: Compression, level: Level) -> CompressionLayer {
    if compression != Compression::Zstd {
        return (compression, level).into();
    }
    let processors = available_parallelism().map_or(1, usize::from);
    let threads = if processors > 1 { processors.min(4) } else { 0 };
    let options = zstd::EncodeOptions::default().level(level);
    options.threads(u32::try_from(threads).unwrap_or(0)).into()
}

/// The formats to convert between, with their options; `None` where the bytes stay as they are.
///
/// # Errors
/// What is wrong with the arguments.
pub(crate) fn formats(
    args: &ConvertArgs,
    source: Option<Format>,
    destination: Option<Format>,
) -> Result<Option<(FormatLayer, FormatLayer)>, String> {
    let sides = [source, destination];
    let csv = sides.map(|side| matches!(side, Some(Format::Csv | Format::Tsv)));
    let prefixed = sides.map(|side| side == Some(Format::LengthPrefixed));
    if args.csv.is_given() && csv == [false; 2] {
        return Err("CSV options are given, but neither SRC nor DST is CSV".to_owned());
    }
    if args.length_prefixed.is_given() && prefixed == [false; 2] {
        let message = "length-prefixed options are given, but neither SRC nor DST is";
        return Err(message.to_owned());
    }
    let options = args.csv.is_given() || args.length_prefixed.is_given();
    let (Some(from), Some(to)) = (source, destination) else {
        return match (source, destination) {
            (None, None) => Ok(None),
            (None, _) => Err(unknown("SRC", &args.source, "--from")),
            _ => Err(unknown("DST", &args.destination, "--to")),
        };
    };
    if from == to && !options {
        return Ok(None);
    }
    // Of two sides, the options are for the first that has them.
    let mine = |first: bool, sides: [bool; 2]| first || !sides[0];
    let layer = |format, first| {
        Builder {
            args,
            csv: mine(first, csv).then_some(&args.csv),
            length_prefixed: mine(first, prefixed).then_some(&args.length_prefixed),
            // Records of CSV and NDJSON are JSON already.
            validate: !first && from == Format::LengthPrefixed,
        }
        .layer(format)
    };
    Ok(Some((layer(from, true), layer(to, false))))
}

fn unknown(side: &str, name: &str, flag: &str) -> String {
    format!("{name:?} does not tell the record format of {side}: name it with {flag}")
}

struct Builder<'a> {
    args: &'a ConvertArgs,
    csv: Option<&'a CsvArgs>,
    length_prefixed: Option<&'a LengthPrefixedArgs>,
    validate: bool,
}

impl Builder<'_> {
    fn layer(&self, format: Format) -> FormatLayer {
        let max_record = usize::try_from(self.args.max_record).unwrap_or(usize::MAX);
        match format {
            Format::Csv => self.csv_options(b',').max_record(max_record).into(),
            Format::Tsv => self.csv_options(b'\t').max_record(max_record).into(),
            Format::LengthPrefixed => self.prefixed_options().max_record(max_record).into(),
            Format::Ndjson => ndjson::Options::default()
                .max_record(max_record)
                .validate(self.validate)
                .into(),
            other => other.into(),
        }
    }

    fn csv_options(&self, delimiter: u8) -> csv::Options {
        let options = csv::Options::default().delimiter(delimiter);
        let Some(args) = self.csv else {
            return options;
        };
        let mut options = options
            .delimiter(args.delimiter.unwrap_or(delimiter))
            .quote(Some(args.quote.unwrap_or(b'"')))
            .escape(args.escape)
            .header(!args.no_header)
            .crlf(args.crlf);
        if args.text_cells {
            options = options.cells(Cells::Text);
        }
        if args.ragged {
            options = options.ragged(Ragged::Accept);
        }
        match &args.columns {
            Some(columns) => options.columns(columns),
            None => options,
        }
    }

    fn prefixed_options(&self) -> length_prefixed::Options {
        let options = length_prefixed::Options::default();
        let Some(args) = self.length_prefixed else {
            return options;
        };
        let prefix = match args.prefix {
            None | Some(PrefixArg::Varint) => Prefix::Varint,
            Some(PrefixArg::U32be) => Prefix::U32Be,
            Some(PrefixArg::U32le) => Prefix::U32Le,
        };
        options.prefix(prefix).crc32c(args.crc32c)
    }
}
