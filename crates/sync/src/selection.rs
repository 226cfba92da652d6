use std::sync::Arc;

use storage_core::ObjectInfo;
use storage_filter::Filter;

use crate::inspect::stat;
use crate::merge::{Merge, Pair};
use crate::tree::Side;
use crate::{Job, Options, SyncError};

/// The part of the filter that a walk of one side cannot judge: bounds, where the source decides for
/// both sides, and markers, which exclude a directory from both.
#[derive(Debug)]
pub(crate) struct Selection {
    job: Arc<Job>,
    /// Set if there are bounds.
    bounds: Option<Bounds>,
}

impl Selection {
    pub(crate) fn of(job: &Arc<Job>) -> Self {
        Self {
            job: Arc::clone(job),
            bounds: Bounds::of(&job.options),
        }
    }

    /// Whether what both sides have is always admitted.
    pub(crate) const fn admits_pairs(&self) -> bool {
        self.bounds.is_none()
    }

    /// What is left of a pair.
    pub(crate) async fn admit(
        &self,
        pair: Pair,
        merge: &mut Merge,
    ) -> Result<Option<Pair>, SyncError> {
        if self.is_marked(&pair, merge) {
            return Ok(None);
        }
        match &self.bounds {
            Some(bounds) => self.within(bounds, pair).await,
            None => Ok(Some(pair)),
        }
    }

    fn is_marked(&self, pair: &Pair, merge: &mut Merge) -> bool {
        let key = |relative: &str, info: &ObjectInfo| match info.is_dir {
            true => format!("{relative}/"),
            false => relative.to_owned(),
        };
        match pair {
            // A link of the destination is replaced, or what it leads to is written below.
            Pair::Source(info) if merge.destination.has_marked() => {
                let key = key(merge.source.relative(info), info);
                merge.destination.is_marked(&key)
            }
            Pair::Destination(_) if self.job.options.delete_excluded => false,
            Pair::Destination(info) if merge.source.has_marked() => {
                let key = key(merge.destination.relative(info), info);
                merge.source.is_marked(&key)
            }
            _ => false,
        }
    }

    async fn within(&self, bounds: &Bounds, pair: Pair) -> Result<Option<Pair>, SyncError> {
        let (source, destination) = (&self.job.source, &self.job.destination);
        let delete = self.job.options.delete_excluded;
        Ok(match pair {
            Pair::Source(a) => {
                let keeps = bounds.keep(source, &a).await?;
                keeps.then_some(Pair::Source(a))
            }
            Pair::Both(a, b) if bounds.keep(source, &a).await? => Some(Pair::Both(a, b)),
            Pair::Both(_, b) => delete.then_some(Pair::Destination(b)),
            Pair::Destination(b) if delete || bounds.keep(destination, &b).await? => {
                Some(Pair::Destination(b))
            }
            Pair::Destination(_) => None,
        })
    }
}

/// The bounds of size and age of a filter.
#[derive(Debug)]
pub(crate) struct Bounds(Filter);

impl Bounds {
    /// `None` where there are none.
    pub(crate) fn of(options: &Options) -> Option<Self> {
        let filter = options.filter.as_ref();
        filter
            .filter(|filter| filter.has_bounds())
            .cloned()
            .map(Self)
    }

    pub(crate) async fn keep(&self, side: &Side, info: &ObjectInfo) -> Result<bool, SyncError> {
        if info.is_dir {
            return Ok(true);
        }
        let mut modified = side.source_time(info);
        if self.0.has_times() && side.needs_stat(info) {
            // Gone meanwhile: whoever deals with it finds out.
            let found = stat(side, &info.path).await?;
            modified = found
                .and_then(|found| side.source_time(&found))
                .or(modified);
        }
        Ok(self.0.includes_attributes(info.size, modified))
    }
}
