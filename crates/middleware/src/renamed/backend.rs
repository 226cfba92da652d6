use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use storage_core::{
    Backend, ExtendedBackend, ListOptions, ListPage, ObjectPath, Operation, Payload, Prefix,
    ReadOptions, Reader, Result, WriteOptions, Writer, Written,
};

use super::streams::{renamed_reader, renamed_writer};
use super::{Naming, Renamed};

impl<B: Backend, N: Naming> Renamed<B, N> {
    /// The name below, for a backend that is open.
    pub(super) fn named(&self, operation: Operation, path: &ObjectPath) -> Result<ObjectPath> {
        self.lifecycle.check(operation, self.below.name())?;
        let named = self.naming.inner(path);
        named.map_err(|error| error.at(operation, self.below.name(), path))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<B: Backend, N: Naming> Backend for Renamed<B, N> {
    fn name(&self) -> &'static str {
        self.below.name()
    }

    async fn reader(&self, path: &ObjectPath, options: ReadOptions) -> Result<Reader> {
        let inner = self.named(Operation::Read, path)?;
        let reader = self.below.reader(&inner, options).await;
        let reader = reader.map_err(|error| self.shown(error))?;
        Ok(renamed_reader(reader, path, &self.naming))
    }

    async fn writer(&self, path: &ObjectPath, options: WriteOptions) -> Result<Writer> {
        let inner = self.named(Operation::Write, path)?;
        let writer = self.below.writer(&inner, options).await;
        let writer = writer.map_err(|error| self.shown(error))?;
        Ok(renamed_writer(writer, path, &self.naming))
    }

    async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        let inner = self.named(Operation::Delete, path)?;
        let outcome = self.below.delete(&inner).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn list(&self, prefix: &Prefix, options: ListOptions) -> Result<ListPage> {
        let name = self.below.name();
        self.lifecycle.check(Operation::List, name)?;
        let page = self.naming.list(&self.below, prefix, options).await;
        page.map_err(|error| self.shown(error).on(Operation::List, name))
    }

    async fn close(&self) -> Result<()> {
        self.below.close().await?;
        self.lifecycle.close();
        Ok(())
    }

    async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        let inner = self.named(Operation::Exists, path)?;
        let outcome = self.below.exists(&inner).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn read(&self, path: &ObjectPath, options: ReadOptions) -> Result<Bytes> {
        let inner = self.named(Operation::Read, path)?;
        let outcome = self.below.read(&inner, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn read_ranges(&self, path: &ObjectPath, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let inner = self.named(Operation::Read, path)?;
        let outcome = self.below.read_ranges(&inner, ranges).await;
        outcome.map_err(|error| self.shown(error))
    }

    async fn write(
        &self,
        path: &ObjectPath,
        payload: Payload,
        options: WriteOptions,
    ) -> Result<Written> {
        let inner = self.named(Operation::Write, path)?;
        let outcome = self.below.write(&inner, payload, options).await;
        outcome.map_err(|error| self.shown(error))
    }

    fn identity(&self) -> Option<String> {
        let below = self.below.identity()?;
        Some(self.naming.identity(below))
    }

    fn blocks(&self) -> bool {
        self.below.blocks()
    }

    fn as_extended(&self) -> Option<&dyn ExtendedBackend> {
        self.below.as_extended().map(|_| self as _)
    }
}
