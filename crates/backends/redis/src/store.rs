//! The objects below one prefix, as requests to the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use redis::{Pipeline, Value};
use storage_core::timestamp::{nanoseconds, of_nanoseconds};
use storage_core::{
    Error, ErrorKind, Hashes, ObjectPath, Result, Version, WriteMode, WriteParts, Written,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::damaged;
use crate::header::{Attributes, CONTENT, Content, FIELDS, Header, text_of};
use crate::keys::{CHUNK, Keys};
use crate::link::{Effect, Link, Request};
use crate::script::Script;
use crate::settings::Settings;
use crate::version::Versions;

/// Longest time in seconds that the server keeps how a request ended: a day.
const MAX_KEPT: u64 = 24 * 60 * 60;

/// One open prefix. Shared by the backend, its readers and its writers.
pub(crate) struct Store {
    pub(crate) link: Link,
    pub(crate) keys: Keys,
    pub(crate) settings: Settings,
    versions: Versions,
    /// Chunks that may be on their way at a time.
    memory: Arc<Semaphore>,
    /// Where the server may keep how the next request ends, in place of one that is over.
    free: Mutex<Vec<String>>,
}

/// What a write is about to publish.
pub(crate) struct Publication {
    pub(crate) path: ObjectPath,
    pub(crate) mode: WriteMode,
    pub(crate) modified: Option<SystemTime>,
    pub(crate) attributes: Attributes,
    /// For `Written`.
    pub(crate) reported: Hashes,
}

/// The bytes of a write.
pub(crate) enum Body {
    /// At most one chunk.
    Inline(Bytes),
    /// Chunks that the server has: blob and size.
    Staged(String, u64),
}

impl Publication {
    /// Everything of the options that is stored but the digests. `hashes`, `verify`, `expected` and
    /// `size` are the hasher's, `attributes` has been judged, `durability` is the server's.
    pub(crate) fn new(path: ObjectPath, parts: &WriteParts) -> Self {
        Self {
            path,
            mode: parts.mode.clone(),
            modified: parts.modified,
            attributes: Attributes::of(parts),
            reported: Hashes::new(),
        }
    }
}

impl Store {
    pub(crate) fn new(settings: Settings) -> Result<Self> {
        let chunks = (settings.memory_limit / CHUNK).clamp(16, Semaphore::MAX_PERMITS as u64);
        Ok(Self {
            link: Link::new(&settings)?,
            keys: Keys::new(&settings.prefix)?,
            versions: Versions::new(),
            memory: Arc::new(Semaphore::new(chunks as usize)),
            free: Mutex::default(),
            settings,
        })
    }

    /// Sets how often a request is tried.
    pub(crate) const fn be_patient(&mut self, attempts: u32) {
        self.link.max_attempts = attempts;
    }

    /// A name that nothing else has: a version, a blob.
    pub(crate) fn unique(&self) -> String {
        self.versions.next()
    }

    /// Waits until there is room for `bytes`, at most 1 MiB, on their way.
    pub(crate) async fn room(&self, bytes: u64) -> Result<OwnedSemaphorePermit> {
        let chunks = u32::try_from(bytes.div_ceil(CHUNK))
            .unwrap_or(u32::MAX)
            .min(16);
        let room = Arc::clone(&self.memory).acquire_many_owned(chunks).await;
        room.map_err(|_| Error::new(ErrorKind::BackendClosed, ""))
    }

    /// Sends a script that says in a word how it went, and whose repetition is answered as it was.
    /// `id` is this request's alone.
    pub(crate) async fn run(
        &self,
        script: Script,
        id: &str,
        keys: &[&str],
        arguments: impl Fn(&mut Pipeline),
    ) -> Result<String> {
        let token = self.token();
        let mut all = vec![token.as_str()];
        all.extend_from_slice(keys);
        let mut attempts = 0;
        let build = |request: &mut Request<'_>| {
            attempts += 1;
            arguments(self.begin(request.script(script, &all), id));
        };
        let replies = self.link.request(Effect::Changes, build).await?;
        // What was sent once and answered cannot arrive later.
        if attempts == 1 {
            self.free().push(token);
        }
        let text = text_of(replies.into_iter().next().unwrap_or_default())?;
        text.ok_or_else(|| damaged("a script gave no answer"))
    }

    /// A key that no other request under way uses.
    fn token(&self) -> String {
        let free = self.free().pop();
        free.unwrap_or_else(|| self.keys.token(&self.unique()))
    }

    fn free(&self) -> MutexGuard<'_, Vec<String>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the arguments that every script begins with.
    pub(crate) fn begin<'p>(&self, commands: &'p mut Pipeline, id: &str) -> &'p mut Pipeline {
        let grace = u64::try_from(self.settings.grace.as_millis()).unwrap_or(u64::MAX >> 1);
        // The last attempt begins within the timeout, and may take as long again to arrive.
        let kept = self.settings.timeout.saturating_mul(3).as_secs();
        commands
            .arg(&self.keys.start)
            .arg(id)
            .arg(grace.max(1))
            .arg(kept.clamp(60, MAX_KEPT))
    }

    /// Makes a write visible, in one step.
    pub(crate) async fn publish(&self, publication: Publication, body: &Body) -> Result<Written> {
        let Publication {
            path,
            mode,
            modified,
            attributes,
            reported,
        } = publication;
        let modified = nanoseconds(modified.unwrap_or_else(SystemTime::now))?;
        let version = self.unique();
        let (letter, expected) = told(&mode);
        let life = self.settings.ttl.as_ref().map_or(0, Duration::as_millis) as u64;
        let (kind, content, size) = match body {
            Body::Inline(bytes) => ("i", &bytes[..], bytes.len() as u64),
            Body::Staged(blob, size) => ("s", blob.as_bytes(), *size),
        };
        let fields = attributes.fields();
        let header = self.keys.header(&path);
        let keys = [header.as_str(), &self.keys.index];
        let answer = self.run(Script::Publish, &version, &keys, |commands| {
            commands.arg(path.as_str()).arg(letter).arg(expected);
            commands.arg(&version).arg(life).arg(kind).arg(content);
            commands.arg(size).arg("m").arg(modified).arg(&fields);
        });
        let size = judged(&answer.await?, &mode)?.parse();
        let mut written = Written::new(size.map_err(|_| damaged("a size is not a number"))?);
        written.version = Some(Version::new(version));
        written.modified = Some(of_nanoseconds(modified));
        written.hashes = reported;
        Ok(written)
    }

    pub(crate) async fn delete(&self, path: &ObjectPath) -> Result<bool> {
        let header = self.keys.header(path);
        let keys = [header.as_str(), &self.keys.index];
        let id = self.unique();
        let answer = self.run(Script::Delete, &id, &keys, |commands| {
            commands.arg(path.as_str());
        });
        Ok(answer.await? == "ok")
    }

    pub(crate) async fn rename(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        mode: &WriteMode,
    ) -> Result<()> {
        let (header, other) = (self.keys.header(from), self.keys.header(to));
        let keys = [header.as_str(), &self.keys.index, &other];
        let (letter, expected) = told(mode);
        let id = self.unique();
        let answer = self.run(Script::Rename, &id, &keys, |commands| {
            commands.arg(from.as_str()).arg(to.as_str());
            commands.arg(letter).arg(expected);
        });
        judged(&answer.await?, mode).map(drop)
    }

    pub(crate) async fn set_modified(&self, path: &ObjectPath, modified: SystemTime) -> Result<()> {
        let modified = nanoseconds(modified)?;
        let header = self.keys.header(path);
        let keys = [header.as_str()];
        let id = self.unique();
        let answer = self.run(Script::Touch, &id, &keys, |commands| {
            commands.arg(modified);
        });
        judged(&answer.await?, &WriteMode::Replace).map(drop)
    }

    /// The header of an object, and where its bytes are; bytes that are few come with it.
    pub(crate) async fn open(&self, path: &ObjectPath) -> Result<(Header, Content)> {
        let mut values = self.fields(path, true).await?;
        let header = Header::of_values(&mut values)?.ok_or_else(|| Error::not_found(""))?;
        let content = Content::of_values(&mut values, header.size)?;
        Ok((header, content))
    }

    pub(crate) async fn stat(&self, path: &ObjectPath) -> Result<Header> {
        let mut values = self.fields(path, false).await?;
        Header::of_values(&mut values)?.ok_or_else(|| Error::not_found(""))
    }

    async fn fields(&self, path: &ObjectPath, content: bool) -> Result<std::vec::IntoIter<Value>> {
        let header = self.keys.header(path);
        let build = |request: &mut Request<'_>| {
            let command = request.commands.cmd("HMGET").arg(&header).arg(&FIELDS);
            if content {
                command.arg(&CONTENT);
            }
        };
        let replies = self.link.request(Effect::None, build).await?;
        array(replies.into_iter().next())
    }

    pub(crate) async fn exists(&self, path: &ObjectPath) -> Result<bool> {
        let header = self.keys.header(path);
        let build = |request: &mut Request<'_>| {
            request.commands.cmd("HEXISTS").arg(&header).arg("v");
        };
        let replies = self.link.request(Effect::None, build).await?;
        Ok(replies.first() == Some(&Value::Int(1)))
    }
}

