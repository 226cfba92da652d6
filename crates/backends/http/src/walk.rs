use std::collections::HashMap;
use std::sync::Arc;

use storage_core::{Error, ErrorKind, ObjectInfo, Prefix, Result};
use tokio_util::task::AbortOnDropHandle;

use crate::address::{Base, shown};
use crate::client::Client;
use crate::index::{self, Child};

/// Levels of directories below each other that a walk enters. Servers that follow links can show a
/// tree without an end.
const MAX_DEPTH: usize = 256;

/// Index pages held for later, for each that may be under way.
const HELD: usize = 4;

type Fetch = AbortOnDropHandle<Result<Option<Vec<Child>>>>;

/// A walk over index pages in the order of listings. It asks for the pages of the next directories
/// ahead; dropping it ends that.
#[derive(Debug)]
pub(crate) struct Walk {
    client: Arc<Client>,
    base: Base,
    scope: Scope,
    /// The directories from the first one down to where the walk is.
    stack: Vec<Frame>,
    ahead: HashMap<Prefix, Fetch>,
    /// An entry that was given back.
    returned: Option<ObjectInfo>,
}

/// What a walk covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) prefix: Prefix,
    pub(crate) recursive: bool,
    /// What every wanted key starts with.
    pub(crate) starts_with: String,
    /// The key that every wanted key sorts after.
    pub(crate) after: Option<String>,
}

#[derive(Debug)]
struct Frame {
    prefix: Prefix,
    children: Vec<Child>,
    next: usize,
    /// The first child whose page was not asked for ahead.
    ahead: usize,
}

impl Scope {
    /// Whether there can be wanted keys below a directory.
    fn reaches(&self, directory: &Prefix) -> bool {
        let in_start = directory.starts_with(&self.starts_with)
            || self.starts_with.starts_with(directory.as_str());
        let after = self.after.as_deref().unwrap_or_default();
        in_start && (directory.as_str() > after || after.starts_with(directory.as_str()))
    }
}

impl Walk {
    /// A walk that has read its first page.
    ///
    /// # Errors
    /// Those of the page; `NotFound` when the root itself is not there, so that nobody takes a
    /// mistyped URL for an empty store.
    pub(crate) async fn start(client: &Arc<Client>, base: &Base, scope: Scope) -> Result<Self> {
        let mut walk = Self {
            client: Arc::clone(client),
            base: base.clone(),
            stack: Vec::new(),
            ahead: HashMap::new(),
            returned: None,
            scope,
        };
        let prefix = walk.scope.prefix.clone();
        let children = index::fetch(client, base.directory(&prefix)).await?;
        if children.is_none() && prefix.is_root() {
            let message = format!("there is no directory {}", shown(base.url()));
            return Err(Error::not_found(message));
        }
        walk.push(prefix, children)?;
        Ok(walk)
    }

    /// The next object, or on one level also directory. Dropping the call loses the walk's place.
    pub(crate) async fn next(&mut self) -> Result<Option<ObjectInfo>> {
        if let Some(info) = self.returned.take() {
            return Ok(Some(info));
        }
        while let Some(frame) = self.stack.last_mut() {
            let Some(child) = frame.children.get(frame.next) else {
                self.stack.pop();
                continue;
            };
            frame.next += 1;
            let path = frame.prefix.join(&child.name)?;
            if !child.is_dir {
                let mut info = ObjectInfo::new(path);
                (info.size, info.modified) = (child.size, child.modified);
                return Ok(Some(info));
            }
            if !self.scope.recursive {
                return Ok(Some(ObjectInfo::directory(path)));
            }
            self.enter(path.as_prefix()).await?;
        }
        Ok(None)
    }

    /// Gives an entry back, to be the next one again; the walk then covers what comes after `last`.
    pub(crate) fn give_back(&mut self, info: ObjectInfo, last: &str) {
        self.returned = Some(info);
        self.scope.after = Some(last.to_owned());
    }

    pub(crate) const fn scope(&self) -> &Scope {
        &self.scope
    }

    async fn enter(&mut self, prefix: Prefix) -> Result<()> {
        if !self.scope.reaches(&prefix) {
            return Ok(());
        }
        let children = match self.ahead.remove(&prefix) {
            Some(fetch) => fetch
                .await
                .map_err(|error| Error::new(ErrorKind::Other, error.to_string()))?,
            None => {
                self.look_ahead();
                index::fetch(&self.client, self.base.directory(&prefix)).await
            }
        };
        let children = children.map_err(|error| error.with_path(&prefix))?;
        self.push(prefix, children)
    }

    fn push(&mut self, prefix: Prefix, children: Option<Vec<Child>>) -> Result<()> {
        if self.stack.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} directories lie below each other");
            return Err(Error::new(ErrorKind::InvalidPath, message).with_path(&prefix));
        }
        self.stack.push(Frame {
            prefix,
            // One that has vanished meanwhile is empty.
            children: children.unwrap_or_default(),
            next: 0,
            ahead: 0,
        });
        self.look_ahead();
        Ok(())
    }

    /// Asks for the pages of the directories that come next, the nearest first.
    fn look_ahead(&mut self) {
        if !self.scope.recursive {
            return;
        }
        let limit = self.client.limits().list_concurrency;
        let running = self
            .ahead
            .values()
            .filter(|fetch| !fetch.is_finished())
            .count();
        let held = limit.saturating_mul(HELD).saturating_sub(self.ahead.len());
        let mut free = limit.saturating_sub(running).min(held);
        for frame in self.stack.iter_mut().rev() {
            frame.ahead = frame.ahead.max(frame.next);
            while free > 0 {
                let Some(child) = frame.children.get(frame.ahead) else {
                    break;
                };
                frame.ahead += 1;
                let Some(prefix) = Some(child)
                    .filter(|child| child.is_dir)
                    .and_then(|child| frame.prefix.join(&child.name).ok())
                    .map(|path| path.as_prefix())
                    .filter(|prefix| self.scope.reaches(prefix))
                else {
                    continue;
                };
                let (client, url) = (Arc::clone(&self.client), self.base.directory(&prefix));
                let fetch = tokio::spawn(async move { index::fetch(&client, url).await });
                self.ahead.insert(prefix, AbortOnDropHandle::new(fetch));
                free -= 1;
            }
        }
    }
}
