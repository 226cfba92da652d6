//! When a sync deletes, and the guards that keep it from deleting too much.

use crate::{Options, SyncError};

/// When a sync deletes what the source does not have.
///
/// Directories that the source does not have go last in any case, from the deepest up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeleteTiming {
    /// Before anything is sent. Both trees are walked twice: a listing that fails, or a guard that
    /// refuses, ends the run before anything is changed.
    Before,
    /// While the trees are compared, and as long as nothing has failed. With a limit on deletions
    /// the trees are walked twice, so that it is known beforehand whether the limit holds.
    During,
    /// When everything else has been done, and only if nothing failed.
    #[default]
    After,
}

/// What a plan deletes, and of how much.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deletions {
    /// Objects to delete.
    pub(crate) objects: u64,
    /// Their bytes, as far as the listing tells.
    pub(crate) bytes: u64,
    /// Objects that the source has.
    pub(crate) at_source: u64,
    /// Objects that the destination has.
    pub(crate) at_destination: u64,
}

impl Deletions {
    /// Judges the deletions of a whole plan.
    pub(crate) fn judge(&self, options: &Options) -> Result<(), SyncError> {
        let planned = self.objects;
        if planned > 0 && self.at_source == 0 && !options.allow_empty_source {
            return Err(SyncError::SourceEmpty(planned));
        }
        let share = options.max_delete_share.map(|percent| {
            let allowed = u128::from(self.at_destination) * u128::from(percent) / 100;
            u64::try_from(allowed).unwrap_or(u64::MAX)
        });
        let allowed = [options.max_delete, share].into_iter().flatten().min();
        if let Some(allowed) = allowed.filter(|allowed| planned > *allowed) {
            return Err(SyncError::TooManyDeletions { planned, allowed });
        }
        match options.max_delete_size {
            Some(allowed) if self.bytes > allowed => Err(SyncError::TooMuchDeleted {
                planned: self.bytes,
                allowed,
            }),
            _ => Ok(()),
        }
    }
}

impl Options {
    /// Whether the end of the plan has to be known before the first deletion.
    pub(crate) const fn limits_deletions(&self) -> bool {
        self.max_delete.is_some()
            || self.max_delete_share.is_some()
            || self.max_delete_size.is_some()
    }
}
