//! A backend that changes nothing.

use std::future::Future;
use std::sync::Arc;

use storage_core::{Backend, Error, Features, ReadOptions, Reader, Result};

use crate::call::{Call, Reply};
use crate::policy::Policy;

/// Refuses with `Unsupported` whatever would change the store.
///
/// Of the features, those about reading stay: `range_read`, `versions`, `hashes` (verified reads),
/// `directories` (listed, not made) and `presign` (of `Get`).
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadOnly;

impl Policy for ReadOnly {
    async fn step<T: Reply>(
        &self,
        call: &Call<'_>,
        action: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        if call.mutates {
            return Err(Error::unsupported("the store is read-only here"));
        }
        action.await
    }

    fn reader<B: Backend>(self: &Arc<Self>, _: &Arc<B>, reader: Reader, _: &ReadOptions) -> Reader {
        reader
    }

    fn features(&self, inner: Features) -> Features {
        Features::NONE
            .with_range_read(inner.range_read)
            .with_versions(inner.versions)
            .with_hashes(inner.hashes)
            .with_directories(inner.directories)
            .with_presign(inner.presign)
    }
}
