//! Rename tracking: what the source alone has and what the destination alone has are held back,
//! packed, until both walks have ended; then those are paired that are the same object under another
//! name.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::BitOr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::stream::{FuturesOrdered, StreamExt};
use storage_core::{BackendExt, HashType, HashTypes, ObjectInfo, ObjectPath, Result};

use crate::arena::{Arena, Entries, Entry};
use crate::plan::Step;
use crate::retry::retrying;
use crate::tree::Side;
use crate::{Action, Job, content};

/// What two objects must share, beside their size, to be taken for one that was renamed.
///
/// ```
/// use storage_sync::TrackRenames;
///
/// let strategy = TrackRenames::MODIFIED | TrackRenames::LEAF;
/// assert_ne!(strategy, TrackRenames::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackRenames(u8);

impl TrackRenames {
    /// The size alone.
    pub const SIZE: Self = Self(0);
    /// The content: hashes that the stores keep, else computed by reading.
    pub const HASH: Self = Self(1);
    /// The modified time, within the coarser precision of the two stores.
    pub const MODIFIED: Self = Self(2);
    /// The last segment of the path.
    pub const LEAF: Self = Self(4);

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for TrackRenames {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Default for TrackRenames {
    fn default() -> Self {
        Self::HASH
    }
}

/// What was held back, and how it is paired. Holds about 16 bytes and a file name for each object
/// that only one side has.
#[derive(Debug)]
pub(crate) struct Renames {
    strategy: TrackRenames,
    precision: Duration,
    missing: Arena,
    extra: Arena,
}

/// Positions of the destination's objects by their content.
type Group = HashMap<u128, Vec<u32>>;

/// The end of a plan with rename tracking: what is renamed or sent, then what is deleted.
#[derive(Debug)]
pub(crate) struct Pairing {
    strategy: TrackRenames,
    precision: Duration,
    missing: Entries<Vec<u8>>,
    extra: Arena,
    /// What the destination's objects share with their pair, and where they are in `extra`; sorted.
    index: Vec<(u64, u32)>,
    paired: Vec<bool>,
    /// How contents are told apart: the digests that a store keeps, or the fastest one to compute.
    hash: Option<HashType>,
    /// The destination's objects that a source's object was compared with, by what they share.
    groups: HashMap<u64, Group>,
    next_extra: usize,
}

impl Renames {
    pub(crate) fn new(job: &Job, strategy: TrackRenames) -> Self {
        Self {
            strategy,
            precision: job.source.precision.max(job.destination.precision),
            missing: Arena::default(),
            extra: Arena::default(),
        }
    }

    /// Holds back an object that the destination does not have.
    pub(crate) fn missing(&mut self, job: &Job, path: &ObjectPath, info: &ObjectInfo) {
        let modified = job.source.source_time(info);
        self.missing.push(path, info.size, modified);
    }

    /// Holds back an object that the source does not have.
    pub(crate) fn extra(&mut self, job: &Job, path: &ObjectPath, info: &ObjectInfo) {
        let modified = job.destination.kept_time(info);
        self.extra.push(path, info.size, modified);
    }

    /// Both walks have ended.
    pub(crate) fn pair(self) -> Result<Pairing> {
        let mut index = Vec::with_capacity(self.extra.len());
        for position in 0..self.extra.len() {
            let Some(entry) = self.extra.get(position).transpose()? else {
                break;
            };
            let mark = mark(self.strategy, self.precision, &entry);
            if let (Some(mark), Ok(position)) = (mark, u32::try_from(position)) {
                index.push((mark, position));
            }
        }
        index.sort_unstable();
        Ok(Pairing {
            strategy: self.strategy,
            precision: self.precision,
            missing: self.missing.into_entries(),
            paired: vec![false; self.extra.len()],
            extra: self.extra,
            index,
            hash: None,
            groups: HashMap::new(),
            next_extra: 0,
        })
    }
}

/// What an object shares with its pair; `None` when it cannot be paired. Empty objects are not worth
/// it.
fn mark(strategy: TrackRenames, precision: Duration, entry: &Entry) -> Option<u64> {
    let size = entry.size.filter(|size| *size > 0)?;
    let mut hasher = DefaultHasher::new();
    size.hash(&mut hasher);
    // What stands for a symbolic link becomes no file by another name, nor the reverse.
    entry.path.ends_with(".rclonelink").hash(&mut hasher);
    if strategy.has(TrackRenames::MODIFIED) {
        rounded(entry.modified?, precision).hash(&mut hasher);
    }
    if strategy.has(TrackRenames::LEAF) {
        entry.path.file_name().hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// The time down to a precision.
fn rounded(time: SystemTime, precision: Duration) -> (bool, u128) {
    let (before, gap) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (false, after),
        Err(error) => (true, error.duration()),
    };
    (before, gap.as_nanos() / precision.as_nanos().max(1))
}

impl Pairing {
    /// The next step; `None` when all are done.
    pub(crate) async fn next(&mut self, job: &Job) -> Option<Result<Step>> {
        if let Some(entry) = self.missing.next() {
            return Some(match entry {
                Ok(entry) => Ok(self.renamed_or_sent(job, entry).await),
                Err(error) => Err(error),
            });
        }
        while self.next_extra < self.paired.len() {
            let position = self.next_extra;
            self.next_extra += 1;
            if !self.paired[position] {
                let entry = self.extra.get(position)?;
                return Some(entry.map(|entry| {
                    let (path, size) = (entry.path, entry.size);
                    Step::Act(Action::Delete { path, size }.into())
                }));
            }
        }
        None
    }

    async fn renamed_or_sent(&mut self, job: &Job, entry: Entry) -> Step {
        let from = self.original(job, &entry).await;
        let (path, size) = (entry.path, entry.size);
        let mut source = ObjectInfo::new(path.clone());
        // Cannot fail: it is how the path was found.
        if let Ok(full) = job.source.tree.prefix().join(&path) {
            source.path = full;
        }
        (source.size, source.modified) = (size, entry.modified);
        let action = match from {
            Some(from) => Action::Relocate { from, path, size },
            None => Action::Create { path, size },
        };
        Step::sending(action, source)
    }

    /// What the object is called at the destination.
    async fn original(&mut self, job: &Job, entry: &Entry) -> Option<ObjectPath> {
        let mark = mark(self.strategy, self.precision, entry)?;
        if !self.groups.contains_key(&mark) {
            let group = self.group(job, entry, mark).await?;
            self.groups.insert(mark, group);
        }
        let group = self.groups.get_mut(&mark)?;
        let content = match self.hash {
            Some(hash) => digest_of(job, &job.source, &entry.path, hash).await?,
            None => 0,
        };
        let alike = group.get_mut(&content)?;
        let position = *alike.last()?;
        let found = self.extra.get(position as usize)?.ok()?;
        // The mark is a hash of 64 bits. And one that is in the way of the other has to go first.
        if found.size != entry.size || is_in_the_way(&found.path, &entry.path) {
            return None;
        }
        alike.pop();
        *self.paired.get_mut(position as usize)? = true;
        Some(found.path)
    }

    /// The destination's objects with this mark, by content; by 0 where that is not asked for. What
    /// cannot be read is in no group. `None` when there is none at all.
    async fn group(&mut self, job: &Job, entry: &Entry, mark: u64) -> Option<Group> {
        let start = self.index.partition_point(|(other, _)| *other < mark);
        let rest = self.index.get(start..)?;
        let members = &rest[..rest.partition_point(|(other, _)| *other == mark)];
        let first = members.first()?.1;
        // Backwards: the last is taken first.
        let members = members.iter().rev().map(|(_, position)| *position);
        let mut group = Group::new();
        if !self.strategy.has(TrackRenames::HASH) {
            group.insert(0, members.collect());
            return Some(group);
        }
        let hash = match self.hash {
            Some(hash) => hash,
            None => {
                let candidate = self.extra.get(first as usize)?.ok()?;
                *self.hash.insert(kept_hash(job, entry, &candidate).await)
            }
        };
        let members: Vec<u32> = members.collect();
        let mut digests = FuturesOrdered::new();
        for position in members {
            let entry = self.extra.get(position as usize)?.ok()?;
            digests.push_back(digested(job, entry.path, hash, position));
            if digests.len() == job.options.checkers {
                add(&mut group, digests.next().await.flatten());
            }
        }
        while let Some(found) = digests.next().await {
            add(&mut group, found);
        }
        Some(group)
    }
}

/// Whether one path would have to be a directory and an object at once.
fn is_in_the_way(a: &str, b: &str) -> bool {
    let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    below(a, b) || below(b, a)
}

/// The hash by which the fewest objects have to be read.
async fn kept_hash(job: &Job, entry: &Entry, candidate: &Entry) -> HashType {
    let theirs = stored(job, &job.destination, &candidate.path).await;
    let ours = stored(job, &job.source, &entry.path).await;
    // A checksum of 32 bits does not tell a million objects apart.
    let strong = |hash: &HashType| *hash != HashType::Crc32c;
    let both = theirs
        .iter()
        .filter(|hash| ours.contains(*hash))
        .find(strong);
    let one = || theirs.iter().chain(ours.iter()).find(strong);
    both.or_else(one).unwrap_or(HashType::Blake3)
}

async fn stored(job: &Job, side: &Side, path: &ObjectPath) -> HashTypes {
    match hashes(job, side, path).await {
        Some(info) => info.hashes.types(),
        None => HashTypes::NONE,
    }
}

async fn hashes(job: &Job, side: &Side, path: &ObjectPath) -> Option<ObjectInfo> {
    let path = side.tree.prefix().join(path).ok()?;
    let stat = || side.backend().try_stat(&path);
    retrying(job.options.request_tries, stat).await.ok()?
}

/// The digest of a destination's object, with its position.
async fn digested(
    job: &Job,
    path: ObjectPath,
    hash: HashType,
    position: u32,
) -> Option<(u128, u32)> {
    let digest = digest_of(job, &job.destination, &path, hash).await?;
    Some((digest, position))
}

fn add(group: &mut Group, found: Option<(u128, u32)>) {
    if let Some((digest, position)) = found {
        group.entry(digest).or_default().push(position);
    }
}

/// The digest of an object, as the store keeps it or by reading; its first 16 bytes.
async fn digest_of(job: &Job, side: &Side, path: &ObjectPath, hash: HashType) -> Option<u128> {
    let cut = |digest: &[u8]| digest.first_chunk().copied().map(u128::from_be_bytes);
    if side.features.hashes {
        let info = hashes(job, side, path).await?;
        if let Some(digest) = info.hashes.get(hash) {
            return cut(digest);
        }
    }
    let path = side.tree.prefix().join(path).ok()?;
    let read = || content::hash_of(side, &path, hash.into());
    let found = retrying(job.options.request_tries, read).await.ok()?;
    found.get(hash).and_then(cut)
}
