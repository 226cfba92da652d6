use clap::{Args, ValueEnum};
use omnistorage::compression::Level;

use super::layers::{LayersArg, byte, layers, size};

#[derive(Debug, Clone, Args)]
pub(crate) struct ConvertArgs {
    /// A path or URI, or - for standard input
    #[arg(value_name = "SRC")]
    pub(crate) source: String,
    /// A path or URI, or - for standard output
    #[arg(value_name = "DST")]
    pub(crate) destination: String,
    /// What SRC is, in place of what its name and first bytes say: ndjson, csv, tsv, length-prefixed,
    /// gzip, zstd, snappy, or both as in csv.gz
    #[arg(long, value_name = "LAYERS", value_parser = layers)]
    pub(crate) from: Option<LayersArg>,
    /// What DST becomes, in place of what its name says, as --from
    #[arg(long, value_name = "LAYERS", value_parser = layers)]
    pub(crate) to: Option<LayersArg>,
    /// How hard to compress: fastest, default, better, best, or the codec's own number
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
    /// Fail if DST exists
    #[arg(long)]
    pub(crate) immutable: bool,
    /// Refuse records of more than this many bytes
    #[arg(long, value_name = "SIZE", default_value = "64Mi", value_parser = size)]
    pub(crate) max_record: u64,
    /// Stop when more than this many bytes come out of decompression
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_output: Option<u64>,
    #[command(flatten)]
    pub(crate) csv: CsvArgs,
    #[command(flatten)]
    pub(crate) length_prefixed: LengthPrefixedArgs,
}

/// For the one side that is CSV; where both are, for SRC.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "CSV options, of SRC if that is CSV and else of DST")]
pub(crate) struct CsvArgs {
    /// The character between fields, or tab [default: a comma]
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    pub(crate) delimiter: Option<u8>,
    /// The character around fields that need it [default: "]
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    pub(crate) quote: Option<u8>,
    /// The character before a quote inside quotes [default: quotes are doubled]
    #[arg(long, value_name = "CHAR", value_parser = byte)]
    pub(crate) escape: Option<u8>,
    /// The first row is no header: rows are JSON arrays
    #[arg(long)]
    pub(crate) no_header: bool,
    /// Names of the columns, in order; a header must have the same
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) columns: Option<Vec<String>>,
    /// Take all cells as strings, also those that look like numbers
    #[arg(long)]
    pub(crate) text_cells: bool,
    /// Accept rows of different lengths
    #[arg(long)]
    pub(crate) ragged: bool,
    /// End written rows with CR LF
    #[arg(long)]
    pub(crate) crlf: bool,
}

/// For the one side that is length-prefixed; where both are, for SRC.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Length-prefixed options, of SRC if that is and else of DST")]
pub(crate) struct LengthPrefixedArgs {
    /// How lengths are written [default: varint]
    #[arg(long, value_enum)]
    pub(crate) prefix: Option<PrefixArg>,
    /// Every record has a CRC-32C behind it
    #[arg(long)]
    pub(crate) crc32c: bool,
}

/// How lengths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PrefixArg {
    /// As Protocol Buffers do
    Varint,
    /// Four bytes, the most significant first
    U32be,
    /// Four bytes, the least significant first
    U32le,
}

impl CsvArgs {
    /// Whether any is given.
    pub(crate) fn is_given(&self) -> bool {
        *self
            != Self {
                delimiter: None,
                quote: None,
                escape: None,
                no_header: false,
                columns: None,
                text_cells: false,
                ragged: false,
                crlf: false,
            }
    }
}

impl LengthPrefixedArgs {
    /// Whether any is given.
    pub(crate) fn is_given(&self) -> bool {
        self.prefix.is_some() || self.crc32c
    }
}
