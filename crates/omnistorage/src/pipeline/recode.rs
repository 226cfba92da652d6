//! Trees that are compressed or decompressed on their way through a sync engine's job.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use storage_compression::{Compression, Level, Limits};
use storage_core::{
    Bytes, Error, ErrorKind, ObjectInfo, ObjectPath, Reader, Result, WriteSink, Writer, Written,
    async_trait,
};
use storage_sync::Transform;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use super::CompressionLayer;
use super::compression::Prepared;

/// Compresses each object of a [transformed tree](storage_sync::Tree::transformed), and adds the
/// extension to its name: `a.txt` becomes `a.txt.zst`. Objects that their names call compressed
/// already stay as they are.
///
/// ```
/// use std::sync::Arc;
/// use omnistorage::compression::{Compression, Level};
/// use omnistorage::pipeline::Compress;
/// use omnistorage::sync::{Command, Job, Options, SyncError, Tree};
///
/// async fn archive(logs: Tree, archive: Tree) -> Result<u64, SyncError> {
///     let compress = Compress::new(Compression::Zstd, Level::Better)?;
///     let source = logs.transformed(Arc::new(compress));
///     let job = Job::new(Command::Copy, source, archive, Options::default())?;
///     Ok(job.run().summary().await?.created)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Compress {
    compression: Compression,
    level: Level,
}

impl Compress {
    /// Compresses at this level.
    ///
    /// # Errors
    /// `Unsupported` when the compression is not compiled in, `Config` when it has no such level.
    pub fn new(compression: Compression, level: Level) -> Result<Self> {
        CompressionLayer::from((compression, level)).prepare()?;
        Ok(Self { compression, level })
    }
}

#[async_trait]
impl Transform for Compress {
    fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match self.changes_content(path) {
            true => ObjectPath::new(format!("{path}.{}", self.compression.extension())),
            false => Ok(path.clone()),
        }
    }

    fn changes_content(&self, path: &ObjectPath) -> bool {
        Compression::detect(path).is_none()
    }

    async fn transform(&self, _path: &ObjectPath, content: Reader) -> Result<Reader> {
        let layer = CompressionLayer::from((self.compression, self.level));
        Ok(match layer.prepare()? {
            Some(over) => through(content, over),
            None => content,
        })
    }
}

/// Decompresses the objects of a [transformed tree](storage_sync::Tree::transformed) whose names say
/// that they are compressed, and takes the extension off: `a.txt.zst` becomes `a.txt`. All others
/// stay as they are.
#[derive(Debug, Clone, Default)]
pub struct Decompress {
    limits: Limits,
}

impl Decompress {
    /// Decompresses no object beyond these limits.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

#[async_trait]
impl Transform for Decompress {
    fn rename(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match Compression::split(path) {
            (name, Some(_)) => ObjectPath::new(name),
            _ => Ok(path.clone()),
        }
    }

    fn changes_content(&self, path: &ObjectPath) -> bool {
        Compression::detect(path).is_some()
    }

    async fn transform(&self, path: &ObjectPath, content: Reader) -> Result<Reader> {
        match Compression::detect(path) {
            Some(compression) => {
                CompressionLayer::from(compression).decompress(content, Some(self.limits))
            }
            None => Ok(content),
        }
    }
}

/// Chunks that wait to be taken.
const AHEAD: usize = 4;

/// What a writer over a pipe has made of what was read. A task of its own moves the bytes; dropping
/// the reader ends it.
fn through(mut content: Reader, over: Prepared) -> Reader {
    let info = ObjectInfo::new(content.info().path.clone());
    let (sender, made) = mpsc::channel(AHEAD);
    let sink = Pipe {
        sender: sender.clone(),
        size: 0,
    };
    let mut writer = over(Writer::new("pipe", info.path.clone(), sink));
    let moving = async move {
        while let Some(chunk) = content.chunk().await {
            writer.write_bytes(chunk?).await?;
        }
        writer.finish().await
    };
    let task = tokio::spawn(async move {
        let last = match moving.await {
            Ok(_) => Part::End,
            Err(error) => Part::Failed(error),
        };
        // Fails when nobody reads any more.
        let _ = sender.send(last).await;
    });
    let made = Made {
        made,
        task,
        is_done: false,
    };
    Reader::from_unsized_stream(info, Box::pin(made))
}

enum Part {
    Bytes(Bytes),
    Failed(Error),
    /// Without it, the end would look like that of a task that broke off.
    End,
}

struct Pipe {
    sender: Sender<Part>,
    size: u64,
}

#[async_trait]
impl WriteSink for Pipe {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.size += chunk.len() as u64;
        let gone = |_| Error::new(ErrorKind::ReaderClosed, "nobody reads what is made");
        self.sender.send(Part::Bytes(chunk)).await.map_err(gone)
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        Ok(Written::new(self.size))
    }
}

struct Made {
    made: Receiver<Part>,
    task: JoinHandle<()>,
    is_done: bool,
}

impl Stream for Made {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_done {
            return Poll::Ready(None);
        }
        let part = std::task::ready!(self.made.poll_recv(cx));
        Poll::Ready(match part {
            Some(Part::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Part::End) => {
                self.is_done = true;
                None
            }
            Some(Part::Failed(error)) => {
                self.is_done = true;
                Some(Err(error))
            }
            None => {
                self.is_done = true;
                Some(Err(Error::new(
                    ErrorKind::Other,
                    "the task that compresses broke off",
                )))
            }
        })
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.task.abort();
    }
}
