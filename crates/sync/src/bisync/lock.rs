//! The lock against a second run: an object that says who holds it and until when, renewed while the
//! run goes on.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use storage_core::{
    Backend, Durability, ObjectPath, Payload, ReadOptions, Version, WriteMode, WriteOptions,
};
use tokio::sync::watch;

use super::BisyncError;
use super::process::Process;
use super::store::Store;
use crate::SyncError;
use crate::task::Task;

const LOCK: &str = "lock";

/// Tries to get a lock that others release or take at the same time.
const TRIES: u32 = 5;

/// A lock that is held. It has to be [released](Self::release); one that is dropped expires, or is
/// taken over once this process is seen to be dead.
#[derive(Debug)]
pub(crate) struct Lock {
    object: Arc<Object>,
    renewal: Task<Renewal>,
    stop: watch::Sender<bool>,
    lost: watch::Receiver<bool>,
}

/// How the renewal of a lock ended.
#[derive(Debug)]
enum Renewal {
    /// It was told to; the lock is at this version, where there are versions.
    Stopped(Option<Version>),
    Lost,
}

/// What a lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    /// Tells two claims of one process apart.
    nonce: u64,
    process: Process,
    /// Milliseconds since 1970.
    until: u64,
}

#[derive(Debug)]
struct Object {
    backend: Arc<dyn Backend>,
    path: ObjectPath,
    shown: String,
    conditional: bool,
    nonce: u64,
    term: Duration,
}

impl Lock {
    /// Takes the lock.
    pub(crate) async fn acquire(store: &Store, term: Duration) -> Result<Self, SyncError> {
        let features = store
            .backend()
            .as_extended()
            .map(|extended| extended.features());
        let features = features.unwrap_or_default();
        if !features.create_new {
            return Err(SyncError::Option {
                option: "state",
                reason: "its store cannot lock: it has no feature `create_new`".into(),
            });
        }
        let path = store.place(LOCK)?;
        let object = Arc::new(Object {
            backend: Arc::clone(store.tree.backend()),
            shown: store.shown(&path),
            path,
            conditional: features.if_version,
            nonce: RandomState::new().hash_one(SystemTime::now()),
            term,
        });
        let version = object.take().await?;
        let (stop, stopped) = watch::channel(false);
        let (losing, lost) = watch::channel(false);
        let renewal = Arc::clone(&object).renew(version, stopped, losing);
        Ok(Self {
            object,
            renewal: Task::spawn(renewal),
            stop,
            lost,
        })
    }

    /// Waits until the lock is lost.
    pub(crate) async fn lost(&self) -> SyncError {
        let mut lost = self.lost.clone();
        if lost.wait_for(|lost| *lost).await.is_err() {
            // Whoever renews it has ended without losing it: the lock is being released.
            std::future::pending::<()>().await;
        }
        BisyncError::LockLost(self.object.shown.clone()).into()
    }

