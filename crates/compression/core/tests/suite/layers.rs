//! What becomes of the layer below: published by a shutdown, never otherwise.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use storage_core::{Backend, BackendExt, Error, ErrorKind, ObjectPath, WriteOptions, Writer};
use storage_faults::{Crash, Intercept as _};
use storage_memory::MemoryBackend;
use tokio::io::AsyncWriteExt;

use super::{Codec, Trickle, block_on, decompress, sample};

async fn open(backend: &MemoryBackend) -> Writer {
    let path = ObjectPath::new("a").unwrap();
    backend
        .writer(&path, WriteOptions::default())
        .await
        .unwrap()
}

pub(crate) fn a_shutdown_publishes_and_a_drop_does_not<C: Codec>() {
    let data = sample(1_000_000, 1);
    block_on(async {
        let backend = MemoryBackend::new();
        let mut writer = C::writer(open(&backend).await);
        writer.write_all(&data).await.unwrap();
        writer.flush().await.unwrap();
        drop(writer);
        assert_eq!((backend.len(), backend.total_bytes()), (0, 0));

        let mut writer = C::writer(open(&backend).await);
        writer.write_all(&data).await.unwrap();
        writer.abort().await.unwrap();
        assert_eq!((backend.len(), backend.total_bytes()), (0, 0));

        let mut writer = C::writer(open(&backend).await);
        writer.write_all(&data).await.unwrap();
        assert_eq!(backend.len(), 0);
        writer.shutdown().await.unwrap();
        writer.shutdown().await.unwrap();
        drop(writer);
        let (result, error) = decompress::<C>(&backend.get("a").await.unwrap());
        assert!(error.is_none() && result == data, "{error:?}");
    });
}

pub(crate) fn a_failure_below_publishes_nothing<C: Codec>() {
    let data = sample(1_000_000, 2);
    block_on(async {
        // The store runs out of room.
        let backend = MemoryBackend::builder().max_bytes(100_000).build();
        let mut writer = C::writer(open(&backend).await);
        let written = async {
            writer.write_all(&data).await?;
            writer.shutdown().await
        };
        let error = Error::from(written.await.unwrap_err());
        assert!(error.is_quota_exceeded(), "{error}");
        let error = Error::from(writer.shutdown().await.unwrap_err());
        assert!(error.is_writer_closed(), "{error}");
        assert!(writer.finish().await.unwrap_err().is_writer_closed());
        assert_eq!(backend.len(), 0);

        // Any stream below that fails is not shut down afterwards.
        for fails_after in [0, 5, 1_000, 60_000] {
            let mut below = Trickle::new(1 << 20);
            below.fails_after = fails_after;
            let mut writer = C::writer(below);
            let written = async {
                writer.write_all(&data).await?;
                writer.shutdown().await
            };
            assert!(Error::from(written.await.unwrap_err()).is_quota_exceeded());
            for error in [
                writer.shutdown().await.unwrap_err(),
                writer.flush().await.unwrap_err(),
                writer.write_all(b"more").await.unwrap_err(),
            ] {
                assert!(Error::from(error).is_writer_closed());
            }
            assert!(!writer.get_ref().shut);
        }
    });
}

pub(crate) fn a_crash_at_any_step_publishes_nothing<C: Codec>() {
    let data = sample(1_000_000, 4);
    // Keeps the writer and shuts it down again after a failure, as a careless caller might.
    let work = async |backend: &dyn Backend| -> Result<(), Error> {
        let path = ObjectPath::new("a")?;
        let mut writer = C::writer(backend.writer(&path, WriteOptions::default()).await?);
        let written = async {
            for piece in data.chunks(300_000) {
                writer.write_all(piece).await?;
                writer.flush().await?;
            }
            writer.shutdown().await
        };
        let written = written.await;
        if written.is_err() {
            writer.shutdown().await.unwrap_err();
        }
        Ok(written?)
    };
    let count = Crash::never();
    let whole = MemoryBackend::new();
    block_on(work(&count.over(whole.clone()))).unwrap();
    assert!(count.steps() > 5 && whole.len() == 1, "{}", count.steps());
    for step in 1..=count.steps() {
        let store = MemoryBackend::new();
        block_on(work(&Crash::before(step).over(store.clone()))).unwrap_err();
        assert_eq!((store.len(), store.total_bytes()), (0, 0), "step {step}");
    }
}

/// Polls once and drops the future.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn cancelled_calls_lose_nothing<C: Codec>() {
    let data = sample(300_000, 3);
    let mut writer = C::writer(Trickle::new(11));
    let (mut rest, mut cancelled) = (&data[..], 0);
    while !rest.is_empty() {
        // A write that was dropped while pending took nothing.
        let piece = &rest[..rest.len().min(30_000)];
        match poll_once(writer.write(piece)) {
            Poll::Ready(count) => rest = &rest[count.unwrap()..],
            Poll::Pending => cancelled += 1,
        }
        // A flush that was dropped may be followed by a write.
        if rest.len() % 5 == 0 && poll_once(writer.flush()).is_pending() {
            cancelled += 1;
        }
    }
    while poll_once(writer.shutdown()).is_pending() {
        cancelled += 1;
        assert!(cancelled < 1_000_000);
    }
    assert!(cancelled > 10, "{cancelled}");
    let (result, error) = decompress::<C>(&writer.into_inner().data);
    assert!(error.is_none() && result == data, "{error:?}");
}

pub(crate) fn a_closed_writer_takes_nothing<C: Codec>() {
    block_on(async {
        let mut writer = C::writer(Vec::new());
        writer.write_all(b"some").await.unwrap();
        writer.shutdown().await.unwrap();
        let length = writer.get_ref().len();
        let error = Error::from(writer.write_all(b"more").await.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::WriterClosed);
        writer.flush().await.unwrap();
        writer.shutdown().await.unwrap();
        assert_eq!(writer.get_ref().len(), length);
    });
}
