//! Large content on its way in: chunks in the server that no object has yet, and that expire.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use storage_core::{Error, ErrorKind, Result};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::keys::{CHUNK, GROUP, PER_GROUP};
use crate::link::{Effect, Request};
use crate::script::Script;
use crate::store::Store;

/// How long chunks stay that nobody publishes.
pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);

/// Keys that one request names at most.
const MAX_KEYS: usize = 1000;

/// Bytes of every part but the last: 16 chunks.
pub(crate) const PART: u64 = 16 * CHUNK;

/// A blob that is being written. Dropping it removes it in the background, unless it is
/// published: that the server knows, so a publication under way may be given up.
pub(crate) struct Draft {
    store: Arc<Store>,
    pub(crate) blob: String,
    /// Bytes given to the tasks.
    pub(crate) size: u64,
    parts: JoinSet<Result<()>>,
    renewed: Instant,
    over: bool,
}

impl Draft {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            blob: store.unique(),
            store,
            size: 0,
            parts: JoinSet::new(),
            renewed: Instant::now(),
            over: false,
        }
    }

    /// Begins to send the next part, once few enough others are on their way.
    pub(crate) async fn add(&mut self, part: Bytes) -> Result<()> {
        while self.parts.len() >= self.store.settings.concurrency {
            self.settle_one().await?;
        }
        if self.renewed.elapsed() >= LIFE / 4 {
            self.renew().await?;
        }
        let room = self.store.room(part.len() as u64).await?;
        let (store, blob, at) = (Arc::clone(&self.store), self.blob.clone(), self.size);
        self.size += part.len() as u64;
        self.parts.spawn(async move {
            let sent = send(&store, &blob, at, &part).await;
            drop(room);
            sent
        });
        Ok(())
    }

    /// Waits until the server has all parts.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        while !self.parts.is_empty() {
            self.settle_one().await?;
        }
        Ok(())
    }

    async fn settle_one(&mut self) -> Result<()> {
        match self.parts.join_next().await {
            None => Ok(()),
            Some(Ok(sent)) => sent,
            Some(Err(error)) => Err(
                Error::new(ErrorKind::Other, "sending a part did not finish").with_source(error),
            ),
        }
    }

    /// Keeps what was sent for another while.
    async fn renew(&mut self) -> Result<()> {
        self.settle().await?;
        let keys: Vec<_> = self.store.keys.groups(&self.blob, self.size).collect();
        for keys in keys.chunks(MAX_KEYS) {
            let build = |request: &mut Request<'_>| {
                for key in keys {
                    hold(&self.store, request, key);
                }
            };
            self.store.link.request(Effect::None, build).await?;
        }
        self.renewed = Instant::now();
        Ok(())
    }

    /// Leaves nothing to be removed.
    pub(crate) fn keep(mut self) {
        self.over = true;
    }

    /// Removes what was sent.
    pub(crate) async fn remove(mut self) -> Result<()> {
        self.parts.shutdown().await;
        self.over = true;
        discard(&self.store, &self.blob, self.size).await
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.over || self.size == 0 {
            return;
        }
        self.parts.abort_all();
        let (store, blob, size) = (Arc::clone(&self.store), self.blob.clone(), self.size);
        // What this does not reach expires.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { discard(&store, &blob, size).await });
        }
    }
}

async fn send(store: &Store, blob: &str, at: u64, part: &[u8]) -> Result<()> {
    let key = store.keys.group(blob, at / GROUP);
    let first = at / CHUNK % PER_GROUP;
    let build = |request: &mut Request<'_>| {
        let command = request.commands.cmd("HSET").arg(&key);
        for (number, chunk) in (first..).zip(part.chunks(CHUNK as usize)) {
            command.arg(number).arg(chunk);
        }
        hold(store, request, &key);
    };
    store.link.request(Effect::None, build).await.map(drop)
}

/// Lets chunks expire later. What is published meanwhile stays as it is, however late this arrives.
fn hold(store: &Store, request: &mut Request<'_>, key: &str) {
    let script = request.script(Script::Hold, &[key, key]);
    store.begin(script, "").arg(LIFE.as_millis() as u64);
}

async fn discard(store: &Store, blob: &str, size: u64) -> Result<()> {
    let keys: Vec<_> = store.keys.groups(blob, size).collect();
    for keys in keys.chunks(MAX_KEYS) {
        let mut all = vec![store.keys.index.as_str()];
        all.extend(keys.iter().map(String::as_str));
        let build = |request: &mut Request<'_>| {
            store.begin(request.script(Script::Discard, &all), "");
        };
        store.link.request(Effect::None, build).await?;
    }
    Ok(())
}
