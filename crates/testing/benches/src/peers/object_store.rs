use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::buffered::{BufReader, BufWriter};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};

use crate::Result;
use crate::store::{Store, sum};

/// object_store by its plain calls and their streams.
#[derive(Debug, Clone)]
pub(crate) struct ObjectStorePeer(pub(crate) Arc<dyn ObjectStore>);

impl Store for ObjectStorePeer {
    type Key = Path;

    fn key(&self, name: &str) -> Result<Path> {
        Ok(Path::parse(name)?)
    }

    async fn read(&self, key: &Path) -> Result<u64> {
        Ok(self.0.get(key).await?.bytes().await?.len() as u64)
    }

    async fn read_pieces(&self, key: &Path) -> Result<u64> {
        let stream = self.0.get(key).await?.into_stream();
        Ok(sum(&stream.try_collect::<Vec<_>>().await?))
    }

    async fn write(&self, key: &Path, bytes: Bytes) -> Result {
        self.0.put(key, bytes.into()).await?;
        Ok(())
    }

    async fn stream_read(&self, key: &Path) -> Result<u64> {
        let mut stream = self.0.get(key).await?.into_stream();
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn stream_write(&self, key: &Path, chunks: &[Bytes]) -> Result {
        let mut upload = WriteMultipart::new(self.0.put_multipart(key).await?);
        for chunk in chunks {
            upload.wait_for_capacity(4).await?;
            upload.put(chunk.clone());
        }
        upload.finish().await?;
        Ok(())
    }

    async fn list(&self, folder: &Path) -> Result<(u64, u64)> {
        let page = self.0.list_with_delimiter(Some(folder)).await?;
        let sum = page.objects.iter().map(|object| object.size).sum();
        Ok((page.objects.len() as u64, sum))
    }
}

/// object_store by its buffered adapters, and its streaming list.
#[derive(Debug, Clone)]
pub(crate) struct BufferedObjectStore(pub(crate) Arc<dyn ObjectStore>);

impl Store for BufferedObjectStore {
    type Key = Path;

    fn key(&self, name: &str) -> Result<Path> {
        Ok(Path::parse(name)?)
    }

    async fn read(&self, key: &Path) -> Result<u64> {
        ObjectStorePeer(self.0.clone()).read(key).await
    }

    async fn read_pieces(&self, key: &Path) -> Result<u64> {
        ObjectStorePeer(self.0.clone()).read_pieces(key).await
    }

    async fn write(&self, key: &Path, bytes: Bytes) -> Result {
        self.stream_write(key, &[bytes]).await
    }

    async fn stream_read(&self, key: &Path) -> Result<u64> {
        let meta = self.0.head(key).await?;
        let mut reader = BufReader::new(Arc::clone(&self.0), &meta);
        let mut size = 0;
        loop {
            let chunk = reader.fill_buf().await?.len();
            if chunk == 0 {
                return Ok(size);
            }
            reader.consume(chunk);
            size += chunk as u64;
        }
    }

    async fn stream_write(&self, key: &Path, chunks: &[Bytes]) -> Result {
        let mut writer = BufWriter::new(Arc::clone(&self.0), key.clone());
        for chunk in chunks {
            writer.put(chunk.clone()).await?;
        }
        writer.shutdown().await?;
        Ok(())
    }

    async fn list(&self, folder: &Path) -> Result<(u64, u64)> {
        let (mut count, mut sum) = (0, 0);
        let mut objects = self.0.list(Some(folder));
        while let Some(object) = objects.try_next().await? {
            sum += object.size;
            count += 1;
        }
        Ok((count, sum))
    }
}
