use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use s3s::{S3Result, s3_error};
use storage_core::{Backend, Error, ExtendedBackend, Features, ObjectInfo, ObjectPath, Result};
use tokio::sync::{RwLock, Semaphore};
use tokio_util::task::TaskTracker;

use crate::ServerOptions;
use crate::error::from_storage;
use crate::server::unfit;

/// Locks that keys share. A conditional delete holds a key's lock alone, a write together with others:
/// backends have no conditional delete, so this server keeps its own clients apart.
const LOCKS: usize = 64;

/// A backend seen as S3: what every operation works on.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) features: Features,
    pub(crate) options: ServerOptions,
    pub(crate) memory: Arc<Semaphore>,
    locks: Vec<RwLock<()>>,
    random: RandomState,
    tasks: TaskTracker,
}

impl Gateway {
    pub(crate) async fn open(
        backend: Arc<dyn Backend>,
        options: ServerOptions,
    ) -> Result<Arc<Self>> {
        let Some(extended) = backend.as_extended() else {
            return Err(unfit(&*backend, "an extended part"));
        };
        let features = extended.features();
        let needed = [
            (features.custom_metadata, "custom_metadata"),
            (features.atomic_write, "atomic_write"),
            (features.range_read, "range_read"),
        ];
        for (has, name) in needed {
            if !has {
                return Err(unfit(&*backend, name));
            }
        }
        let memory = options.memory_limit.min(Semaphore::MAX_PERMITS);
        let gateway = Arc::new(Self {
            backend,
            features,
            memory: Arc::new(Semaphore::new(memory)),
            locks: (0..LOCKS).map(|_| RwLock::new(())).collect(),
            random: RandomState::new(),
            tasks: TaskTracker::new(),
            options,
        });
        gateway.create_configured_buckets().await?;
        Ok(gateway)
    }

    /// Runs `work` to its end even when the client goes away meanwhile, so that nothing is left half
    /// done.
    pub(crate) async fn to_the_end<T, F>(&self, work: F) -> S3Result<T>
    where
        T: Send + 'static,
        F: Future<Output = S3Result<T>> + Send + 'static,
    {
        let task = self.tasks.spawn(work).await;
        task.map_err(|error| s3_error!(error, InternalError))?
    }

    /// Waits for what [`to_the_end`](Self::to_the_end) runs.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What is known of the object at a path; `None` for a directory, too.
    pub(crate) async fn stat(&self, path: &ObjectPath) -> S3Result<Option<ObjectInfo>> {
        match self.extended().map_err(from_storage)?.stat(path).await {
            Ok(info) if info.is_dir => Ok(None),
            Ok(info) => Ok(Some(info)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(from_storage(error)),
        }
    }

    pub(crate) fn extended(&self) -> Result<&dyn ExtendedBackend> {
        let lost = || Error::unsupported("the backend has lost its extended part");
        self.backend.as_extended().ok_or_else(lost)
    }

    /// The lock that a key shares with some others.
    pub(crate) fn lock_of(&self, path: &ObjectPath) -> S3Result<&RwLock<()>> {
        let index = self.random.hash_one(path) as usize % LOCKS;
        let lock = self.locks.get(index);
        lock.ok_or_else(|| s3_error!(InternalError, "there is no lock {index}"))
    }

    /// A name that was not there before.
    pub(crate) fn fresh_name(&self) -> String {
        // Every state is seeded anew, from the operating system's randomness and a counter.
        let [one, two] = [RandomState::new().hash_one(0), self.random.hash_one(())];
        format!("{one:016x}{:016x}", RandomState::new().hash_one(two))
    }
}
