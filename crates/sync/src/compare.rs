use std::time::{Duration, SystemTime};

use storage_core::ObjectInfo;

use crate::tree::{Side, Times};
use crate::{Comparison, Difference, Job, SkipReason};

/// What comparing two objects came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Differ(Difference),
    Skip(SkipReason),
    /// The content has to be looked at; when it is the same, so are the objects.
    Content,
    /// The times differ. When the content is the same, only the time is to be set.
    ContentThenTime,
    /// The listing lacks what a stat has.
    Stat,
}

/// The rules of comparison of one job: decides with what both sides know already.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    comparison: Comparison,
    window: Duration,
    update: bool,
    ignore_existing: bool,
    ignore_size: bool,
}

impl Rules {
    pub(crate) fn new(job: &Job) -> Self {
        let coarser = job.source.precision.max(job.destination.precision);
        Self {
            comparison: job.comparison(),
            window: job.options.modify_window.unwrap_or(coarser),
            update: job.options.update,
            ignore_existing: job.options.ignore_existing,
            ignore_size: job.options.ignore_size,
        }
    }

    /// The rules for a tree beside the destination: what is not compared at the destination is
    /// compared there.
    pub(crate) fn elsewhere(job: &Job, side: &Side) -> Self {
        let coarser = job.source.precision.max(side.precision);
        let comparison = match job.options.comparison {
            Comparison::SizeAndTime | Comparison::IgnoreTimes => match side.times {
                Times::Lost => Comparison::Checksum,
                Times::Native | Times::Metadata => Comparison::SizeAndTime,
            },
            comparison => comparison,
        };
        Self {
            comparison,
            window: job.options.modify_window.unwrap_or(coarser),
            update: false,
            ignore_existing: false,
            ignore_size: job.options.ignore_size,
        }
    }

    /// Judges by the infos; with `complete`, they are known to be all there is.
    pub(crate) fn judge(
        &self,
        (source, a): (&Side, &ObjectInfo),
        (destination, b): (&Side, &ObjectInfo),
        complete: bool,
    ) -> Verdict {
        if self.ignore_existing {
            return Verdict::Skip(SkipReason::Exists);
        }
        if self.comparison == Comparison::IgnoreTimes {
            return Verdict::Differ(Difference::NotCompared);
        }
        let times_matter = self.update || self.comparison == Comparison::SizeAndTime;
        let lacking = source.needs_stat(a) || destination.needs_stat(b);
        let sizes = a.size.zip(b.size).map(|(a, b)| a == b);
        let sizes = if self.ignore_size { Some(true) } else { sizes };
        let decided = sizes == Some(false) && !self.update;
        if times_matter && lacking && !complete && !decided {
            return Verdict::Stat;
        }
        let times = source.source_time(a).zip(destination.kept_time(b));
        if self.update && times.is_some_and(|(a, b)| self.is_before(a, b)) {
            return Verdict::Skip(SkipReason::NewerAtDestination);
        }
        match (self.comparison, sizes, times) {
            (_, Some(false), _) => Verdict::Differ(Difference::Size),
            (Comparison::SizeOnly, Some(true), _) => Verdict::Same,
            (Comparison::SizeAndTime, Some(true), Some((a, b))) if self.is_same(a, b) => {
                Verdict::Same
            }
            // Its size is known only when it is made, and so is its content.
            (Comparison::SizeAndTime, None, Some((a, b)))
                if source.tree.is_view() && self.is_same(a, b) =>
            {
                Verdict::Same
            }
            (Comparison::SizeAndTime, _, Some(_)) => Verdict::ContentThenTime,
            _ => Verdict::Content,
        }
    }

    pub(crate) fn is_same(&self, a: SystemTime, b: SystemTime) -> bool {
        a == b || gap(a, b) < self.window
    }

    fn is_before(&self, a: SystemTime, b: SystemTime) -> bool {
        a < b && !self.is_same(a, b)
    }
}

fn gap(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|later| later.duration())
}
