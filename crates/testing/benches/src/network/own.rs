use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, BackendExt, ListOptions, ObjectPath, Prefix, RmdirOptions, WriteOptions,
};
use storage_s3::{Capabilities, S3Backend};

use super::client::Client;
use super::place::{KEY, Place, REGION, SECRET};
use super::work::{PART, PARTS};
use crate::Result;

/// The backend of this workspace.
#[derive(Debug)]
pub(crate) struct Own(S3Backend);

impl Own {
    /// `capabilities` spare the requests that find them out.
    pub(crate) async fn open(place: &Place, capabilities: Option<Capabilities>) -> Result<Self> {
        let mut builder = S3Backend::builder(&place.bucket)
            .endpoint(&place.endpoint)
            .region(REGION)
            .credentials(KEY, SECRET, None)
            .sign_payload(place.signed)
            .part_size(PART as u64)
            .concurrency(PARTS)
            .memory_limit((PART * PARTS) as u64);
        if let Some(capabilities) = capabilities {
            builder = builder.capabilities(capabilities);
        }
        Ok(Self(builder.open().await?))
    }
}

#[async_trait]
impl Client for Own {
    async fn put(&self, key: &str, bytes: Bytes) -> Result {
        self.0.put(key, bytes).await?;
        Ok(())
    }

    async fn put_large(&self, key: &str, parts: &[Bytes]) -> Result {
        let path = ObjectPath::new(key)?;
        let mut writer = self.0.writer(&path, WriteOptions::default()).await?;
        for part in parts {
            writer.write_bytes(part.clone()).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<u64> {
        Ok(self.0.get(key).await?.len() as u64)
    }

    async fn get_large(&self, key: &str, _size: u64) -> Result<u64> {
        let mut reader = self.0.open(key).await?;
        let mut size = 0;
        while let Some(chunk) = reader.chunk().await {
            size += chunk?.len() as u64;
        }
        Ok(size)
    }

    async fn range(&self, key: &str, range: Range<u64>) -> Result<u64> {
        Ok(self.0.read_range(key, range).await?.len() as u64)
    }

    async fn stat(&self, key: &str) -> Result<u64> {
        let info = self.0.try_stat(key).await?.ok_or("no such object")?;
        Ok(info.size.ok_or("no size")?)
    }

    async fn delete(&self, key: &str) -> Result {
        self.0.delete(&ObjectPath::new(key)?).await?;
        Ok(())
    }

    async fn purge(&self, prefix: &str) -> Result {
        let extended = self.0.as_extended().ok_or("no extended part")?;
        let path = ObjectPath::new(prefix.trim_end_matches('/'))?;
        let options = RmdirOptions::default().recursive(true);
        Ok(extended.rmdir(&path, options).await?)
    }

    async fn list(&self, prefix: &str) -> Result<u64> {
        let options = ListOptions::default().recursive(true);
        let mut entries = self.0.entries(Prefix::new(prefix)?, options);
        let mut count = 0;
        while let Some(entry) = entries.next().await {
            entry?.size.ok_or("no size")?;
            count += 1;
        }
        Ok(count)
    }
}
