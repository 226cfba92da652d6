//! A shelf: a complete storage backend over a map, as somebody outside this project would write it.
//!
//! ```
//! use storage_core::BackendExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> storage_core::Result<()> {
//! let shelf = third_party_backend::Shelf::default();
//! shelf.put("books/1", "Emma").await?;
//! assert_eq!(shelf.get("books/1").await?, "Emma");
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage_core::{
    Backend, Bytes, Error, Features, Lifecycle, ListOptions, ListPage, ObjectInfo, ObjectPath,
    Operation, Prefix, ReadOptions, ReadParts, Reader, Result, WriteOptions, WriteSink, Writer,
    Written, async_trait,
};
use storage_hash::WriteHasher;

/// A store of objects in a map.
#[derive(Debug, Default)]
pub struct Shelf {
    lifecycle: Lifecycle,
    objects: Objects,
}

type Objects = Arc<Mutex<BTreeMap<ObjectPath, Bytes>>>;

/// What a shelf can do beyond the least that every backend does: nothing.
const FEATURES: Features = Features::NONE.with_atomic_write(true).with_range_read(true);

fn lock(objects: &Objects) -> MutexGuard<'_, BTreeMap<ObjectPath, Bytes>> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelf {
    fn open(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let ReadParts {
            range,
            if_version,
            if_changed_from,
            verify,
        } = options.into_parts();
        if if_version.is_some() || if_changed_from.is_some() || verify {
            return Err(Error::unsupported("versions and stored hashes"));
        }
        let objects = lock(&self.objects);
        let bytes = objects.get(path).ok_or_else(|| Error::not_found(""))?;
        let range = range.resolve(bytes.len() as u64)?;
        let part = bytes.slice(range.start as usize..range.end as usize);
        Ok(Reader::from_bytes(info(path, bytes), range, part))
    }
}

fn info(path: &ObjectPath, bytes: &Bytes) -> ObjectInfo {
    ObjectInfo::new(path.clone()).with_size(bytes.len() as u64)
}

#[async_trait]
impl Backend for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.lifecycle.check(Operation::Read, "shelf")?;
        self.open(path, options)
            .map_err(|error| error.at(Operation::Read, "shelf", path))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        self.lifecycle.check(Operation::Write, "shelf")?;
        let mut parts = options.into_parts();
        let refused = parts.restrict_to(FEATURES);
        refused.map_err(|error| error.at(Operation::Write, "shelf", path))?;
        let sink = ShelfSink {
            objects: Arc::clone(&self.objects),
            path: path.clone(),
            hasher: WriteHasher::new(&parts),
            content: Vec::new(),
        };
        Ok(Writer::new("shelf", path.clone(), sink))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        self.lifecycle.check(Operation::Delete, "shelf")?;
        Ok(lock(&self.objects).remove(path).is_some())
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        self.lifecycle.check(Operation::List, "shelf")?;
        let objects = lock(&self.objects);
        let sorted = objects.iter().map(|(path, bytes)| info(path, bytes));
        Ok(ListPage::of_sorted(prefix, options, sorted))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        Ok(())
    }
}

struct ShelfSink {
    objects: Objects,
    path: ObjectPath,
    hasher: WriteHasher,
    content: Vec<u8>,
}

#[async_trait]
impl WriteSink for ShelfSink {
    async fn write(&mut self, chunk: Bytes) -> Result<()> {
        self.hasher.update(&chunk);
        self.content.extend_from_slice(&chunk);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Written> {
        let hashes = self.hasher.finish()?;
        let mut written = Written::new(self.content.len() as u64);
        written.hashes = hashes.reported;
        lock(&self.objects).insert(self.path, self.content.into());
        Ok(written)
    }
}
