use std::time::Duration;

/// What a presigned URL allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PresignedMethod {
    /// Reading the object.
    Get,
    /// Writing the object.
    Put,
}

/// How to presign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresignOptions {
    /// What the URL allows.
    pub method: PresignedMethod,
    /// How long it is valid, from 1 second up to the store's maximum.
    pub expires_in: Duration,
}

impl PresignOptions {
    /// A URL for `method`, valid for `expires_in`.
    #[must_use]
    pub const fn new(method: PresignedMethod, expires_in: Duration) -> Self {
        Self { method, expires_in }
    }
}
