//! Links that are not followed, FIFOs, sockets and devices.

use storage_core::{Links, ObjectInfo, ObjectPath, Operation, Special};

use crate::plan::{Problem, Step};
use crate::planner::Item;
use crate::{Action, Command, Event, Failure, Job, SkipReason, SyncError};

/// What to do with symbolic links. FIFOs, sockets and devices are always left out, and reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Symlinks {
    /// Leave them out, on both sides, and report each as [`SkipReason::Link`].
    #[default]
    Skip,
    /// Take what they lead to. One that cannot be followed is a failure: it leads nowhere, outside of
    /// the store, or to a directory that it lies in.
    Follow,
}

impl Symlinks {
    pub(crate) const fn listed(self) -> Links {
        match self {
            Self::Skip => Links::Show,
            Self::Follow => Links::Follow,
        }
    }
}

/// The step for an entry that is neither object nor directory.
pub(crate) fn item(job: &Job, path: ObjectPath, info: &ObjectInfo, is_source: bool) -> Item {
    let target = match &info.special {
        Some(Special::Link { target }) => Some(target),
        _ => None,
    };
    if let (true, Symlinks::Follow, Some(target)) = (is_source, job.options.links, target) {
        let error = SyncError::NotFollowed {
            path: path.clone(),
            target: target.as_deref().unwrap_or("?").to_owned(),
        };
        return Err(Problem::of_object(Failure::new(
            Some(path),
            Operation::Read,
            error,
        )));
    }
    let reason = match target {
        Some(_) => SkipReason::Link,
        None => SkipReason::Device,
    };
    let action = Action::Skip { path, reason };
    let changes_nothing = job.command.compares() || matches!(job.command, Command::HashSum(_));
    Ok(if changes_nothing {
        Step::Checked(Event::Planned(action))
    } else {
        Step::Act(action.into())
    })
}
