use std::sync::Arc;

use futures_util::StreamExt;
use storage_core::{
    Backend, BackendExt, ByteStream, Payload, PayloadSource, ReadOptions, WriteOptions,
};
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::concurrency::ConcurrencyLimit;

use crate::path;

#[tokio::test]
async fn a_task_with_a_reader_may_ask_for_a_writer() {
    let backend = MemoryBackend::new().layer(ConcurrencyLimit::new(1));
    backend.put("a", vec![1; 1 << 20]).await.unwrap();
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(backend.open("a").await.unwrap());
    }
    let mut writer = backend
        .writer(&path("b"), WriteOptions::default())
        .await
        .unwrap();
    for reader in readers {
        writer
            .write_bytes(reader.bytes().await.unwrap())
            .await
            .unwrap();
    }
    assert_eq!(writer.finish().await.unwrap().size, 3 << 20);
}

/// A payload that is read from the same store while it is written.
struct FromStore(Arc<dyn Backend>);

impl PayloadSource for FromStore {
    fn len(&self) -> u64 {
        5
    }

    fn stream(&self) -> ByteStream {
        let backend = Arc::clone(&self.0);
        let open = async move {
            let reader = backend.reader(&path("a"), ReadOptions::default()).await;
            match reader {
                Ok(reader) => reader.left_stream(),
                Err(error) => futures_util::stream::iter([Err(error)]).right_stream(),
            }
        };
        Box::pin(futures_util::stream::once(open).flatten())
    }
}

#[tokio::test]
async fn a_payload_may_come_from_the_same_store() {
    let limited = MemoryBackend::new().layer(ConcurrencyLimit::new(1));
    let backend: Arc<dyn Backend> = Arc::new(limited);
    backend.put("a", "hello").await.unwrap();
    let payload = Payload::from_source(Arc::new(FromStore(Arc::clone(&backend))));
    backend.put("b", payload).await.unwrap();
    assert_eq!(backend.get("b").await.unwrap(), "hello");
}
