use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use opendal::{Operator, services};

use super::client::Client;
use super::place::{KEY, Place, REGION, SECRET};
use super::work::{PART, PARTS};
use crate::Result;

/// OpenDAL, reading large objects by one request or by several at once.
#[derive(Debug)]
pub(crate) struct OpenDal {
    operator: Operator,
    concurrent: bool,
}

impl OpenDal {
    pub(crate) fn new(place: &Place, concurrent: bool) -> Result<Self> {
        let builder = services::S3::default()
            .endpoint(&place.endpoint)
            .bucket(&place.bucket)
            .region(REGION)
            .access_key_id(KEY)
            .secret_access_key(SECRET);
        let operator = Operator::new(builder)?;
        Ok(Self {
            operator,
            concurrent,
        })
    }
}

#[async_trait]
impl Client for OpenDal {
    async fn put(&self, key: &str, bytes: Bytes) -> Result {
        self.operator.write(key, bytes).await?;
        Ok(())
    }

    async fn put_large(&self, key: &str, parts: &[Bytes]) -> Result {
        let writer = self.operator.writer_with(key);
        let mut writer = writer.chunk(PART).concurrent(PARTS).await?;
        for part in parts {
            writer.write(part.clone()).await?;
        }
        writer.close().await?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<u64> {
        Ok(self.operator.read(key).await?.len() as u64)
    }

    async fn get_large(&self, key: &str, size: u64) -> Result<u64> {
        let reader = match self.concurrent {
            true => {
                let reader = self.operator.reader_with(key);
                reader.chunk(PART).concurrent(PARTS).await?
            }
            false => self.operator.reader(key).await?,
        };
        let mut stream = reader.into_bytes_stream(0..size).await?;
        let mut found = 0;
        while let Some(bytes) = stream.try_next().await? {
            found += bytes.len() as u64;
        }
        Ok(found)
    }

    async fn range(&self, key: &str, range: Range<u64>) -> Result<u64> {
        let bytes = self.operator.read_with(key).range(range).await?;
        Ok(bytes.len() as u64)
    }

    async fn stat(&self, key: &str) -> Result<u64> {
        Ok(self.operator.stat(key).await?.content_length())
    }

    async fn delete(&self, key: &str) -> Result {
        Ok(self.operator.delete(key).await?)
    }

    async fn purge(&self, prefix: &str) -> Result {
        Ok(self.operator.delete_with(prefix).recursive(true).await?)
    }

    async fn list(&self, prefix: &str) -> Result<u64> {
        let mut lister = self.operator.lister_with(prefix).recursive(true).await?;
        let mut count = 0;
        while let Some(entry) = lister.try_next().await? {
            count += u64::from(entry.metadata().is_file());
        }
        Ok(count)
    }
}
