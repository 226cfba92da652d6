use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use storage_core::{ObjectPath, Result, Version, WriteMode, Written};

use crate::budget::{Budget, Reservation};
use crate::object::{Attributes, Object, Publication};
use crate::tree::{Tree, check_mode};

/// What all handles of one store share.
#[derive(Debug)]
pub(crate) struct Store {
    tree: RwLock<Tree>,
    pub(crate) budget: Arc<Budget>,
    /// Tells this store's versions from those of any other.
    name: [u8; NAME_LEN],
    writes: AtomicU64,
}

impl Store {
    pub(crate) fn new(max_bytes: Option<u64>, hierarchical: bool) -> Self {
        Self {
            tree: RwLock::new(Tree::new(hierarchical)),
            budget: Arc::new(Budget::new(max_bytes)),
            name: random_name(),
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
        let mut object = Object {
            content,
            modified: modified.unwrap_or_else(SystemTime::now),
            version: self.next_version(),
            attributes: attributes.shared(),
        };
        let mut tree = self.tree_mut();
        let Some(old) = tree.objects.get_mut(path.as_str()) else {
            tree.check_place(path)?;
            check_mode(&mode, None)?;
            self.charge(0, object.content.len(), reserved)?;
            tree.create_parents(path);
            let written = object.written(reported);
            tree.objects.insert(path.clone(), object);
            return Ok(written);
        };
        check_mode(&mode, Some(&old.version))?;
        let (before, mut after) = (old.content.len(), object.content.len());
        if mode == WriteMode::Append {
            after += before;
        }
        self.charge(before, after, reserved)?;
        if mode == WriteMode::Append {
            extend(old, &mut object);
        }
        let written = object.written(reported);
        let replaced = std::mem::replace(old, object);
        // Freeing large content takes long; the lock need not wait for it.
        drop(tree);
        drop(replaced);
        Ok(written)
    }

    /// Moves the budget from an object of `before` bytes to one of `after`, of which some may have
    /// been reserved, or changes nothing.
    fn charge(&self, before: u64, after: u64, reserved: Option<Reservation>) -> Result<()> {
        let held = before + reserved.as_ref().map_or(0, Reservation::bytes);
        self.budget.exchange(held, after)?;
        reserved.into_iter().for_each(Reservation::spend);
        Ok(())
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

    /// The store's name and the count of writes, in hexadecimal from the lowest digit on. Spelt by
    /// hand, for every write makes one.
    fn next_version(&self) -> Version {
        let mut count = self.writes.fetch_add(1, Ordering::Relaxed);
        let mut text = [b'-'; NAME_LEN + 16];
        let (name, digits) = text.split_at_mut(NAME_LEN);
        name.copy_from_slice(&self.name);
        let mut length = NAME_LEN;
        for digit in digits {
            *digit = DIGITS[(count & 15) as usize];
            length += 1;
            count >>= 4;
            if count == 0 {
                break;
            }
        }
        Version::new(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

/// 16 digits and a dash.
const NAME_LEN: usize = 17;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A random name for one store.
fn random_name() -> [u8; NAME_LEN] {
    let number = RandomState::new().build_hasher().finish();
    let digit = |place: usize| match place {
        16 => b'-',
        _ => DIGITS[(number >> (4 * place) & 15) as usize],
    };
    std::array::from_fn(digit)
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
