//! Standard input and output as a backend, so that they take part in everything that backends do.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use omnistorage::{
    Backend, Bytes, Error, ListOptions, ListPage, ObjectInfo, ObjectPath, Operation, Prefix,
    ReadOptions, Reader, Result, WriteMode, WriteOptions, WriteSink, Writer, Written, async_trait,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Stdin, Stdout};

use crate::place::Place;

/// What names standard input or output.
pub(crate) const NAME: &str = "-";

const BACKEND: &str = "stdio";

/// Bytes read at a time.
const CHUNK: usize = 256 << 10;

/// Whatever is read is standard input, whatever is written standard output. What was written is out:
/// nothing is published at the end, and nothing can be taken back.
#[derive(Debug)]
struct Stdio;

/// The place that `-` names.
pub(crate) fn place() -> Result<Place<ObjectPath>> {
    Ok(Place {
        backend: Arc::new(Stdio),
        path: ObjectPath::new(NAME)?,
    })
}

/// A write to standard output that failed.
pub(crate) fn unwritten(error: io::Error) -> Error {
    Error::from(error).on(Operation::Write, BACKEND)
}

/// Whether standard output could not be written.
pub(crate) fn is_unwritten(error: &Error) -> bool {
    error.backend() == Some(BACKEND) && error.operation() == Some(Operation::Write)
}

/// Whether an error is that nobody reads standard output any more.
pub(crate) fn is_unread(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(found) = cause {
        let found_io = found.downcast_ref::<io::Error>();
        if found_io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return is_unwritten(error);
        }
        cause = found.source();
    }
    false
}

#[async_trait]
impl Backend for Stdio {
    fn name(&self) -> &'static str {
        BACKEND
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        if options != ReadOptions::default() {
            return Err(unsupported("standard input can only be read whole", path));
        }
        let stream = futures_util::stream::unfold(tokio::io::stdin(), next_chunk);
        let info = ObjectInfo::new(path.clone());
        Ok(Reader::from_unsized_stream(info, Box::pin(stream)))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        if options != WriteOptions::from(WriteMode::Replace) {
            return Err(unsupported("standard output takes bytes alone", path));
        }
        let sink = Sink {
            stdout: tokio::io::stdout(),
            size: 0,
        };
        Ok(Writer::new(BACKEND, path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        Err(unsupported("standard output cannot be deleted", path))
    }

    async fn list(&self, _: &Prefix, _: ListOptions) -> Result<ListPage> {
        Ok(ListPage::default())
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

fn unsupported(message: &'static str, path: &ObjectPath) -> Error {
    Error::unsupported(message).with_path(path)
}

async fn next_chunk(mut stdin: Stdin) -> Option<(Result<Bytes>, Stdin)> {
    let mut chunk = Vec::with_capacity(CHUNK);
    match stdin.read_buf(&mut chunk).await {
        Ok(0) => None,
        Ok(_) => Some((Ok(chunk.into()), stdin)),
        Err(error) => {
            let error = Error::from(error).on(Operation::Read, BACKEND);
            Some((Err(error), stdin))
        }
    }
}

struct Sink {
    stdout: Stdout,
    size: u64,
}

#[async_trait]
impl WriteSink for Sink {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.stdout.write_all(&chunk).await?;
        self.size += chunk.len() as u64;
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        Ok(self.stdout.flush().await?)
    }

    async fn finish(mut self: Box<Self>) -> Result<Written> {
        self.stdout.flush().await?;
        Ok(Written::new(self.size))
    }
}
