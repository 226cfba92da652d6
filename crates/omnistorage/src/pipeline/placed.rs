use storage_core::{Bytes, ObjectPath, Operation, RecordReader, RecordWriter, Result, async_trait};

/// Where records come from or go to.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) backend: &'static str,
    pub(super) path: ObjectPath,
}

/// A record reader or writer whose errors name the object.
#[derive(Debug)]
pub(super) struct Placed<T> {
    inner: T,
    place: Place,
}

impl<T> Placed<T> {
    pub(super) const fn new(inner: T, place: Place) -> Self {
        Self { inner, place }
    }
}

impl Place {
    fn name<T>(&self, result: Result<T>, operation: Operation) -> Result<T> {
        result.map_err(|error| error.at(operation, self.backend, &self.path))
    }
}

#[async_trait]
impl<T: RecordReader> RecordReader for Placed<T> {
    async fn read(&mut self) -> Result<Option<Bytes>> {
        let record = self.inner.read().await;
        self.place.name(record, Operation::Read)
    }

    fn try_read(&mut self) -> Result<Option<Bytes>> {
        let record = self.inner.try_read();
        self.place.name(record, Operation::Read)
    }

    async fn close(&mut self) -> Result<()> {
        let closed = self.inner.close().await;
        self.place.name(closed, Operation::Read)
    }
}

#[async_trait]
impl<T: RecordWriter> RecordWriter for Placed<T> {
    async fn write(&mut self, record: &[u8]) -> Result<()> {
        let written = self.inner.write(record).await;
        self.place.name(written, Operation::Write)
    }

    fn try_write(&mut self, record: &[u8]) -> Result<bool> {
        let written = self.inner.try_write(record);
        self.place.name(written, Operation::Write)
    }

    async fn flush(&mut self) -> Result<()> {
        let flushed = self.inner.flush().await;
        self.place.name(flushed, Operation::Write)
    }

    async fn close(&mut self) -> Result<()> {
        let closed = self.inner.close().await;
        self.place.name(closed, Operation::Write)
    }
}
