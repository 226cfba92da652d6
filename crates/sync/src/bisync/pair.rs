use std::sync::Arc;
use std::time::SystemTime;

use storage_core::{ObjectInfo, ObjectPath};

use super::print::{Print, Scale, content_token, window};
use super::{BisyncOptions, Prefer, Replica};
use crate::backup::Keeper;
use crate::retry::retrying;
use crate::tree::Side;
use crate::{Command, Comparison, Job, SyncError, content, inspect};

/// The two trees with what is to be done with them.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) sides: [Side; 2],
    pub(crate) options: BisyncOptions,
    /// What sends to each side.
    to: [Arc<Job>; 2],
    /// What copies within each side.
    within: [Arc<Job>; 2],
}

impl Pair {
    pub(crate) fn new(sides: [Side; 2], options: BisyncOptions) -> Self {
        let job = |source: Replica, destination: Replica| {
            let (source, destination) = (source.of(&sides), destination.of(&sides));
            let (source, destination) = (source.clone(), destination.clone());
            let options = options.common.clone();
            Arc::new(Job::unchecked(Command::Copy, source, destination, options))
        };
        Self {
            to: Replica::BOTH.map(|side| job(side.other(), side)),
            within: Replica::BOTH.map(|side| job(side, side)),
            sides,
            options,
        }
    }

    /// Where each side keeps what is replaced or deleted.
    pub(crate) fn keepers(&self) -> [Option<Keeper>; 2] {
        Replica::BOTH.map(|side| {
            let tree = side.of(&self.options.backup_dirs).as_ref()?;
            let common = &self.options.common;
            Some(Keeper::between(self.side(side), tree, common))
        })
    }

    pub(crate) const fn side(&self, replica: Replica) -> &Side {
        replica.of(&self.sides)
    }

    pub(crate) const fn sending_to(&self, replica: Replica) -> &Arc<Job> {
        replica.of(&self.to)
    }

    pub(crate) const fn copying_within(&self, replica: Replica) -> &Arc<Job> {
        replica.of(&self.within)
    }

    /// The full key of a relative path on one side.
    pub(crate) fn full(&self, replica: Replica, path: &str) -> Result<ObjectPath, SyncError> {
        Ok(self.side(replica).tree.prefix().join(path)?)
    }

    pub(crate) fn scale(&self, replica: Replica) -> Scale {
        let common = &self.options.common;
        Scale {
            size_only: common.comparison == Comparison::SizeOnly,
            window: window(self.side(replica), common.modify_window),
        }
    }

    /// Whether directories are brought together, too.
    pub(crate) fn has_directories(&self) -> bool {
        self.options.common.create_empty_dirs
    }

    /// Whether the content of every object is looked at.
    pub(crate) fn by_checksum(&self) -> bool {
        self.options.common.comparison == Comparison::Checksum
    }

    /// What a listing shows of an object, with its content where that is compared.
    pub(crate) async fn print(
        &self,
        replica: Replica,
        info: &ObjectInfo,
    ) -> Result<Print, SyncError> {
        let mut print = Print::of(info);
        if self.by_checksum() && !info.is_dir {
            let side = self.side(replica);
            let look = || content::known_or_read(side, info);
            let hashes = retrying(self.options.common.request_tries, look).await?;
            print.content = content_token(&hashes);
        }
        Ok(print)
    }

    /// What a side has at a full key now.
    pub(crate) async fn stat(
        &self,
        replica: Replica,
        full: &ObjectPath,
    ) -> Result<Option<ObjectInfo>, SyncError> {
        let look = || inspect::stat(self.side(replica), full);
        Ok(retrying(self.options.common.request_tries, look).await?)
    }

    /// The side that a preference is for; `None` where it cannot tell.
    pub(crate) fn preferred(
        &self,
        prefer: Prefer,
        a: &ObjectInfo,
        b: &ObjectInfo,
    ) -> Option<Replica> {
        let greater = |order: Option<std::cmp::Ordering>| match order? {
            std::cmp::Ordering::Greater => Some(Replica::Path1),
            std::cmp::Ordering::Less => Some(Replica::Path2),
            std::cmp::Ordering::Equal => None,
        };
        let by_time = || {
            greater(Some(
                self.time(Replica::Path1, a)?
                    .cmp(&self.time(Replica::Path2, b)?),
            ))
        };
        let by_size = || greater(Some(a.size?.cmp(&b.size?)));
        match prefer {
            Prefer::Path1 => Some(Replica::Path1),
            Prefer::Path2 => Some(Replica::Path2),
            Prefer::Newer => by_time(),
            Prefer::Older => by_time().map(Replica::other),
            Prefer::Larger => by_size(),
            Prefer::Smaller => by_size().map(Replica::other),
        }
    }

    /// When an object was modified, by whoever made it.
    pub(crate) fn time(&self, replica: Replica, info: &ObjectInfo) -> Option<SystemTime> {
        self.side(replica).source_time(info)
    }

    /// The info with what a listing may have left out and a preference needs.
    pub(crate) async fn complete(
        &self,
        replica: Replica,
        info: &ObjectInfo,
    ) -> Result<ObjectInfo, SyncError> {
        let found = match self.side(replica).needs_stat(info) {
            true => self.stat(replica, &info.path).await?,
            false => None,
        };
        Ok(found.unwrap_or_else(|| info.clone()))
    }
}
