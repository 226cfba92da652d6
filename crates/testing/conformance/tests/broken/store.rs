//! A backend in memory with one fault.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage_conformance::Fresh;
use storage_core::{
    BackendExt, Error, ErrorKind, ExtendedBackend, HashType, Hashes, ObjectInfo, ObjectPath,
    Operation, Result, Version, Written,
};
use storage_memory::MemoryBackend;

use crate::fault::Fault;

/// A handle on a store of objects in memory that is wrong in one way.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    pub(crate) memory: MemoryBackend,
    pub(crate) fault: Fault,
    pub(crate) restarted: bool,
    pub(crate) state: Arc<State>,
}

/// What the faults need to remember, shared by all handles on a store.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) count: AtomicUsize,
    pub(crate) busy: AtomicUsize,
    pub(crate) closes: AtomicUsize,
    pub(crate) reading: AtomicBool,
    pub(crate) temporary: Mutex<Vec<String>>,
    pub(crate) shared: Mutex<Option<[ObjectPath; 2]>>,
    pub(crate) hashes: Mutex<HashMap<String, Hashes>>,
    pub(crate) walk_began: Mutex<Option<SystemTime>>,
}

/// The content of a mutex, whoever panicked.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Broken {
    pub(crate) fn fresh(fault: Fault) -> Fresh {
        let directories = !fault.is_flat();
        let memory = || MemoryBackend::builder().directories(directories).build();
        let state = Arc::new(State::default());
        let first = Self {
            memory: memory(),
            fault,
            restarted: false,
            state: Arc::clone(&state),
        };
        let (mut again, mut beside) = (first.clone(), first.clone());
        again.restarted = true;
        match fault {
            Fault::ForgetsOnRestart => again.memory = memory(),
            Fault::StaleHandles => beside.memory = memory(),
            _ => {}
        }
        Fresh::new(first)
            .reopen(move || std::future::ready(Ok(again.clone())))
            .second(move || std::future::ready(Ok(beside.clone())))
            .residue(move || std::future::ready(Ok(lock(&state.temporary).clone())))
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// Refuses when another handle's close has closed this one too.
    pub(crate) fn check(&self) -> Result<()> {
        let closed = self.is(Fault::CloseClosesAll) && self.state.closes.load(Ordering::SeqCst) > 0;
        if closed {
            return Err(Error::new(ErrorKind::BackendClosed, ""));
        }
        Ok(())
    }

    /// The path under which an object is really kept.
    pub(crate) fn kept(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match self.fault {
            Fault::DecodesPaths => ObjectPath::new(path.replace("%20", " ")),
            Fault::LowercasesPaths => ObjectPath::new(path.to_lowercase()),
            Fault::RefusesLongPaths if path.len() > 255 => {
                Err(Error::new(ErrorKind::InvalidPath, "too long"))
            }
            _ => Ok(path.clone()),
        }
    }

    /// The path where a copy or rename really goes.
    pub(crate) fn target(&self, path: &ObjectPath) -> Result<ObjectPath> {
        match self.fault {
            Fault::DecodesTargets => ObjectPath::new(path.replace("%20", " ")),
            _ => self.kept(path),
        }
    }

    /// An error as this backend gives it.
    pub(crate) fn error(&self, error: Error) -> Error {
        let message = error.message().to_owned();
        match self.fault {
            Fault::Swaps(from, to) if error.kind() == from => {
                let swapped = Error::new(to, message);
                match (error.operation(), error.path()) {
                    (Some(operation), Some(path)) => {
                        swapped.on(operation, "memory").with_path(path)
                    }
                    _ => swapped,
                }
            }
            Fault::ForgetsPrecondition if error.is_precondition_failed() => {
                Error::new(ErrorKind::PreconditionFailed, message)
            }
            Fault::AnonymousErrors => Error::new(error.kind(), "something\nfailed"),
            _ => error,
        }
    }

    /// What this backend tells of an object.
    pub(crate) async fn told(&self, mut info: ObjectInfo) -> ObjectInfo {
        info.version = self.version(&info.path, info.version).await;
        match self.fault {
            Fault::DropsContentType => info.content_type = None,
            Fault::DropsMetadata => info.metadata.clear(),
            Fault::DropsHashes => info.hashes = Hashes::new(),
            Fault::MakesUpModified => info.modified = Some(UNIX_EPOCH),
            Fault::KeepsStaleHashes => {
                if let Some(stale) = lock(&self.state.hashes).get(info.path.as_str()) {
                    info.hashes = stale.clone();
                }
            }
            _ => {}
        }
        info
    }

    async fn version(&self, path: &ObjectPath, version: Option<Version>) -> Option<Version> {
        let version = version?;
        Some(match self.fault {
            Fault::ConstantVersion => Version::new("v"),
            Fault::VersionFromContent => self.content_version(path).await,
            Fault::VersionChangesWhenAsked => {
                let count = self.state.count.fetch_add(1, Ordering::SeqCst);
                Version::new(format!("{version}/{count}"))
            }
            Fault::VersionsPerProcess if self.restarted => Version::new(format!("{version}'")),
            _ => version,
        })
    }

    /// A version that comes back with the same bytes.
    pub(crate) async fn content_version(&self, path: &ObjectPath) -> Version {
        let bytes = self.memory.get(path).await.unwrap_or_default();
        let hashes = storage_hash::hash(HashType::Md5.into(), &bytes);
        Version::new(hashes.get_hex(HashType::Md5).unwrap_or_default())
    }

    /// What this backend tells of a finished write.
    pub(crate) async fn reported(&self, path: &ObjectPath, mut written: Written) -> Written {
        written.version = self.version(path, written.version).await;
        match self.fault {
            Fault::ForgetsSize => written.size = 0,
            Fault::ReportsNoDigests => written.hashes = Hashes::new(),
            _ => {}
        }
        written
    }

    /// Fails when two calls are under way at once.
    pub(crate) async fn alone(&self) -> Result<()> {
        if !self.is(Fault::Busy) {
            return Ok(());
        }
        let others = self.state.busy.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.state.busy.fetch_sub(1, Ordering::SeqCst);
        if others > 0 {
            return Err(Error::new(ErrorKind::Other, "busy"));
        }
        Ok(())
    }

    /// Whether something is listed below the path.
    pub(crate) async fn has_below(&self, path: &ObjectPath) -> bool {
        let options = storage_core::ListOptions::default().limit(1);
        let entries = self.memory.entries(path.as_prefix(), options);
        entries
            .collect()
            .await
            .is_ok_and(|entries| !entries.is_empty())
    }

    pub(crate) async fn is_directory(&self, path: &ObjectPath) -> bool {
        let info = self.memory.stat(path).await;
        info.is_ok_and(|info| info.is_dir)
    }
}

/// An error at its place.
pub(crate) fn placed(operation: Operation, path: &ObjectPath) -> impl Fn(Error) -> Error {
    move |error| error.at(operation, "memory", path)
}
