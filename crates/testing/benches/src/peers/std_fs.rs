use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use bytes::Bytes;

use crate::Result;
use crate::store::{Store, sum};

/// Plain blocking calls on the worker: what the system itself takes. Written in place.
#[derive(Debug, Clone)]
pub(crate) struct StdFs {
    pub(crate) root: PathBuf,
    /// Whether a written file is on the disk when the call returns.
    pub(crate) sync: bool,
}

impl Store for StdFs {
    type Key = PathBuf;

    fn key(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(path)
    }

    async fn read(&self, key: &PathBuf) -> Result<u64> {
        Ok(fs::read(key)?.len() as u64)
    }

    async fn read_pieces(&self, key: &PathBuf) -> Result<u64> {
        let mut file = fs::File::open(key)?;
        let mut pieces = Vec::new();
        loop {
            let mut piece = Vec::with_capacity(1 << 20);
            match (&mut file).take(1 << 20).read_to_end(&mut piece)? {
                0 => return Ok(sum(&pieces)),
                _ => pieces.push(Bytes::from(piece)),
            }
        }
    }

    async fn write(&self, key: &PathBuf, bytes: Bytes) -> Result {
        self.stream_write(key, &[bytes]).await
    }

    async fn stream_read(&self, key: &PathBuf) -> Result<u64> {
        let mut file = fs::File::open(key)?;
        let mut buffer = vec![0; 1 << 20];
        let mut size = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(size),
                count => size += count as u64,
            }
        }
    }

    async fn stream_write(&self, key: &PathBuf, chunks: &[Bytes]) -> Result {
        let mut file = fs::File::create(key)?;
        for chunk in chunks {
            file.write_all(chunk)?;
        }
        if self.sync {
            file.sync_data()?;
        }
        Ok(())
    }

    async fn list(&self, folder: &PathBuf) -> Result<(u64, u64)> {
        let (mut count, mut sum) = (0, 0);
        for entry in fs::read_dir(folder)? {
            let metadata = entry?.metadata()?;
            metadata.modified()?;
            sum += metadata.len();
            count += 1;
        }
        Ok((count, sum))
    }
}
