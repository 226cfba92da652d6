//! Readers and writers through named layers: a backend, a compression, a record format.
//!
//! ```
//! use omnistorage::compression::{Compression, Level};
//! use omnistorage::memory::MemoryBackend;
//! use omnistorage::{format::Format, pipeline};
//!
//! # #[tokio::main]
//! # async fn main() -> omnistorage::Result<()> {
//! let store = MemoryBackend::new();
//!
//! // The layers by name.
//! let mut writer = pipeline(&store, "points")
//!     .compression((Compression::Zstd, Level::Better))
//!     .format(Format::Ndjson)
//!     .record_writer()
//!     .await?;
//! writer.write(br#"{"x":1}"#).await?;
//! writer.close().await?; // closes all layers, in order; only now is the object visible
//!
//! // The same by extension, and on reading by the first bytes too.
//! let mut writer = pipeline(&store, "points.csv.gz").detect().record_writer().await?;
//! let mut reader = pipeline(&store, "points").detect().format(Format::Ndjson).record_reader().await?;
//! while let Some(record) = reader.read().await? {
//!     writer.write(&record).await?;
//! }
//! writer.close().await?;
//!
//! let text = pipeline(&store, "points.csv.gz").detect().reader().await?.bytes().await?;
//! assert_eq!(text, "x\n1\n");
//! # Ok(())
//! # }
//! ```
//!
//! What [`reader`](Pipeline::reader) and [`writer`](Pipeline::writer) return is a [`Reader`] and a
//! [`Writer`] like a backend's own, so that a format whose type is known goes on top of them without
//! `dyn`: `storage_ndjson::from_chunks(pipeline(&store, "a.ndjson.gz").detect().reader().await?)`.

mod ahead;
mod compression;
mod detect;
mod format;
mod missing;
mod placed;
#[cfg(feature = "sync")]
mod recode;

pub use compression::CompressionLayer;
pub use format::FormatLayer;
pub use missing::MissingFeature;
#[cfg(feature = "sync")]
pub use recode::{Compress, Decompress};

use storage_compression::Limits;
use storage_core::{
    Backend, ByteRange, Error, ObjectPath, Operation, ReadOptions, Reader, RecordReader,
    RecordWriter, Result, WriteOptions, Writer,
};

use compression::Prepared;

/// Describes the layers that an object is read or written through; see the [module](self).
///
/// Without [`detect`](Self::detect) there are the layers that are named, and no others.
///
/// # Closing
/// Closing or finishing the outermost layer closes all of them in order and publishes the object; the
/// first error is returned, and then nothing was published. **Dropping it publishes nothing**, and
/// leaves no task behind.
#[derive(Debug)]
#[must_use = "a pipeline does nothing until a reader or writer is opened"]
pub struct Pipeline<'a, B: ?Sized> {
    backend: &'a B,
    path: String,
    settings: Settings,
}

#[derive(Debug, Clone, Default)]
struct Settings {
    detect: bool,
    compression: Option<CompressionLayer>,
    format: Option<FormatLayer>,
    limits: Option<Limits>,
    overlap: Option<bool>,
    read: ReadOptions,
    write: WriteOptions,
}

/// Reads or writes the object at `path` through layers. Of an `Arc<dyn Backend>`, give `&*store`.
pub fn pipeline<B: Backend + ?Sized>(backend: &B, path: impl Into<String>) -> Pipeline<'_, B> {
    Pipeline {
        backend,
        path: path.into(),
        settings: Settings::default(),
    }
}

