use std::sync::Arc;

use futures_util::StreamExt as _;
use storage_core::{
    ObjectPath, Payload, Result, WriteOptions, WriteParts, WriteSink as _, Written,
};
use storage_hash::WriteHasher;

use crate::attributes::Attributes;
use crate::put::in_turns;
use crate::sink::S3Sink;
use crate::store::Store;

/// Largest object that one request writes.
const LARGEST: u64 = 5 << 30;

/// Writes a whole object: what is in memory and fits one request without another look.
pub(crate) async fn write(
    store: &Arc<Store>,
    path: &ObjectPath,
    payload: Payload,
    options: WriteOptions,
) -> Result<Written> {
    let mut parts = options.into_parts();
    let size = *parts.size.get_or_insert(payload.len());
    let at_once = size <= store.settings.part_size
        || (size <= LARGEST && !store.keeps_in_multipart(&parts.mode));
    if let Some(pieces) = payload.as_slices().filter(|_| at_once) {
        return at_once_of(store, path, pieces, parts).await;
    }
    if !parts.hashes.is_empty() {
        // Stored at the start of an upload, so they are computed before it.
        let mut first = parts.clone();
        first.verify = first.hashes;
        first.expected = storage_core::Hashes::new();
        let mut hasher = WriteHasher::new(&first);
        let mut chunks = payload.stream();
        while let Some(chunk) = chunks.next().await {
            hasher.update(&chunk?);
        }
        for (hash, digest) in hasher.finish()?.stored.iter() {
            if parts.expected.get(hash).is_none() {
                parts.expected.insert(hash, digest)?;
            }
        }
    }
    stream(store, path, &payload, parts).await
}

async fn at_once_of(
    store: &Arc<Store>,
    path: &ObjectPath,
    pieces: &[bytes::Bytes],
    mut parts: WriteParts,
) -> Result<Written> {
    parts.restrict_to(store.features())?;
    let mut attributes = Attributes::of(&parts, parts.modified)?;
    let mut hasher = WriteHasher::new(&parts);
    in_turns(pieces, |piece| hasher.update(piece)).await;
    let hashes = hasher.finish()?;
    attributes.keep(&hashes.stored);
    let mut written = store.put(path, pieces, &attributes, &parts.mode).await?;
    written.hashes = hashes.reported;
    Ok(written)
}

async fn stream(
    store: &Arc<Store>,
    path: &ObjectPath,
    payload: &Payload,
    parts: WriteParts,
) -> Result<Written> {
    let mut sink = S3Sink::new(Arc::clone(store), path.clone(), parts)?;
    let mut chunks = payload.stream();
    while let Some(chunk) = chunks.next().await {
        sink.write(chunk?).await?;
    }
    Box::new(sink).finish().await
}
