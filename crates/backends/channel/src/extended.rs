use async_trait::async_trait;
use storage_core::{Error, ExtendedBackend, Features, ObjectInfo, ObjectPath, Operation, Result};

use crate::ChannelBackend;
use crate::backend::{FEATURES, NAME};

#[async_trait]
impl ExtendedBackend for ChannelBackend {
    fn features(&self) -> Features {
        FEATURES
    }

    /// Tells that there is a stream, and nothing else: its size is known to nobody.
    async fn stat(&self, path: &ObjectPath) -> Result<ObjectInfo> {
        self.check(Operation::Stat)?;
        match self.is_there(path) {
            true => Ok(ObjectInfo::new(path.clone())),
            false => Err(Error::not_found("").at(Operation::Stat, NAME, path)),
        }
    }

    /// Does nothing: no stream outlives the process.
    async fn flush(&self) -> Result<()> {
        self.check(Operation::Flush)
    }
}
