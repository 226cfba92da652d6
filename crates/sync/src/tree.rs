use std::sync::Arc;
use std::time::{Duration, SystemTime};

use storage_core::{
    Backend, ExtendedBackend, Features, NameFolding, ObjectInfo, Prefix, timestamp,
};

use crate::{Sums, SyncError};

/// One side of a job: everything below a prefix of a backend.
///
/// As a source, a prefix that names one object instead of a directory stands for that object: it
/// goes to its own name below the destination, as `rclone copy file directory` has it.
#[derive(Debug, Clone)]
pub struct Tree {
    backend: Arc<dyn Backend>,
    prefix: Prefix,
    has_content: bool,
    /// What a view is of.
    viewed: Option<Arc<dyn Backend>>,
}

impl Tree {
    /// The tree below `prefix` on `backend`.
    #[must_use]
    pub const fn new(backend: Arc<dyn Backend>, prefix: Prefix) -> Self {
        Self {
            backend,
            prefix,
            has_content: true,
            viewed: None,
        }
    }

    /// The tree that a checksum file describes: as a source, it can be compared with and nothing
    /// else.
    pub(crate) fn of_sums(sums: Sums) -> Self {
        Self {
            backend: Arc::new(sums),
            prefix: Prefix::root(),
            has_content: false,
            viewed: None,
        }
    }

    /// A tree that is read as a transformation makes it.
    pub(crate) fn seen_through(self, view: Arc<dyn Backend>) -> Self {
        let viewed = Some(Arc::clone(self.real_backend()));
        Self {
            backend: view,
            viewed,
            ..self
        }
    }

    fn real_backend(&self) -> &Arc<dyn Backend> {
        self.viewed.as_ref().unwrap_or(&self.backend)
    }

    /// Whether what it lists is made on the way.
    pub(crate) const fn is_view(&self) -> bool {
        self.viewed.is_some()
    }

    /// Whether there are objects behind the listing.
    pub(crate) const fn has_content(&self) -> bool {
        self.has_content
    }

    /// The backend.
    #[must_use]
    pub const fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// The prefix.
    #[must_use]
    pub const fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// What tells it from other trees, as far as its backend can tell.
    pub(crate) fn name(&self) -> String {
        let identity = self.backend.identity();
        let place = identity.unwrap_or_else(|| format!("{}:", self.backend.name()));
        format!("{place}{}", self.prefix)
    }
}

impl Tree {
    /// Refuses two trees of which one contains the other, also where two backends are two ways to
    /// one store.
    pub(crate) fn refuse_overlap(&self, other: &Self) -> Result<(), SyncError> {
        self.refuse_overlap_unless(other, |_| false)
    }

    /// The same, unless the inner tree is left out: it is given relative to the outer one.
    pub(crate) fn refuse_overlap_unless(
        &self,
        other: &Self,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Result<(), SyncError> {
        let show = |tree: &Self| format!("{} {:?}", tree.backend.name(), tree.prefix);
        let name = |tree: &Self| -> Option<String> {
            let identity = tree.backend.identity()?;
            Some(identity + Prefix::as_str(&tree.prefix))
        };
        let names = name(self).zip(name(other));
        let inner = match &names {
            _ if Arc::ptr_eq(self.real_backend(), other.real_backend()) => {
                inner(&self.prefix, &other.prefix)
            }
            Some((a, b)) => inner(a, b),
            None => None,
        };
        match inner {
            Some(inner) if inner.is_empty() || !is_left_out(inner) => {
                Err(SyncError::Overlap(match &names {
                    Some((a, b)) => format!("{a:?} and {b:?}"),
                    None => format!("{} and {}", show(self), show(other)),
                }))
            }
            _ => Ok(()),
        }
    }
}

/// Where in one of two trees the other one lies, if it does.
fn inner<'a>(a: &'a str, b: &'a str) -> Option<&'a str> {
    let below = a.strip_prefix(b).or_else(|| b.strip_prefix(a))?;
    Some(below.strip_suffix('/').unwrap_or(below))
}

impl PartialEq for Tree {
    /// Whether both are the same prefix of the same instance of a backend.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.backend, &other.backend) && self.prefix == other.prefix
    }
}

impl Eq for Tree {}

/// All of a backend.
impl From<Arc<dyn Backend>> for Tree {
    fn from(backend: Arc<dyn Backend>) -> Self {
        Self::new(backend, Prefix::root())
    }
}

/// The metadata key that holds a modified time where the store cannot hold one itself, spelled as
/// rclone spells it.
pub(crate) const MTIME: &str = "mtime";

/// Where a side keeps the modified times it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// As an attribute of its own.
    Native,
    /// In metadata, under [`MTIME`].
    Metadata,
    /// Nowhere.
    Lost,
}

/// A tree with what its backend can do.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) tree: Tree,
    pub(crate) features: Features,
    pub(crate) times: Times,
    pub(crate) precision: Duration,
    pub(crate) folding: NameFolding,
}

impl Side {
    pub(crate) fn new(tree: Tree) -> Self {
        let extended = tree.backend.as_extended();
        let features = extended.map_or(Features::NONE, ExtendedBackend::features);
        let times = match features {
            features if features.set_modified => Times::Native,
            features if features.custom_metadata => Times::Metadata,
            _ => Times::Lost,
        };
        let folding = extended.map_or(NameFolding::Exact, ExtendedBackend::name_folding);
        let precision = match (times, extended) {
            (Times::Native, Some(extended)) => extended.modified_precision(),
            _ => Duration::from_nanos(1),
        };
        Self {
            tree,
            features,
            times,
            precision,
            folding,
        }
    }

    pub(crate) fn backend(&self) -> &dyn Backend {
        &*self.tree.backend
    }

    /// Whether both are on the very same backend.
    pub(crate) fn is_on_backend_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tree.backend, &other.tree.backend)
    }

    /// The time a writer gave the object, where the side can keep it.
    pub(crate) fn kept_time(&self, info: &ObjectInfo) -> Option<SystemTime> {
        match self.times {
            Times::Native => info.modified,
            Times::Metadata => info.metadata.get(MTIME).and_then(|at| timestamp::parse(at)),
            Times::Lost => None,
        }
    }

    /// The time that a copy of the object should have: the one it was given, else the store's own.
    pub(crate) fn source_time(&self, info: &ObjectInfo) -> Option<SystemTime> {
        self.kept_time(info).or(info.modified)
    }

    /// Whether a listing may have left out the time that was kept.
    pub(crate) fn needs_stat(&self, info: &ObjectInfo) -> bool {
        match self.times {
            Times::Native => info.modified.is_none() && !info.is_dir,
            Times::Metadata => info.metadata.is_empty(),
            Times::Lost => false,
        }
    }
}
