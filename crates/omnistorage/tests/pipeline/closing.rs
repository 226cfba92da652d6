//! Closing the outermost layer, dropping it, and the task that reads ahead.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use omnistorage::format::Format;
use omnistorage::memory::MemoryBackend;
use omnistorage::{Backend, BackendExt, ErrorKind, ListOptions, Prefix, pipeline};

use crate::stores::{Store, compressions, drain};

async fn is_empty(backend: &dyn Backend) -> bool {
    let page = backend.list(&Prefix::root(), ListOptions::default()).await;
    page.unwrap().entries.is_empty()
}

#[tokio::test]
async fn closing_publishes_and_dropping_does_not() {
    for store in [Store::file().await, Store::memory()] {
        for (layer, extension) in compressions() {
            for format in Format::ALL {
                let path = format!("a{extension}");
                let open = pipeline(&*store.backend, &path)
                    .compression(layer.clone())
                    .format(format);
                let mut writer = open.clone().record_writer().await.unwrap();
                writer.write(br#"{"a":1}"#).await.unwrap();
                writer.flush().await.unwrap();
                assert!(is_empty(&*store.backend).await);
                drop(writer);
                assert!(is_empty(&*store.backend).await, "{} {path}", store.name);

                let mut writer = open.clone().record_writer().await.unwrap();
                writer.write(br#"{"a":1}"#).await.unwrap();
                writer.close().await.unwrap();
                writer.close().await.unwrap();
                let error = writer.write(b"{}").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::WriterClosed);
                let records = drain(open.record_reader().await.unwrap()).await.unwrap();
                assert_eq!(records, [r#"{"a":1}"#]);
                assert!(
                    store
                        .backend
                        .delete(&omnistorage::ObjectPath::new(&path).unwrap())
                        .await
                        .unwrap()
                );
            }
        }
    }
}

#[tokio::test]
async fn the_first_error_of_a_layer_below_comes_out_of_close() {
    for (layer, extension) in compressions() {
        let backend = MemoryBackend::builder().max_bytes(1000).build();
        let mut writer = pipeline(&backend, format!("a{extension}"))
            .compression(layer)
            .format(Format::LengthPrefixed)
            .record_writer()
            .await
            .unwrap();
        // Not compressible, and short enough to be held until the close.
        let mut state = 1u32;
        let record = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        writer
            .write(&record.take(20_000).collect::<Vec<_>>())
            .await
            .unwrap();
        let error = writer.close().await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::QuotaExceeded,
            "{extension}: {error}"
        );
        let error = writer.close().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriterClosed);
        assert!(backend.is_empty());
    }
}

#[test]
fn reading_ahead_leaves_no_task_behind() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let alive = || runtime.metrics().num_alive_tasks();
    runtime.block_on(async {
        let store = Arc::new(Store::memory());
        let mut writer = pipeline(&*store.backend, "a.zst")
            .detect()
            .writer()
            .await
            .unwrap();
        writer.write_bytes(vec![7; 20 << 20].into()).await.unwrap();
        writer.finish().await.unwrap();
        for overlap in [true, false] {
            let open = pipeline(&*store.backend, "a.zst").detect().overlap(overlap);
            let mut reader = open.reader().await.unwrap();
            assert!(reader.chunk().await.unwrap().is_ok());
            // Twenty megabytes do not fit into what is read ahead.
            assert_eq!(alive(), usize::from(overlap));
            drop(reader);
            while alive() > 0 {
                tokio::task::yield_now().await;
            }
        }
        // Nor does a reader that was dropped while its task waits for a writer that never comes.
        let waiting = Store::channel();
        let stored = store.backend.get("a.zst").await.unwrap();
        let path = omnistorage::ObjectPath::new("a.zst").unwrap();
        let mut writer = waiting
            .backend
            .writer(&path, Default::default())
            .await
            .unwrap();
        writer.write_bytes(stored.slice(..100)).await.unwrap();
        let open = pipeline(&*waiting.backend, "a.zst").detect().overlap(true);
        let reader = open.reader().await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(alive(), 1);
        drop(reader);
        while alive() > 0 {
            tokio::task::yield_now().await;
        }
    });
    runtime.shutdown_timeout(Duration::ZERO);
}

#[tokio::test]
async fn a_task_that_is_ended_from_outside_is_no_end_of_the_stream() {
    let store = Store::memory();
    let mut writer = pipeline(&*store.backend, "a.gz")
        .detect()
        .writer()
        .await
        .unwrap();
    writer.write_bytes(vec![7; 20 << 20].into()).await.unwrap();
    writer.finish().await.unwrap();
    let mut reader = std::thread::scope(|scope| {
        let open = pipeline(&*store.backend, "a.gz").detect().overlap(true);
        let opened = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            // The task of the reader ends with this runtime.
            runtime.block_on(open.reader())
        });
        opened.join().unwrap().unwrap()
    });
    let error = loop {
        match reader.chunk().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("the stream has ended"),
        }
    };
    assert_eq!(error.kind(), ErrorKind::Other);
}

#[test]
fn only_overlap_needs_a_runtime() {
    let store = Store::memory();
    let mut future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(async {
        let open = || pipeline(&*store.backend, "a.gz").detect();
        let mut writer = open().writer().await.unwrap();
        writer.write_bytes(vec![7; 1 << 20].into()).await.unwrap();
        writer.finish().await.unwrap();
        let bytes = open().reader().await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len(), 1 << 20);
        let refused = open().overlap(true).reader().await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Config);
    });
    // Memory makes nobody wait.
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Ready(()));
}
