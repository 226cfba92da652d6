use std::fmt;
use std::future::Future;
use std::sync::Arc;

use aws_sdk_s3::Client;
use storage_core::{Error, Features, Lifecycle, ObjectPath, Operation, Prefix, Result, Version};

use crate::background::Background;
use crate::budget::Budget;
use crate::call::{Patience, Progress, Repeat};
use crate::failure::Failure;
use crate::request::Request;
use crate::settings::Access;
use crate::signature::Payload;
use crate::wire::Wire;
use crate::{Capabilities, NAME, S3Builder};

/// What all parts of an open backend share.
pub(crate) struct Store {
    pub(crate) client: Client,
    pub(crate) wire: Option<Arc<Wire>>,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) signs_payload: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) patience: Patience,
    pub(crate) budget: Budget,
    pub(crate) background: Background,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) settings: S3Builder,
}

impl Store {
    /// The store's name of an object.
    pub(crate) fn key(&self, path: &ObjectPath) -> String {
        format!("{}{path}", self.settings.prefix)
    }

    /// The store's name of a prefix.
    pub(crate) fn key_prefix(&self, prefix: &Prefix) -> String {
        format!("{}{prefix}", self.settings.prefix)
    }

    /// Another store on the same connections.
    pub(crate) fn again(&self) -> Self {
        Self {
            client: self.client.clone(),
            wire: self.wire.clone(),
            bucket: self.bucket.clone(),
            region: self.region.clone(),
            budget: self.budget.clone(),
            background: Background::default(),
            lifecycle: Lifecycle::new(),
            settings: self.settings.clone(),
            ..*self
        }
    }

    pub(crate) fn is_signed(&self) -> bool {
        !matches!(self.settings.access, Access::Anonymous)
    }

    pub(crate) fn features(&self) -> Features {
        Features::NONE
            .with_copy(true)
            .with_purge(true)
            .with_set_modified(!self.settings.server_modified)
            .with_custom_metadata(true)
            .with_content_type(true)
            .with_create_new(self.capabilities.create_new)
            .with_if_version(self.capabilities.if_version)
            .with_atomic_write(true)
            .with_range_read(true)
            .with_versions(true)
            .with_presign(self.is_signed())
            .with_hashes(true)
    }

    /// Sends a request, again where that may help and is safe.
    pub(crate) async fn call<T, F>(
        &self,
        name: &'static str,
        repeat: Repeat,
        attempt: impl FnMut(Progress) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        self.patience.call(name, repeat, attempt).await
    }

    /// Sends one request, once.
    pub(crate) async fn send<R: Request>(
        &self,
        request: R,
        payload: &Payload,
    ) -> Result<R::Output, Failure> {
        match &self.wire {
            Some(wire) => wire.send(request, payload).await,
            None => request.send_with(&self.client).await.map_err(Failure::from),
        }
    }

    /// Whether content has to be in one piece to be sent: the SDK signs no other.
    pub(crate) const fn joins(&self) -> bool {
        self.signs_payload && self.wire.is_none()
    }

    pub(crate) fn check(&self, operation: Operation) -> Result<()> {
        self.lifecycle.check(operation, NAME)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("settings", &self.settings)
            .field("region", &self.region)
            .field("capabilities", &self.capabilities)
            .finish_non_exhaustive()
    }
}

/// The failure of a condition on a version.
pub(crate) fn other_version(expected: &Version, actual: Option<Version>) -> Error {
    Error::precondition_failed(Some(expected.clone()), actual)
}
