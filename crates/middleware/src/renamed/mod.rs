//! A backend whose objects have other names below: what `prefix` and encrypted names have in common.

mod backend;
mod extended;
mod streams;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use storage_core::{
    Backend, Error, Lifecycle, ListOptions, ListPage, NameFolding, ObjectInfo, ObjectPath, Prefix,
    Result,
};

/// How objects are called below.
pub trait Naming: fmt::Debug + Send + Sync + 'static {
    /// The name below.
    fn inner(&self, path: &ObjectPath) -> Result<ObjectPath>;

    /// The name above; `None` for a name that is none of this naming.
    fn outer(&self, path: &str) -> Option<String>;

    /// One page of a listing, with the names above.
    fn list<B: Backend>(
        &self,
        below: &B,
        prefix: &Prefix,
        options: ListOptions,
    ) -> impl Future<Output = Result<ListPage>> + Send;

    /// The identity above.
    fn identity(&self, below: String) -> String;

    /// Which names are the same above.
    fn folding(&self, below: NameFolding) -> NameFolding;
}

/// A backend whose objects have other names below.
///
/// It has the name and features of the backend below. Errors name paths as they are above.
#[derive(Debug)]
pub struct Renamed<B, N> {
    below: B,
    naming: Arc<N>,
    /// Paths that the naming refuses are refused after it was asked whether the backend is open.
    lifecycle: Lifecycle,
}

impl<B: Backend, N: Naming> Renamed<B, N> {
    pub(crate) fn new(below: B, naming: N) -> Self {
        Self {
            below,
            naming: Arc::new(naming),
            lifecycle: Lifecycle::new(),
        }
    }

    /// The backend below.
    #[must_use]
    pub const fn get_ref(&self) -> &B {
        &self.below
    }

    /// The error with the names above.
    fn shown(&self, error: Error) -> Error {
        shown(&*self.naming, error)
    }

    fn info(&self, mut info: ObjectInfo, path: &ObjectPath) -> ObjectInfo {
        info.path = path.clone();
        info
    }
}

/// The error with the names above.
fn shown<N: Naming>(naming: &N, error: Error) -> Error {
    error.map_path(|path| naming.outer(path).unwrap_or_else(|| path.to_owned()))
}
