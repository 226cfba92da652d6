use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use storage_core::{
    Backend, ByteRange, ByteStream, Error, ErrorKind, ObjectPath, ReadOptions, ReadParts, Reader,
    Result, Version,
};

use super::{Retry, Tries};

/// A reader that goes on where it broke, where the version can be held and a part be read.
pub(super) fn resuming<B: Backend>(
    retry: &Retry,
    backend: &Arc<B>,
    reader: Reader,
    options: &ReadOptions,
) -> Reader {
    let ReadParts {
        range: _,
        if_version: _,
        if_changed_from: _,
        verify,
    } = options.clone().into_parts();
    let can = backend.as_extended().is_some_and(|extended| {
        let features = extended.features();
        features.versions && features.range_read
    });
    let (Some(range), Some(version)) = (reader.range(), reader.info().version.clone()) else {
        return reader;
    };
    if verify || !can {
        return reader;
    }
    let path = reader.info().path.clone();
    reader.map_stream(|stream| {
        let state = Resuming {
            backend: Arc::clone(backend),
            path,
            version,
            next: range.start,
            end: range.end,
            tries: retry.tries(),
            stream: Some(stream),
        };
        Box::pin(stream::unfold(state, Resuming::chunk))
    })
}

struct Resuming<B> {
    backend: Arc<B>,
    path: ObjectPath,
    version: Version,
    /// Offset of the next byte in the object.
    next: u64,
    end: u64,
    tries: Tries,
    /// `None` after the end.
    stream: Option<ByteStream>,
}

impl<B: Backend> Resuming<B> {
    async fn chunk(mut self) -> Option<(Result<Bytes>, Self)> {
        loop {
            let stream = self.stream.as_mut()?;
            let mut error = match stream.next().await {
                Some(Ok(chunk)) => {
                    self.next += chunk.len() as u64;
                    self.tries.progress();
                    return Some((Ok(chunk), self));
                }
                None if self.next >= self.end => {
                    self.tries.succeeded();
                    return None;
                }
                Some(Err(error)) => error,
                None => ended_early(self.end - self.next),
            };
            self.stream = None;
            loop {
                if !self.tries.again(&error).await {
                    return Some((Err(error), self));
                }
                match self.reopen().await {
                    Ok(reader) => {
                        self.stream = Some(Box::pin(reader));
                        break;
                    }
                    Err(again) => error = again,
                }
            }
        }
    }

    fn reopen(&self) -> impl Future<Output = Result<Reader>> + Send + use<B> {
        let rest = ByteRange::Bounded(self.next, self.end);
        let options = ReadOptions::from(rest).if_version(self.version.clone());
        let (backend, path) = (Arc::clone(&self.backend), self.path.clone());
        async move { backend.reader(&path, options).await }
    }
}

fn ended_early(missing: u64) -> Error {
    let message = format!("the stream ended {missing} bytes early");
    Error::new(ErrorKind::Corrupt, message).with_transient(true)
}
