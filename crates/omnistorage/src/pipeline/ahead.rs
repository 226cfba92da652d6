use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use storage_core::{Bytes, Error, ErrorKind, Reader, Result};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

/// Chunks, of up to 128 KiB, that wait to be taken.
const AHEAD: usize = 4;

/// Stored bytes below which a task of its own does not pay.
const WORTHWHILE: u64 = 256 << 10;

/// Reads on a task of its own, if that is `wanted` or, without a wish, where it pays.
pub(super) fn read_ahead(
    reader: Reader,
    stored: Option<u64>,
    wanted: Option<bool>,
) -> Result<Reader> {
    let handle = match (wanted, Handle::try_current()) {
        (Some(false), _) | (None, Err(_)) => return Ok(reader),
        (Some(true), Err(_)) => return Err(Error::config("overlap needs a Tokio runtime")),
        (_, Ok(handle)) => handle,
    };
    let threads = handle.runtime_flavor() != RuntimeFlavor::CurrentThread;
    let large = stored.is_none_or(|size| size >= WORTHWHILE);
    if !wanted.unwrap_or(threads && large) {
        return Ok(reader);
    }
    let info = reader.info().clone();
    Ok(Reader::from_unsized_stream(
        info,
        Box::pin(Ahead::new(reader, &handle)),
    ))
}

/// What a task of its own has read. Dropping it ends the task.
struct Ahead {
    chunks: Receiver<Result<Bytes>>,
    task: JoinHandle<()>,
}

impl Ahead {
    fn new(mut reader: Reader, handle: &Handle) -> Self {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let task = handle.spawn(async move {
            while let Some(chunk) = reader.chunk().await {
                let failed = chunk.is_err();
                if sender.send(chunk).await.is_err() || failed {
                    return;
                }
            }
        });
        Self { chunks, task }
    }
}

impl Stream for Ahead {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(chunk) = ready!(self.chunks.poll_recv(cx)) {
            return Poll::Ready(Some(chunk));
        }
        // Only a task that has come to its own end has read to the end.
        let ended = ready!(Pin::new(&mut self.task).poll(cx));
        Poll::Ready(ended.err().map(|error| {
            let error =
                Error::new(ErrorKind::Other, "reading ahead was stopped").with_source(error);
            Err(error)
        }))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