    /// Gives the lock back, unless it was lost.
    pub(crate) async fn release(self) -> Result<(), SyncError> {
        self.stop.send_replace(true);
        let version = match self.renewal.await {
            Ok(Renewal::Stopped(version)) => version,
            _ => return Ok(()),
        };
        let object = &self.object;
        match object.read().await? {
            Some((Some(claim), found)) if claim.nonce == object.nonce && found == version => {
                object.backend.delete(&object.path).await?;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Object {
    async fn take(&self) -> Result<Option<Version>, SyncError> {
        for _ in 0..TRIES {
            match self.write(WriteMode::CreateNew).await {
                Err(error) if error.is_already_exists() => {}
                written => return Ok(written?),
            }
            let Some((claim, version)) = self.read().await? else {
                continue;
            };
            if let Some(claim) = claim.filter(|claim| !claim.is_stale()) {
                return Err(self.held_by(&claim));
            }
            match version.filter(|_| self.conditional) {
                Some(version) => match self.write(WriteMode::IfVersion(version)).await {
                    Err(error) if error.is_precondition_failed() || error.is_not_found() => {}
                    written => return Ok(written?),
                },
                // Without versions, two that find it stale at the same moment may both think so.
                None => {
                    self.backend.delete(&self.path).await?;
                }
            }
        }
        Err(BisyncError::Locked {
            place: self.shown.clone(),
            owner: "it changes hands all the time".to_owned(),
        }
        .into())
    }

    fn held_by(&self, claim: &Claim) -> SyncError {
        let left = claim.until.saturating_sub(now()).div_ceil(1000);
        let owner = format!(
            "process {}, for {left} s unless renewed",
            claim.process.number
        );
        let place = self.shown.clone();
        BisyncError::Locked { place, owner }.into()
    }

    /// What the lock says, `None` when there is none; a claim that cannot be read is nobody's.
    async fn read(&self) -> Result<Option<(Option<Claim>, Option<Version>)>, SyncError> {
        let reader = match self
            .backend
            .reader(&self.path, ReadOptions::default())
            .await
        {
            Err(error) if error.is_not_found() => return Ok(None),
            reader => reader?,
        };
        let version = reader.info().version.clone();
        let bytes = reader.bytes().await?;
        let claim = std::str::from_utf8(&bytes).ok().and_then(Claim::parse);
        Ok(Some((claim, version)))
    }

    async fn write(&self, mode: WriteMode) -> storage_core::Result<Option<Version>> {
        let term = u64::try_from(self.term.as_millis()).unwrap_or(u64::MAX);
        let claim = Claim {
            nonce: self.nonce,
            process: Process::own(),
            until: now().saturating_add(term),
        };
        let payload = Payload::from(claim.to_string());
        // A power cut ends the run anyway.
        let options = WriteOptions::from(mode).durability(Durability::Deferred);
        let written = self.backend.write(&self.path, payload, options).await?;
        Ok(written.version)
    }

    /// Renews the lock until told to stop.
    async fn renew(
        self: Arc<Self>,
        mut version: Option<Version>,
        mut stopped: watch::Receiver<bool>,
        losing: watch::Sender<bool>,
    ) -> Renewal {
        let mut failing = false;
        let mut renewed = tokio::time::Instant::now();
        loop {
            let pause = self.term / if failing { 30 } else { 3 };
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return Renewal::Stopped(version),
                () = tokio::time::sleep(pause) => {}
            }
            let mode = match version.clone().filter(|_| self.conditional) {
                Some(version) => WriteMode::IfVersion(version),
                None => WriteMode::Replace,
            };
            match self.write(mode).await {
                Ok(written) => {
                    (version, failing) = (written, false);
                    renewed = tokio::time::Instant::now();
                }
                Err(error) if error.is_transient() && renewed.elapsed() < self.term => {
                    failing = true;
                }
                Err(_) => {
                    losing.send_replace(true);
                    return Renewal::Lost;
                }
            }
        }
    }
}

impl Claim {
    fn is_stale(&self) -> bool {
        self.until < now() || self.process.is_dead()
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        Some(Self {
            nonce: field("nonce")?.parse().ok()?,
            process: Process {
                number: field("process")?.parse().ok()?,
                started: field("started")?.parse().ok()?,
                place: field("place")?.to_owned(),
            },
            until: field("until")?.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Process {
            place,
            number,
            started,
        } = &self.process;
        writeln!(f, "nonce: {}", self.nonce)?;
        writeln!(f, "process: {number}\nstarted: {started}\nplace: {place}")?;
        writeln!(f, "until: {}", self.until)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_comes_back() {
        let claim = Claim {
            nonce: 7,
            process: Process::own(),
            until: 1 << 50,
        };
        assert_eq!(Claim::parse(&claim.to_string()), Some(claim));
        assert_eq!(Claim::parse("nonce: x"), None);
    }
}
