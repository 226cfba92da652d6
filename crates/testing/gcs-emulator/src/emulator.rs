use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::fault::{Call, Fault, Faults};
use crate::object::{Attributes, Expected, Object};
use crate::server::serve;
use crate::store::{Conditions, Store};

/// A running emulator. It stops, and forgets everything, when it is dropped.
pub struct Emulator {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// What the connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    address: SocketAddr,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
}

impl Shared {
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Emulator {
    /// Starts on a free port of the loopback interface, without buckets, in the runtime it is called
    /// on.
    ///
    /// # Errors
    /// Those of binding the port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Arc::new(Shared {
            address: listener.local_addr()?,
            store: Mutex::default(),
            faults: Mutex::default(),
        });
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { shared, server })
    }

    /// `http://127.0.0.1:PORT`, for both protocols.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.shared.endpoint()
    }

    /// Creates a bucket, unless there is one of the name.
    pub fn create_bucket(&self, bucket: &str) {
        self.shared.store().create_bucket(bucket);
    }

    /// The names of all objects in a bucket, in byte order.
    #[must_use]
    pub fn object_names(&self, bucket: &str) -> Vec<String> {
        let store = self.shared.store();
        let objects = store.bucket(bucket);
        objects.map_or_else(|_| Vec::new(), |objects| objects.keys().cloned().collect())
    }

    /// The metadata of an object, empty where there is none.
    #[must_use]
    pub fn metadata(&self, bucket: &str, name: &str) -> BTreeMap<String, String> {
        let store = self.shared.store();
        let object = store.get(bucket, name, 0, Conditions::default());
        object.map_or_else(
            |_| BTreeMap::new(),
            |object| object.attributes.metadata.clone(),
        )
    }

    /// Writes an object beside both protocols; does nothing where there is no such bucket, or where
    /// the service allows no such name.
    pub fn insert(&self, bucket: &str, name: &str, content: impl Into<Bytes>) {
        let object = Object::new(content.into(), Attributes::default());
        let (any, free) = (Expected::default(), Conditions::default());
        let _ = self.shared.store().insert(bucket, name, object, &any, free);
    }

    /// Resumable uploads that were neither finished nor cancelled.
    #[must_use]
    pub fn unfinished_uploads(&self) -> usize {
        let store = self.shared.store();
        let open = store.sessions.values().filter(|session| session.is_open());
        open.count()
    }

    /// Lets the next call of a kind, for which no fault is queued yet, go wrong.
    pub fn inject(&self, call: Call, fault: Fault) {
        self.shared.faults().add(call, fault);
    }

    /// Answers every request with this HTTP status from now on, or as usual.
    pub fn refuse_all(&self, status: Option<u16>) {
        self.shared.faults().refused = status;
    }

    /// How many requests of a kind came, whatever became of them.
    #[must_use]
    pub fn count(&self, call: Call) -> u64 {
        self.shared.faults().count(call)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("endpoint", &self.endpoint())
            .finish_non_exhaustive()
    }
}
