use storage_compression::{CompressWriter, Compression, Encode, Level, Limits};
use storage_core::{Error, Reader, Result, Writer};

use super::MissingFeature;

/// A compression of a [`Pipeline`](super::Pipeline): its name, or the options of its codec.
///
/// Options for one direction are refused as `Config` in the other.
#[derive(Debug, Clone)]
pub struct CompressionLayer(Kind);

#[derive(Debug, Clone)]
enum Kind {
    None,
    Named(Compression),
    Level(Compression, Level),
    #[cfg(feature = "gzip")]
    EncodeGzip(storage_gzip::EncodeOptions),
    #[cfg(feature = "gzip")]
    DecodeGzip(storage_gzip::DecodeOptions),
    #[cfg(feature = "snappy")]
    DecodeSnappy(storage_snappy::DecodeOptions),
    #[cfg(feature = "zstd")]
    EncodeZstd(storage_zstd::EncodeOptions),
    #[cfg(feature = "zstd")]
    DecodeZstd(storage_zstd::DecodeOptions),
}

/// Puts a compressor over a writer. All that can fail was done before.
pub(super) type Prepared = Box<dyn FnOnce(Writer) -> Writer + Send>;

impl CompressionLayer {
    /// The bytes as they are.
    pub const NONE: Self = Self(Kind::None);

    pub(super) const fn is_none(&self) -> bool {
        matches!(self.0, Kind::None)
    }

    /// Finds out before anything is opened whether [`decompress`](Self::decompress) could.
    pub(super) fn check_reading(&self, limits: Option<Limits>) -> Result<()> {
        let own_limits = match &self.0 {
            Kind::None | Kind::Named(_) => false,
            Kind::Level(..) => return Err(Error::config("a compression level is for writing")),
            #[cfg(feature = "gzip")]
            Kind::EncodeGzip(_) => return Err(for_writing()),
            #[cfg(feature = "zstd")]
            Kind::EncodeZstd(_) => return Err(for_writing()),
            #[cfg(feature = "gzip")]
            Kind::DecodeGzip(_) => true,
            #[cfg(feature = "snappy")]
            Kind::DecodeSnappy(_) => true,
            #[cfg(feature = "zstd")]
            Kind::DecodeZstd(_) => true,
        };
        match own_limits && limits.is_some() {
            true => Err(Error::config(
                "options for decompression have limits of their own",
            )),
            false => Ok(()),
        }
    }

    /// Puts a decompressor over a reader.
    pub(super) fn decompress(self, reader: Reader, limits: Option<Limits>) -> Result<Reader> {
        self.check_reading(limits)?;
        let limits = limits.unwrap_or_default();
        match self.0 {
            Kind::None => Ok(reader),
            Kind::Named(compression) | Kind::Level(compression, _) => {
                decompress(compression, reader, limits)
            }
            #[cfg(feature = "gzip")]
            Kind::DecodeGzip(options) => Ok(options.reader(reader).into_reader()),
            #[cfg(feature = "snappy")]
            Kind::DecodeSnappy(options) => Ok(options.reader(reader).into_reader()),
            #[cfg(feature = "zstd")]
            Kind::DecodeZstd(options) => Ok(options.reader(reader)?.into_reader()),
            #[cfg(feature = "gzip")]
            Kind::EncodeGzip(_) => Err(for_writing()),
            #[cfg(feature = "zstd")]
            Kind::EncodeZstd(_) => Err(for_writing()),
        }
    }

    /// Makes the compressor; `None` where there is none to put over a writer.
    pub(super) fn prepare(self) -> Result<Option<Prepared>> {
        Ok(Some(match self.0 {
            Kind::None => return Ok(None),
            Kind::Named(compression) => prepare(compression, Level::Default)?,
            Kind::Level(compression, level) => prepare(compression, level)?,
            #[cfg(feature = "gzip")]
            Kind::EncodeGzip(options) => over(options.encoder()?),
            #[cfg(feature = "zstd")]
            Kind::EncodeZstd(options) => over(options.encoder()?),
            #[cfg(feature = "gzip")]
            Kind::DecodeGzip(_) => return Err(for_reading()),
            #[cfg(feature = "snappy")]
            Kind::DecodeSnappy(_) => return Err(for_reading()),
            #[cfg(feature = "zstd")]
            Kind::DecodeZstd(_) => return Err(for_reading()),
        }))
    }
}

