use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use storage_core::{
    Error, ErrorKind, ListOptions, ListPage, ObjectInfo, ObjectPath, Prefix, Result,
};

use crate::StreamStats;
use crate::ends::{End, Receiver, Sender};
use crate::settings::{Missing, Mode, Rules};
use crate::stream::{Aftermath, Stream};
use crate::sync::{Mutex, lock};

/// The streams of one backend by name, shared by its handles, writers and readers.
///
/// Whoever opens, leaves or removes a stream holds this lock before the stream's own, so a name is
/// never given a second stream while somebody opens the first. Sending and receiving do not.
#[derive(Debug)]
pub(crate) struct Namespace {
    rules: Rules,
    names: Mutex<Names>,
}

#[derive(Debug)]
struct Names {
    streams: Streams,
    /// Replays that will replace the ended one of the same name when they begin.
    successors: Streams,
    /// Backend handles that are not closed.
    handles: usize,
}

impl Namespace {
    /// An empty one, with one handle open.
    pub(crate) fn new(rules: Rules) -> Self {
        let names = Names {
            streams: BTreeMap::new(),
            successors: BTreeMap::new(),
            handles: 1,
        };
        Self {
            rules,
            names: Mutex::new(names),
        }
    }

    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn open_handle(&self) {
        let mut names = lock(&self.names);
        names.handles += 1;
        let after = names.tell_handles();
        drop(names);
        drop(after);
    }

    /// After the last one, nobody waits for somebody who cannot come any more.
    pub(crate) fn close_handle(&self) {
        let mut names = lock(&self.names);
        names.handles = names.handles.saturating_sub(1);
        let after = names.tell_handles();
        drop(names);
        drop(after);
    }

    pub(crate) fn writer(self: &Arc<Self>, path: &ObjectPath) -> Result<Sender> {
        let mut names = lock(&self.names);
        names.check()?;
        let (stream, succeeds) = match names.needs_successor(path, self.rules) {
            true => (open(&mut names.successors, path, self.rules), true),
            false => (open(&mut names.streams, path, self.rules), false),
        };
        let id = stream.open_writer();
        drop(names);
        let end = End::new(Arc::clone(self), path.clone(), stream, id);
        Ok(Sender::new(end, succeeds))
    }

    /// Lets `stream` take the place of the one that it succeeds, unless it has done so. Readers of
    /// the old one read on.
    pub(crate) fn succeed(&self, path: &ObjectPath, stream: &Arc<Stream>) {
        let mut names = lock(&self.names);
        let mut replaced = None;
        if is_at(&names.successors, path, stream) {
            names.successors.remove(path);
            replaced = names.streams.insert(path.clone(), Arc::clone(stream));
        }
        drop(names);
        drop(replaced);
    }

    pub(crate) fn reader(
        self: &Arc<Self>,
        path: &ObjectPath,
        missing: Missing,
    ) -> Result<Receiver> {
        let mut names = lock(&self.names);
        names.check()?;
        if missing == Missing::NotFound && !names.is_there(path) {
            return Err(Error::not_found("nobody writes this stream"));
        }
        let stream = open(&mut names.streams, path, self.rules);
        let id = stream.open_reader();
        drop(names);
        let end = End::new(Arc::clone(self), path.clone(), stream, id);
        Ok(Receiver::new(end))
    }

    pub(crate) fn is_there(&self, path: &ObjectPath) -> bool {
        lock(&self.names).is_there(path)
    }

    pub(crate) fn stats(&self, path: &ObjectPath) -> Option<StreamStats> {
        let names = lock(&self.names);
        let stream = names.streams.get(path)?;
        Some(stream.stats())
    }

    /// The number of streams that a listing shows.
    pub(crate) fn len(&self) -> usize {
        let names = lock(&self.names);
        names
            .streams
            .values()
            .filter(|stream| stream.is_there())
            .count()
    }

    pub(crate) fn page(&self, prefix: &Prefix, options: ListOptions) -> ListPage {
        let names = lock(&self.names);
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let streams = names.streams.range::<str, _>(from);
        let below = streams.take_while(|(path, _)| path.starts_with(prefix.as_str()));
        let there = below.filter(|(_, stream)| stream.is_there());
        let objects = there.map(|(path, _)| ObjectInfo::new(path.clone()));
        ListPage::of_sorted(prefix, options, objects)
    }

    /// Ends and removes a stream; `false` when there was none.
    pub(crate) fn delete(&self, path: &ObjectPath) -> bool {
        let mut names = lock(&self.names);
        if !names.is_there(path) {
            return false;
        }
        let deleted = [names.streams.remove(path), names.successors.remove(path)];
        let after = deleted
            .each_ref()
            .map(|stream| stream.as_deref().map(Stream::delete));
        drop(names);
        drop((after, deleted));
        true
    }

    /// Lets a writer or reader leave `stream`, which is forgotten when nobody needs it any more.
    pub(crate) fn leave(
        &self,
        path: &ObjectPath,
        stream: &Arc<Stream>,
        leave: impl FnOnce(&Stream) -> Aftermath,
    ) {
        let mut names = lock(&self.names);
        let after = leave(stream);
        let forgotten = match stream.is_idle() {
            true if is_at(&names.streams, path, stream) => names.streams.remove(path),
            true if is_at(&names.successors, path, stream) => names.successors.remove(path),
            _ => None,
        };
        drop(names);
        drop((after, forgotten));
    }
}

impl Names {
    /// Fails when the last handle was closed since the caller looked at its own.
    fn check(&self) -> Result<()> {
        match self.handles {
            0 => Err(Error::new(ErrorKind::BackendClosed, "")),
            _ => Ok(()),
        }
    }

    /// Whether a writer that opens now begins a replay anew. In the other modes it adds to what is
    /// there: messages that are for one reader only are never taken back.
    fn needs_successor(&self, path: &ObjectPath, rules: Rules) -> bool {
        let current = self.streams.get(path);
        rules.mode == Mode::Replay && current.is_some_and(|stream| stream.has_ended())
    }

    fn is_there(&self, path: &ObjectPath) -> bool {
        self.streams
            .get(path)
            .is_some_and(|stream| stream.is_there())
    }

    /// Tells every stream whether somebody new can come, where this may have changed.
    fn tell_handles(&self) -> Vec<[Aftermath; 2]> {
        if self.handles > 1 {
            return Vec::new();
        }
        let streams = self.streams.values().chain(self.successors.values());
        streams
            .map(|stream| stream.set_shut(self.handles == 0))
            .collect()
    }
}

type Streams = BTreeMap<ObjectPath, Arc<Stream>>;

/// The stream of this name, made if need be.
fn open(streams: &mut Streams, path: &ObjectPath, rules: Rules) -> Arc<Stream> {
    let known = streams.entry(path.clone());
    Arc::clone(known.or_insert_with(|| Arc::new(Stream::new(rules))))
}

/// Whether it is this stream that has the name.
fn is_at(streams: &Streams, path: &ObjectPath, stream: &Arc<Stream>) -> bool {
    let known = streams.get(path);
    known.is_some_and(|known| Arc::ptr_eq(known, stream))
}
