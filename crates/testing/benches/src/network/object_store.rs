use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, WriteMultipart};

use super::client::Client;
use super::place::{KEY, Place, REGION, SECRET};
use super::work::{PART, PARTS};
use crate::Result;

/// object_store, reading large objects by one request or by several at once.
#[derive(Debug)]
pub(crate) struct ObjectStorePeer {
    store: AmazonS3,
    concurrent: bool,
}

impl ObjectStorePeer {
    pub(crate) fn new(place: &Place, concurrent: bool) -> Result<Self> {
        let options = ClientOptions::new().with_allow_http(true);
        let store = AmazonS3Builder::new()
            .with_endpoint(&place.endpoint)
            .with_bucket_name(&place.bucket)
            .with_region(REGION)
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .with_unsigned_payload(!place.signed)
            .with_client_options(options)
            .build()?;
        Ok(Self { store, concurrent })
    }
}

#[async_trait]
impl Client for ObjectStorePeer {
    async fn put(&self, key: &str, bytes: Bytes) -> Result {
        self.store.put(&Path::from(key), bytes.into()).await?;
        Ok(())
    }

    async fn put_large(&self, key: &str, parts: &[Bytes]) -> Result {
        let upload = self.store.put_multipart(&Path::from(key)).await?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART);
        for part in parts {
            upload.wait_for_capacity(PARTS).await?;
            upload.put(part.clone());
        }
        upload.finish().await?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<u64> {
        let found = self.store.get(&Path::from(key)).await?;
        Ok(found.bytes().await?.len() as u64)
    }

    async fn get_large(&self, key: &str, size: u64) -> Result<u64> {
        let path = Path::from(key);
        if !self.concurrent {
            let stream = self.store.get(&path).await?.into_stream();
            let sum = stream.try_fold(0, |sum, bytes| async move { Ok(sum + bytes.len() as u64) });
            return Ok(sum.await?);
        }
        let starts = futures_util::stream::iter((0..size).step_by(PART));
        let ranges = starts.map(|start| {
            let range = start..size.min(start + PART as u64);
            let (store, path) = (&self.store, &path);
            async move { store.get_range(path, range).await }
        });
        let sum = ranges
            .buffered(PARTS)
            .try_fold(0, |sum, bytes| async move { Ok(sum + bytes.len() as u64) });
        Ok(sum.await?)
    }

    async fn range(&self, key: &str, range: Range<u64>) -> Result<u64> {
        let bytes = self.store.get_range(&Path::from(key), range).await?;
        Ok(bytes.len() as u64)
    }

    async fn stat(&self, key: &str) -> Result<u64> {
        Ok(self.store.head(&Path::from(key)).await?.size)
    }

    async fn delete(&self, key: &str) -> Result {
        Ok(self.store.delete(&Path::from(key)).await?)
    }

    async fn purge(&self, prefix: &str) -> Result {
        let listed = self.store.list(Some(&Path::from(prefix)));
        let paths = listed.map_ok(|object| object.location).boxed();
        let mut deleted = self.store.delete_stream(paths);
        while deleted.try_next().await?.is_some() {}
        Ok(())
    }

    async fn list(&self, prefix: &str) -> Result<u64> {
        let path = Path::from(prefix);
        let mut listed = self.store.list(Some(&path));
        let mut count = 0;
        while let Some(object) = listed.try_next().await? {
            let _ = (object.size, object.last_modified);
            count += 1;
        }
        Ok(count)
    }
}
