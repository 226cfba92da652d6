//! From what a comparison found to what the job does about it.

use std::sync::Arc;

use storage_core::{ObjectInfo, ObjectPath, Operation};

use crate::compare::Verdict;
use crate::inspect::Finding;
use crate::plan::{Problem, Step};
use crate::planner::Item;
use crate::summary::Tally;
use crate::{Action, Command, Difference, Event, Evidence, Failure, Job, SkipReason, SyncError};

/// The finding that a verdict is when nothing more has to be looked at.
pub(crate) const fn of(verdict: Verdict) -> Option<Finding> {
    match verdict {
        Verdict::Same => Some(Finding::Same(Evidence::Size)),
        Verdict::Differ(difference) => Some(Finding::Differ(difference)),
        Verdict::Skip(reason) => Some(Finding::Skip(reason)),
        Verdict::Content | Verdict::ContentThenTime | Verdict::Stat => None,
    }
}

/// One pair on its way to a step.
pub(crate) struct Settle {
    pub(crate) job: Arc<Job>,
    pub(crate) path: ObjectPath,
}

impl Settle {
    /// The step for a finding; `None` for an unchanged object that is only counted.
    pub(crate) fn item(&self, source: ObjectInfo, finding: Finding, tally: &Tally) -> Option<Item> {
        if self.job.command.compares() {
            return Some(Ok(Step::Checked(self.checked(finding))));
        }
        let action = match finding {
            Finding::Same(_) if self.job.command == Command::Move => {
                let path = self.path.clone();
                Action::RemoveSource { path }
            }
            Finding::Same(_) if !self.job.options.report_unchanged => {
                tally.skipped(1);
                return None;
            }
            Finding::Same(_) => self.skip(SkipReason::Unchanged),
            Finding::Skip(reason) => self.skip(reason),
            Finding::OtherTime | Finding::Differ(_) if self.job.options.immutable => {
                if self.job.options.compare_dest.is_empty() {
                    return Some(Err(immutable(self.path.clone())));
                }
                // An error unless it is found there.
                self.update(&source, Difference::Content)
            }
            Finding::OtherTime => self.set_modified(&source),
            Finding::Differ(difference) => self.update(&source, difference),
        };
        Some(Ok(Step::sending(action, source)))
    }

    fn checked(&self, finding: Finding) -> Event {
        let path = self.path.clone();
        match finding {
            Finding::Same(evidence) => Event::Match { path, evidence },
            Finding::Differ(difference) => Event::Differ { path, difference },
            Finding::OtherTime => Event::Differ {
                path,
                difference: Difference::Modified,
            },
            Finding::Skip(_) => Event::Match {
                path,
                evidence: Evidence::Bytes,
            },
        }
    }

    fn skip(&self, reason: SkipReason) -> Action {
        let path = self.path.clone();
        Action::Skip { path, reason }
    }

    fn set_modified(&self, source: &ObjectInfo) -> Action {
        match self.job.source.source_time(source) {
            Some(modified) => Action::SetModified {
                path: self.path.clone(),
                modified,
            },
            None => self.update(source, Difference::Modified),
        }
    }

    fn update(&self, source: &ObjectInfo, difference: Difference) -> Action {
        let (path, size) = (self.path.clone(), source.size);
        if self.job.moves_by_rename() {
            return Action::Rename { path, size };
        }
        Action::Update {
            path,
            size,
            difference,
        }
    }
}

/// An object that differs and may not.
pub(crate) fn immutable(path: ObjectPath) -> Problem {
    let error = SyncError::Immutable(path.clone());
    Problem::of_object(Failure::new(Some(path), Operation::Write, error))
}
