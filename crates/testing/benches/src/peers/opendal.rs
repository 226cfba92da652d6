use bytes::Bytes;
use futures_util::TryStreamExt;
use opendal::{Buffer, Operator, services};

use crate::Result;
use crate::store::Store;

/// OpenDAL, one part after the other or, as its guide advises for large objects, several at once.
#[derive(Debug, Clone)]
pub(crate) struct OpenDal {
    operator: Operator,
    concurrent: usize,
}

/// Part size for concurrent transfers, from the range that the guide advises.
const CHUNK: usize = 8 << 20;

impl OpenDal {
    /// A folder, written in place unless there is a folder for temporary files.
    pub(crate) fn fs(root: &str, atomic_write_dir: Option<&str>) -> Result<Self> {
        let mut builder = services::Fs::default().root(root);
        if let Some(dir) = atomic_write_dir {
            builder = builder.atomic_write_dir(dir);
        }
        Ok(Self {
            operator: Operator::new(builder)?,
            concurrent: 1,
        })
    }

    pub(crate) fn memory() -> Result<Self> {
        Ok(Self {
            operator: Operator::new(services::Memory::default())?,
            concurrent: 1,
        })
    }

    /// The same store with four parts at once.
    pub(crate) fn concurrent(&self) -> Self {
        Self {
            operator: self.operator.clone(),
            concurrent: 4,
        }
    }
}

impl OpenDal {
    async fn buffer(&self, key: &str) -> Result<Buffer> {
        Ok(match self.concurrent {
            1 => self.operator.read(key).await?,
            parts => {
                let read = self.operator.read_with(key);
                read.chunk(CHUNK).concurrent(parts).await?
            }
        })
    }
}

impl Store for OpenDal {
    type Key = String;

    fn key(&self, name: &str) -> Result<String> {
        Ok(name.to_owned())
    }

    async fn read(&self, key: &String) -> Result<u64> {
        // A copy, unless it is one piece already.
        Ok(self.buffer(key).await?.to_bytes().len() as u64)
    }

    async fn read_pieces(&self, key: &String) -> Result<u64> {
        Ok(self.buffer(key).await?.len() as u64)
    }

    async fn write(&self, key: &String, bytes: Bytes) -> Result {
        match self.concurrent {
            1 => self.operator.write(key, bytes).await?,
            parts => {
                let write = self.operator.write_with(key, bytes);
                write.chunk(CHUNK).concurrent(parts).await?
            }
        };
        Ok(())
    }

    async fn stream_read(&self, key: &String) -> Result<u64> {
        let reader = match self.concurrent {
            1 => self.operator.reader(key).await?,
            parts => {
                let reader = self.operator.reader_with(key);
                reader.chunk(CHUNK).concurrent(parts).await?
            }
        };
        let mut stream = reader.into_bytes_stream(..).await?;
        let mut size = 0;
        while let Some(chunk) = stream.try_next().await? {
            size += chunk.len() as u64;
        }
        Ok(size)
    }

    async fn stream_write(&self, key: &String, chunks: &[Bytes]) -> Result {
        let mut writer = match self.concurrent {
            1 => self.operator.writer(key).await?,
            parts => {
                let writer = self.operator.writer_with(key);
                writer.chunk(CHUNK).concurrent(parts).await?
            }
        };
        for chunk in chunks {
            writer.write(chunk.clone()).await?;
        }
        writer.close().await?;
        Ok(())
    }

    async fn list(&self, folder: &String) -> Result<(u64, u64)> {
        let (mut count, mut sum) = (0, 0);
        let mut entries = self.operator.lister(&format!("{folder}/")).await?;
        while let Some(entry) = entries.try_next().await? {
            let metadata = entry.metadata();
            // The folder lists itself.
            if metadata.is_file() {
                metadata.last_modified().ok_or("no modified time")?;
                sum += metadata.content_length();
                count += 1;
            }
        }
        Ok((count, sum))
    }
}
