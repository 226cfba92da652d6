//! The smallest backend that the tests of this crate can use: a map.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use storage_core::{
    Backend, Bytes, Error, Lifecycle, ListOptions, ListPage, ObjectInfo, ObjectPath, Operation,
    Prefix, ReadOptions, Reader, Result, Version, WriteOptions, Writer, async_trait,
};

#[derive(Debug, Default)]
pub(crate) struct Map {
    pub(crate) objects: Mutex<BTreeMap<ObjectPath, (Bytes, u64)>>,
    pub(crate) reads: Mutex<Vec<ReadOptions>>,
    lifecycle: Lifecycle,
}

impl Map {
    pub(crate) fn with(objects: &[(&str, &'static str)]) -> Self {
        let map = Self::default();
        for (path, content) in objects {
            map.set(path, content);
        }
        map
    }

    pub(crate) fn set(&self, path: &str, content: &'static str) {
        let mut objects = self.objects.lock().unwrap();
        let version = objects.get(path).map_or(1, |(_, version)| version + 1);
        objects.insert(ObjectPath::new(path).unwrap(), (content.into(), version));
    }
}

#[async_trait]
impl Backend for Map {
    fn name(&self) -> &'static str {
        "map"
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        self.lifecycle.check(Operation::Read, "map")?;
        self.reads.lock().unwrap().push(options.clone());
        let parts = options.into_parts();
        let found = self.objects.lock().unwrap().get(path).cloned();
        let (bytes, version) =
            found.ok_or_else(|| Error::not_found("").at(Operation::Read, "map", path))?;
        let version = Version::new(version.to_string());
        if parts
            .if_version
            .as_ref()
            .is_some_and(|expected| *expected != version)
        {
            return Err(Error::precondition_failed(parts.if_version, Some(version)));
        }
        let range = parts.range.resolve(bytes.len() as u64)?;
        let part = bytes.slice(range.start as usize..range.end as usize);
        let info = ObjectInfo::new(path.clone()).with_size(bytes.len() as u64);
        Ok(Reader::from_bytes(info.with_version(version), range, part))
    }

    async fn writer(&self, path: &ObjectPath, _: WriteOptions) -> Result<Writer> {
        Err(Error::unsupported("read-only").at(Operation::Write, "map", path))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        Ok(self.objects.lock().unwrap().remove(path).is_some())
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let objects = self.objects.lock().unwrap();
        let infos = objects.keys().map(|path| ObjectInfo::new(path.clone()));
        Ok(ListPage::of_sorted(prefix, options, infos))
    }

    async fn close(&self) -> Result<()> {
        self.lifecycle.close();
        Ok(())
    }
}