fn for_writing() -> Error {
    Error::config("options for compression are for writing")
}

fn for_reading() -> Error {
    Error::config("options for decompression are for reading")
}

fn over(encoder: impl Encode + 'static) -> Prepared {
    Box::new(|writer| CompressWriter::new(writer, encoder).into_writer())
}

fn decompress(compression: Compression, reader: Reader, limits: Limits) -> Result<Reader> {
    match compression {
        #[cfg(feature = "gzip")]
        Compression::Gzip => {
            let options = storage_gzip::DecodeOptions::default().limits(limits);
            Ok(options.reader(reader).into_reader())
        }
        #[cfg(feature = "snappy")]
        Compression::Snappy => {
            let options = storage_snappy::DecodeOptions::default().limits(limits);
            Ok(options.reader(reader).into_reader())
        }
        #[cfg(feature = "zstd")]
        Compression::Zstd => {
            let options = storage_zstd::DecodeOptions::default().limits(limits);
            Ok(options.reader(reader)?.into_reader())
        }
        missing => Err(MissingFeature::error(missing.name())),
    }
}

fn prepare(compression: Compression, level: Level) -> Result<Prepared> {
    match compression {
        #[cfg(feature = "gzip")]
        Compression::Gzip => {
            let options = storage_gzip::EncodeOptions::default().level(level);
            Ok(over(options.encoder()?))
        }
        #[cfg(feature = "snappy")]
        Compression::Snappy if level == Level::Default => {
            Ok(over(storage_snappy::SnappyEncoder::default()))
        }
        #[cfg(feature = "snappy")]
        Compression::Snappy => Err(Error::config("snappy has no compression levels")),
        #[cfg(feature = "zstd")]
        Compression::Zstd => {
            let options = storage_zstd::EncodeOptions::default().level(level);
            Ok(over(options.encoder()?))
        }
        missing => Err(MissingFeature::error(missing.name())),
    }
}

impl From<Compression> for CompressionLayer {
    fn from(compression: Compression) -> Self {
        Self(Kind::Named(compression))
    }
}

impl From<(Compression, Level)> for CompressionLayer {
    /// For writing.
    fn from((compression, level): (Compression, Level)) -> Self {
        Self(Kind::Level(compression, level))
    }
}

#[cfg(feature = "gzip")]
impl From<storage_gzip::EncodeOptions> for CompressionLayer {
    fn from(options: storage_gzip::EncodeOptions) -> Self {
        Self(Kind::EncodeGzip(options))
    }
}

#[cfg(feature = "gzip")]
impl From<storage_gzip::DecodeOptions> for CompressionLayer {
    fn from(options: storage_gzip::DecodeOptions) -> Self {
        Self(Kind::DecodeGzip(options))
    }
}

#[cfg(feature = "snappy")]
impl From<storage_snappy::DecodeOptions> for CompressionLayer {
    fn from(options: storage_snappy::DecodeOptions) -> Self {
        Self(Kind::DecodeSnappy(options))
    }
}

#[cfg(feature = "zstd")]
impl From<storage_zstd::EncodeOptions> for CompressionLayer {
    fn from(options: storage_zstd::EncodeOptions) -> Self {
        Self(Kind::EncodeZstd(options))
    }
}

#[cfg(feature = "zstd")]
impl From<storage_zstd::DecodeOptions> for CompressionLayer {
    fn from(options: storage_zstd::DecodeOptions) -> Self {
        Self(Kind::DecodeZstd(options))
    }
}