/// The values of an array.
pub(crate) fn array(reply: Option<Value>) -> Result<std::vec::IntoIter<Value>> {
    match reply {
        Some(Value::Array(values)) => Ok(values.into_iter()),
        _ => Err(damaged("a reply is not an array")),
    }
}

/// A mode as scripts are told it.
fn told(mode: &WriteMode) -> (&'static str, &str) {
    match mode {
        WriteMode::Replace => ("r", ""),
        WriteMode::CreateNew => ("n", ""),
        WriteMode::IfVersion(version) => ("v", version.as_str()),
        WriteMode::Append => ("a", ""),
    }
}

/// What a script's answer means; what follows `ok`.
fn judged<'a>(answer: &'a str, mode: &WriteMode) -> Result<&'a str> {
    let (word, rest) = answer.split_once(' ').unwrap_or((answer, ""));
    match word {
        "ok" => Ok(rest),
        "missing" => Err(Error::not_found("")),
        "exists" => Err(Error::new(ErrorKind::AlreadyExists, "")),
        "version" => {
            let expected = match mode {
                WriteMode::IfVersion(version) => Some(version.clone()),
                _ => None,
            };
            let actual = (!rest.is_empty()).then(|| Version::new(rest));
            Err(Error::precondition_failed(expected, actual))
        }
        "staging" => {
            let message = "what was written so far was lost by the server, or has expired";
            Err(Error::new(ErrorKind::Other, message).with_transient(true))
        }
        _ => Err(damaged("a script's answer is not one")),
    }
}
