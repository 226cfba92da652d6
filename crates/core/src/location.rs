use std::fmt;
use std::future::Future;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncSeek, ReadBuf};

use crate::{
    Backend, BackendExt, ByteRange, Error, ErrorKind, ObjectPath, ReadOptions, Reader, Result,
    Version, WriteOptions, Writer,
};

/// One path on one backend: create it, open it, remove it, read it at random.
#[derive(Debug, Clone)]
pub struct Location {
    backend: Arc<dyn Backend>,
    path: ObjectPath,
}

impl Location {
    /// The location `path` on `backend`.
    #[must_use]
    pub const fn new(backend: Arc<dyn Backend>, path: ObjectPath) -> Self {
        Self { backend, path }
    }

    /// The backend.
    #[must_use]
    pub const fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &ObjectPath {
        &self.path
    }

    /// Starts writing the object.
    ///
    /// # Errors
    /// Those of [`Backend::writer`].
    pub async fn create(&self, options: WriteOptions) -> Result<Writer> {
        self.backend.writer(&self.path, options).await
    }

    /// Opens the object for streaming.
    ///
    /// # Errors
    /// Those of [`Backend::reader`].
    pub async fn open(&self) -> Result<Reader> {
        self.backend
            .reader(&self.path, ReadOptions::default())
            .await
    }

    /// Deletes the object; `false` when there was none.
    ///
    /// # Errors
    /// Those of [`Backend::delete`].
    pub async fn remove(&self) -> Result<bool> {
        self.backend.delete(&self.path).await
    }

    /// Opens the object for reads at any offset, pinned to its present version where the backend
    /// has versions.
    ///
    /// # Errors
    /// `NotFound`; `Unsupported` when the backend does not know the size.
    pub async fn open_reader_at(&self) -> Result<ReaderAt> {
        let info = self.backend.try_stat(&self.path).await?;
        let info = info.ok_or_else(|| Error::not_found("").with_path(&self.path))?;
        if info.is_dir {
            return Err(Error::new(ErrorKind::IsDirectory, "").with_path(&self.path));
        }
        let size = info.size.ok_or_else(|| {
            Error::unsupported("random access needs a known size").with_path(&self.path)
        })?;
        Ok(ReaderAt {
            location: self.clone(),
            size,
            version: info.version,
        })
    }

    /// Opens the object for reading with seeking.
    ///
    /// # Errors
    /// As [`open_reader_at`](Self::open_reader_at).
    pub async fn open_seeker(&self) -> Result<Seeker> {
        Ok(Seeker::new(self.open_reader_at().await?))
    }
}

/// Reads at any offset of one version of one object. Cheap to clone; reads may run in parallel.
#[derive(Debug, Clone)]
pub struct ReaderAt {
    location: Location,
    size: u64,
    version: Option<Version>,
}

impl ReaderAt {
    /// The object's size in bytes when it was opened.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// At most `len` bytes from `offset`; fewer only at the end of the object.
    ///
    /// # Errors
    /// `PreconditionFailed` when the object was replaced since it was opened; `Corrupt` when a
    /// backend without versions gives fewer bytes than the object had.
    pub async fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let end = offset.saturating_add(len as u64).min(self.size);
        if offset >= end {
            return Ok(Bytes::new());
        }
        let mut options = ReadOptions::from(ByteRange::Bounded(offset, end));
        if let Some(version) = &self.version {
            options = options.if_version(version.clone());
        }
        let bytes = self
            .location
            .backend
            .read(&self.location.path, options)
            .await?;
        if bytes.len() as u64 != end - offset {
            let message = format!(
                "{} bytes at {offset} instead of {}",
                bytes.len(),
                end - offset
            );
            return Err(Error::new(ErrorKind::Corrupt, message).with_path(&self.location.path));
        }
        Ok(bytes)
    }
}

type Fetch = Pin<Box<dyn Future<Output = Result<Bytes>> + Send>>;

/// A reader of one object with seeking: [`AsyncRead`], [`AsyncBufRead`] and [`AsyncSeek`].
///
/// Reads ahead one window of up to 1 MiB: 64 KiB after a seek, doubling while reading goes on in
/// order. Seeking inside the window costs nothing.
pub struct Seeker {
    reader: ReaderAt,
    /// Offset of the next byte to give.
    position: u64,
    window: Bytes,
    next_window: usize,
    fetch: Option<Fetch>,
}

const FIRST_WINDOW: usize = 64 << 10;
const LARGEST_WINDOW: usize = 1 << 20;

impl Seeker {
    const fn new(reader: ReaderAt) -> Self {
        Self {
            reader,
            position: 0,
            window: Bytes::new(),
            next_window: FIRST_WINDOW,
            fetch: None,
        }
    }

    /// The object's size in bytes when it was opened.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.reader.size
    }

    /// The offset of the next byte.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    fn poll_window(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.window.is_empty() || self.position >= self.reader.size {
            return Poll::Ready(Ok(()));
        }
        let (reader, position, len) = (&self.reader, self.position, self.next_window);
        let fetch = self.fetch.get_or_insert_with(|| {
            let reader = reader.clone();
            Box::pin(async move { reader.read_at(position, len).await })
        });
        let fetched = ready!(fetch.as_mut().poll(cx));
        self.fetch = None;
        self.window = fetched?;
        self.next_window = (self.next_window * 2).min(LARGEST_WINDOW);
        Poll::Ready(Ok(()))
    }

    fn advance(&mut self, amount: usize) {
        let amount = amount.min(self.window.len());
        self.window.advance(amount);
        self.position += amount as u64;
    }

    fn seek_to(&mut self, position: u64) {
        let ahead = position
            .checked_sub(self.position)
            .and_then(|n| usize::try_from(n).ok());
        match ahead {
            Some(0) => {}
            Some(ahead) if ahead < self.window.len() => self.advance(ahead),
            _ => {
                (self.window, self.fetch) = (Bytes::new(), None);
                (self.position, self.next_window) = (position, FIRST_WINDOW);
            }
        }
    }
}

impl AsyncRead for Seeker {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_window(cx))?;
        let count = self.window.len().min(buf.remaining());
        buf.put_slice(&self.window[..count]);
        self.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncBufRead for Seeker {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_window(cx))?;
        Poll::Ready(Ok(&this.window))
    }

    fn consume(mut self: Pin<&mut Self>, amount: usize) {
        self.advance(amount);
    }
}

impl AsyncSeek for Seeker {
    /// Seeking past the end is fine; reads there give nothing. Before the start is `InvalidInput`.
    fn start_seek(mut self: Pin<&mut Self>, target: SeekFrom) -> io::Result<()> {
        let position = match target {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.reader.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let position = position.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("seek to {target:?} of {self:?}"),
            )
        })?;
        self.seek_to(position);
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position))
    }
}

impl fmt::Debug for Seeker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seeker")
            .field("path", &self.reader.location.path)
            .field("size", &self.reader.size)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
