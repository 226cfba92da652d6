use storage_core::{
    Error, Reader, RecordReader, RecordWriter, Result, WriteMode, WriteOptions, Writer,
};
use storage_format::Format;

use super::MissingFeature;
use super::placed::{Place, Placed};

/// A record format of a [`Pipeline`](super::Pipeline): its name, or its options.
#[derive(Debug, Clone)]
pub struct FormatLayer(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Named(Format),
    #[cfg(feature = "csv")]
    Csv(storage_csv::Options),
    #[cfg(feature = "length-prefixed")]
    LengthPrefixed(storage_length_prefixed::Options),
    #[cfg(feature = "ndjson")]
    Ndjson(storage_ndjson::Options),
}

impl FormatLayer {
    /// Whether a stream of this format may begin with any bytes, also those of a compression.
    pub(super) const fn begins_with_anything(&self) -> bool {
        match &self.0 {
            Kind::Named(format) => matches!(format, Format::LengthPrefixed),
            #[cfg(feature = "csv")]
            Kind::Csv(_) => false,
            #[cfg(feature = "length-prefixed")]
            Kind::LengthPrefixed(_) => true,
            #[cfg(feature = "ndjson")]
            Kind::Ndjson(_) => false,
        }
    }

    /// Finds out before anything is opened whether [`reader`](Self::reader) and
    /// [`writer`](Self::writer) could be made.
    pub(super) fn check(&self) -> Result<()> {
        match &self.resolve()?.0 {
            #[cfg(feature = "csv")]
            Kind::Csv(options) => Ok(options.decoder().map(drop)?),
            _ => Ok(()),
        }
    }

    pub(super) fn check_mode(&self, options: &WriteOptions) -> Result<()> {
        let append = matches!(options.clone().into_parts().mode, WriteMode::Append);
        match self.0 {
            Kind::Named(format @ (Format::Csv | Format::Tsv)) if append => {
                let message = format!("appending {format} writes a second header; give options");
                Err(Error::unsupported(message))
            }
            _ => Ok(()),
        }
    }

    /// Options in place of the name.
    fn resolve(&self) -> Result<Self> {
        let format = match self.0 {
            Kind::Named(format) => format,
            _ => return Ok(self.clone()),
        };
        match format {
            #[cfg(feature = "csv")]
            Format::Csv => Ok(storage_csv::Options::default().into()),
            #[cfg(feature = "csv")]
            Format::Tsv => Ok(storage_csv::Options::default().delimiter(b'\t').into()),
            #[cfg(not(feature = "csv"))]
            Format::Csv | Format::Tsv => Err(MissingFeature::error("csv")),
            #[cfg(feature = "length-prefixed")]
            Format::LengthPrefixed => Ok(storage_length_prefixed::Options::default().into()),
            #[cfg(feature = "ndjson")]
            Format::Ndjson => Ok(storage_ndjson::Options::default().into()),
            missing => Err(MissingFeature::error(missing.name())),
        }
    }

    /// Puts the format over a reader.
    pub(super) fn reader(&self, reader: Reader, place: Place) -> Result<Box<dyn RecordReader>> {
        Ok(match self.resolve()?.0 {
            #[cfg(feature = "csv")]
            Kind::Csv(options) => Box::new(Placed::new(options.from_chunks(reader)?, place)),
            #[cfg(feature = "length-prefixed")]
            Kind::LengthPrefixed(options) => {
                Box::new(Placed::new(options.from_chunks(reader), place))
            }
            #[cfg(feature = "ndjson")]
            Kind::Ndjson(options) => Box::new(Placed::new(options.from_chunks(reader), place)),
            Kind::Named(format) => return Err(MissingFeature::error(format.name())),
        })
    }

    /// Puts the format over a writer.
    pub(super) fn writer(&self, writer: Writer, place: Place) -> Result<Box<dyn RecordWriter>> {
        Ok(match self.resolve()?.0 {
            #[cfg(feature = "csv")]
            Kind::Csv(options) => Box::new(Placed::new(options.writer(writer)?, place)),
            #[cfg(feature = "length-prefixed")]
            Kind::LengthPrefixed(options) => Box::new(Placed::new(options.writer(writer), place)),
            #[cfg(feature = "ndjson")]
            Kind::Ndjson(options) => Box::new(Placed::new(options.writer(writer), place)),
            Kind::Named(format) => return Err(MissingFeature::error(format.name())),
        })
    }
}

impl From<Format> for FormatLayer {
    fn from(format: Format) -> Self {
        Self(Kind::Named(format))
    }
}

#[cfg(feature = "csv")]
impl From<storage_csv::Options> for FormatLayer {
    fn from(options: storage_csv::Options) -> Self {
        Self(Kind::Csv(options))
    }
}

#[cfg(feature = "length-prefixed")]
impl From<storage_length_prefixed::Options> for FormatLayer {
    fn from(options: storage_length_prefixed::Options) -> Self {
        Self(Kind::LengthPrefixed(options))
    }
}

#[cfg(feature = "ndjson")]
impl From<storage_ndjson::Options> for FormatLayer {
    fn from(options: storage_ndjson::Options) -> Self {
        Self(Kind::Ndjson(options))
    }
}
