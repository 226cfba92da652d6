use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use storage_core::{ObjectPath, Result, Version, WriteMode, Written};

use crate::budget::{Budget, Reservation};
use crate::object::{Attributes, Object, Publication};
use crate::tree::Tree;

/// What all handles of one store share.
#[derive(Debug)]
pub(crate) struct Store {
    tree: RwLock<Tree>,
    pub(crate) budget: Arc<Budget>,
    /// Tells this store's versions from those of any other.
    id: u64,
    writes: AtomicU64,
}

impl Store {
    pub(crate) fn new(max_bytes: Option<u64>, hierarchical: bool) -> Self {
        Self {
            tree: RwLock::new(Tree::new(hierarchical)),
            budget: Arc::new(Budget::new(max_bytes)),
            id: RandomState::new().build_hasher().finish(),
            writes: AtomicU64::new(0),
        }
    }

    /// A lock poisoned by a panic is taken all the same: the tree is changed by steps that do not
    /// panic half-way.
    pub(crate) fn tree(&self) -> RwLockReadGuard<'_, Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tree_mut(&self) -> RwLockWriteGuard<'_, Tree> {
        self.tree.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a write, or nothing: the only place where content appears. `reserved` is what has
    /// been taken from the budget for it already; it is spent on success alone.
    pub(crate) fn publish(
        &self,
        path: &ObjectPath,
        publication: Publication,
        reserved: Option<Reservation>,
    ) -> Result<Written> {
        let Publication {
            mode,
            content,
            modified,
            attributes,
            reported,
        } = publication;
        let version = self.next_version();
        let mut tree = self.tree_mut();
        tree.check_place(path)?;
        tree.check_mode(path, &mode)?;
        let old = tree.objects.get_mut(path.as_str());
        let before = old.as_ref().map_or(0, |old| old.content.len());
        let appended = matches!(mode, WriteMode::Append);
        let after = content.len() + if appended { before } else { 0 };
        let held = before + reserved.as_ref().map_or(0, Reservation::bytes);
        self.budget.exchange(held, after)?;
        reserved.into_iter().for_each(Reservation::spend);

        let modified = modified.unwrap_or_else(SystemTime::now);
        let mut object = Object {
            content,
            modified,
            version,
            attributes: attributes.shared(),
        };
        let written = |object: &Object| object.written(reported);
        let Some(old) = old else {
            let written = written(&object);
            tree.create_parents(path);
            tree.objects.insert(path.clone(), object);
            return Ok(written);
        };
        if appended {
            extend(old, &mut object);
        }
        let written = written(&object);
        let replaced = std::mem::replace(old, object);
        // Freeing large content takes long; the lock need not wait for it.
        drop(tree);
        drop(replaced);
        Ok(written)
    }

    /// Forgets every object and directory.
    pub(crate) fn clear(&self) {
        let mut tree = self.tree_mut();
        let objects = std::mem::take(&mut tree.objects);
        tree.directories.clear();
        self.release(objects.values());
        drop(tree);
    }

    /// Gives the budget back what removed objects held.
    pub(crate) fn release<'a>(&self, removed: impl IntoIterator<Item = &'a Object>) {
        let freed = removed.into_iter().map(|object| object.content.len());
        self.budget.give_back(freed.sum());
    }

    fn next_version(&self) -> Version {
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let mut buffer = [0; 40];
        let room = buffer.len();
        let mut rest = buffer.as_mut_slice();
        // Cannot fail: two numbers of at most 16 digits and a dash fit.
        let _ = write!(rest, "{:016x}-{number:x}", self.id);
        let length = room - rest.len();
        Version::new(std::str::from_utf8(&buffer[..length]).unwrap_or_default())
    }
}

/// Turns `new`, which holds the appended bytes alone, into the object after the append. What was
/// stored stays unless the append gave another; digests do not, for they would no longer be true.
fn extend(old: &mut Object, new: &mut Object) {
    // Taken out of the old object so that, without readers, the rope is grown in place.
    let empty = crate::content::Content::of_chunks(&[]);
    let mut content = std::mem::replace(&mut old.content, empty);
    content.append(&new.content);
    new.content = content;
    if let Some(old) = old.attributes.as_deref() {
        let given = new
            .attributes
            .take()
            .map_or_else(Attributes::default, Arc::unwrap_or_clone);
        new.attributes = given.or(old).shared();
    }
}