impl<B: ?Sized> Clone for Pipeline<'_, B> {
    fn clone(&self) -> Self {
        Self {
            backend: self.backend,
            path: self.path.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl<B: Backend + ?Sized> Pipeline<'_, B> {
    /// Finds the layers that are not named by the extensions of the path, `x.csv.gz`: a compression
    /// by `gz`, `zst`, `sz`, and below it a format by `ndjson`, `jsonl`, `csv`, `tsv`, `lp`.
    ///
    /// When reading, first bytes that show a compression count more than the name, but where the name
    /// says that the object is uncompressed length-prefixed records: those may begin with anything.
    pub const fn detect(mut self) -> Self {
        self.settings.detect = true;
        self
    }

    /// Names the compression, or its options: a [`Compression`](storage_compression::Compression)
    /// works both ways, one with a [`Level`](storage_compression::Level) and a codec's
    /// `EncodeOptions` for writing, its `DecodeOptions` for reading, [`CompressionLayer::NONE`] keeps
    /// [`detect`](Self::detect) from finding one.
    pub fn compression(mut self, compression: impl Into<CompressionLayer>) -> Self {
        self.settings.compression = Some(compression.into());
        self
    }

    /// Names the record format, or its options.
    pub fn format(mut self, format: impl Into<FormatLayer>) -> Self {
        self.settings.format = Some(format.into());
        self
    }

    /// How much may be decompressed; for reading, and not beside a codec's `DecodeOptions`, which
    /// have limits of their own.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = Some(limits);
        self
    }

    /// Whether a reader decompresses on a task of its own, up to 512 KiB ahead, so that it runs
    /// beside what the program does with the bytes. By default it does for objects of at least
    /// 256 KiB on a runtime of several threads. `true` needs a Tokio runtime. What is not compressed
    /// has no such work.
    pub const fn overlap(mut self, overlap: bool) -> Self {
        self.settings.overlap = Some(overlap);
        self
    }

    /// How the stored bytes are read. A range of them cannot be decompressed or detected.
    pub fn read_options(mut self, options: ReadOptions) -> Self {
        self.settings.read = options;
        self
    }

    /// How the stored bytes are written; size and hashes are those of the compressed ones. Appending
    /// adds a member or frame.
    pub fn write_options(mut self, options: WriteOptions) -> Self {
        self.settings.write = options;
        self
    }

    /// Opens a reader of the decompressed bytes.
    ///
    /// # Errors
    /// Those of the backend. `Unsupported`, with [`MissingFeature`] as its source, for a codec or
    /// format that is not compiled in. `Config` for a format that is named, which has records and
    /// not bytes, and for options that are for writing or contradict each other.
    pub async fn reader(self) -> Result<Reader> {
        if self.settings.format.is_some() {
            return Err(self.config("a format has records: open a record reader"));
        }
        self.open().await
    }

    /// Opens a writer that compresses.
    ///
    /// # Errors
    /// As [`reader`](Self::reader), before the backend is asked for anything.
    pub async fn writer(self) -> Result<Writer> {
        if self.settings.format.is_some() {
            return Err(self.config("a format has records: open a record writer"));
        }
        let (path, prepared) = self.prepare()?;
        self.create(&path, prepared).await
    }

    /// Opens a reader of records. Errors of the format are `Corrupt`, with its own error, which knows
    /// line or offset, as their source.
    ///
    /// # Errors
    /// As [`reader`](Self::reader), and `Config` where no format is named or found.
    pub async fn record_reader(mut self) -> Result<Box<dyn RecordReader>> {
        let format = self.take_format()?;
        format.check().map_err(|error| self.place(error))?;
        let (backend, path) = (self.backend.name(), self.object_path()?);
        let reader = self.open().await?;
        format.reader(reader, placed::Place { backend, path })
    }

    /// Opens a writer of records.
    ///
    /// # Errors
    /// As [`record_reader`](Self::record_reader); `Unsupported` for CSV that is to be appended,
    /// unless its options are given, since it would get a second header.
    pub async fn record_writer(mut self) -> Result<Box<dyn RecordWriter>> {
        let format = self.take_format()?;
        let checked = format
            .check()
            .and_then(|()| format.check_mode(&self.settings.write));
        checked.map_err(|error| self.place(error))?;
        let (path, prepared) = self.prepare()?;
        let writer = self.create(&path, prepared).await?;
        let backend = self.backend.name();
        format.writer(writer, placed::Place { backend, path })
    }

    async fn open(self) -> Result<Reader> {
        let path = self.object_path()?;
        let whole = self.settings.read.clone().into_parts().range == ByteRange::Full;
        let layered = self.settings.detect
            || self
                .settings
                .compression
                .as_ref()
                .is_some_and(|c| !c.is_none());
        if layered && !whole {
            let message = "a range of the stored bytes can be neither detected nor decompressed";
            return Err(self.config(message));
        }
        if let Some(layer) = &self.settings.compression {
            let checked = layer.check_reading(self.settings.limits);
            checked.map_err(|error| self.place(error))?;
        }
        let reader = self
            .backend
            .reader(&path, self.settings.read.clone())
            .await?;
        let size = reader.info().size;
        let (reader, layer) = self.find_compression(reader).await?;
        if layer.is_none() {
            return Ok(reader);
        }
        let reader = layer
            .decompress(reader, self.settings.limits)
            .and_then(|reader| ahead::read_ahead(reader, size, self.settings.overlap));
        reader.map_err(|error| self.place(error))
    }

    async fn find_compression(&self, reader: Reader) -> Result<(Reader, CompressionLayer)> {
        if let Some(named) = &self.settings.compression {
            return Ok((reader, named.clone()));
        }
        if !self.settings.detect {
            return Ok((reader, CompressionLayer::NONE));
        }
        let (reader, found) =
            detect::compression(&self.path, self.settings.format.as_ref(), reader).await?;
        Ok((reader, found.map_or(CompressionLayer::NONE, Into::into)))
    }

    /// Everything that can be wrong with writing before the backend is asked.
    fn prepare(&self) -> Result<(ObjectPath, Option<Prepared>)> {
        let path = self.object_path()?;
        if self.settings.limits.is_some() {
            return Err(self.config("limits of decompression are for reading"));
        }
        if self.settings.overlap.is_some() {
            return Err(self.config("overlap is for reading"));
        }
        let layer = match (&self.settings.compression, self.settings.detect) {
            (Some(named), _) => named.clone(),
            (None, true) => detect::extensions(&self.path)
                .0
                .map_or(CompressionLayer::NONE, Into::into),
            (None, false) => CompressionLayer::NONE,
        };
        let prepared = layer.prepare();
        Ok((path, prepared.map_err(|error| self.place(error))?))
    }

    async fn create(&self, path: &ObjectPath, prepared: Option<Prepared>) -> Result<Writer> {
        let writer = self
            .backend
            .writer(path, self.settings.write.clone())
            .await?;
        Ok(match prepared {
            Some(compress) => compress(writer),
            None => writer,
        })
    }

    fn take_format(&mut self) -> Result<FormatLayer> {
        let found = match self.settings.detect {
            true => detect::extensions(&self.path).1.map(Into::into),
            false => None,
        };
        let format = self.settings.format.clone().or(found);
        format.ok_or_else(|| match self.settings.detect {
            true => self.config("the name does not tell the record format: name it"),
            false => self.config("no record format is named"),
        })
    }

    fn object_path(&self) -> Result<ObjectPath> {
        ObjectPath::new(&self.path)
    }

    fn config(&self, message: &'static str) -> Error {
        self.place(Error::config(message))
    }

    fn place(&self, error: Error) -> Error {
        error
            .on(Operation::Open, self.backend.name())
            .with_path(&self.path)
    }
}
