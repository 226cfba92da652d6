//! Backends to stack layers on.

use std::path::PathBuf;
use std::sync::Arc;

use omnistorage::channel::{ChannelBackend, Missing};
use omnistorage::compression::Compression;
use omnistorage::memory::MemoryBackend;
use omnistorage::pipeline::CompressionLayer;
use omnistorage::{Backend, Bytes, ObjectPath, RecordReader, Result, WriteOptions};
use tempfile::TempDir;

/// A backend and what it needs to live.
pub(crate) struct Store {
    pub(crate) name: &'static str,
    pub(crate) backend: Arc<dyn Backend>,
    directory: Option<TempDir>,
}

impl Store {
    pub(crate) fn memory() -> Self {
        Self {
            name: "memory",
            backend: Arc::new(MemoryBackend::new()),
            directory: None,
        }
    }

    /// A queue; a reader may be opened before a writer.
    pub(crate) fn channel() -> Self {
        let builder = ChannelBackend::builder().missing(Missing::Wait);
        Self {
            name: "channel",
            backend: Arc::new(builder.build().unwrap()),
            directory: None,
        }
    }

    pub(crate) async fn file() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uri = directory.path().to_str().unwrap();
        Self {
            name: "file",
            backend: omnistorage::open_uri(uri).await.unwrap(),
            directory: Some(directory),
        }
    }

    pub(crate) async fn all() -> [Self; 3] {
        [Self::file().await, Self::memory(), Self::channel()]
    }

    /// Every file in the directory of a store of files, whatever its name, but for the journal that an
    /// open store keeps.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut folders: Vec<_> = self.directory.iter().map(|d| d.path().to_owned()).collect();
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            if folder.ends_with(".omnistorage-journal") {
                continue;
            }
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        files
    }

    /// Stores these pieces; the channel keeps them apart.
    pub(crate) async fn put(&self, path: &str, pieces: impl IntoIterator<Item = Bytes>) {
        let path = ObjectPath::new(path).unwrap();
        let options = WriteOptions::default();
        let mut writer = self.backend.writer(&path, options).await.unwrap();
        for piece in pieces {
            writer.write_bytes(piece).await.unwrap();
        }
        writer.finish().await.unwrap();
    }
}

/// Every compression and none, with the extension.
pub(crate) fn compressions() -> Vec<(CompressionLayer, String)> {
    let none = (CompressionLayer::NONE, String::new());
    let some = Compression::ALL.map(|one| (one.into(), format!(".{}", one.extension())));
    [none].into_iter().chain(some).collect()
}

/// All records, taken without waiting where that is possible.
pub(crate) async fn drain(mut reader: Box<dyn RecordReader>) -> Result<Vec<Bytes>> {
    let mut records = Vec::new();
    while let Some(record) = reader.read().await? {
        records.push(record);
        while let Some(record) = reader.try_read()? {
            records.push(record);
        }
    }
    reader.close().await?;
    Ok(records)
}
