use std::sync::Arc;

use bytes::Bytes;
use storage_core::{Backend, BackendExt, ListOptions, ObjectPath, Prefix, WriteOptions};

use crate::Result;
use crate::store::{Store, sum};

/// A backend of this workspace, as programs hold it.
#[derive(Debug, Clone)]
pub(crate) struct Own(pub(crate) Arc<dyn Backend>);

impl Store for Own {
    type Key = String;

    fn key(&self, name: &str) -> Result<String> {
        Ok(name.to_owned())
    }

    async fn read(&self, key: &String) -> Result<u64> {
        Ok((*self.0).get(key).await?.len() as u64)
    }

    async fn read_pieces(&self, key: &String) -> Result<u64> {
        let mut reader = (*self.0).open(key).await?;
        let mut pieces = Vec::new();
        while let Some(chunk) = reader.chunk().await {
            pieces.push(chunk?);
        }
        Ok(sum(&pieces))
    }

    async fn write(&self, key: &String, bytes: Bytes) -> Result {
        (*self.0).put(key, bytes).await?;
        Ok(())
    }

    async fn stream_read(&self, key: &String) -> Result<u64> {
        let mut reader = (*self.0).open(key).await?;
        let mut size = 0;
        while let Some(chunk) = reader.chunk().await {
            size += chunk?.len() as u64;
        }
        Ok(size)
    }

    async fn stream_write(&self, key: &String, chunks: &[Bytes]) -> Result {
        let path = ObjectPath::new(key)?;
        let mut writer = self.0.writer(&path, WriteOptions::default()).await?;
        for chunk in chunks {
            writer.write_bytes(chunk.clone()).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn list(&self, folder: &String) -> Result<(u64, u64)> {
        let (mut count, mut sum) = (0, 0);
        let mut entries = (*self.0).entries(Prefix::new(folder)?, ListOptions::default());
        while let Some(entry) = entries.next().await {
            let entry = entry?;
            entry.modified.ok_or("no modified time")?;
            sum += entry.size.ok_or("no size")?;
            count += 1;
        }
        Ok((count, sum))
    }
}
