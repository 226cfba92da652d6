use std::collections::VecDeque;
use std::sync::Arc;

use storage_core::{BackendExt, HashType, ObjectInfo, ObjectPath, Operation};

use crate::compare::{Rules, Verdict};
use crate::deletion::Deletions;
use crate::directory_times::{DirectoryTimes, Due};
use crate::elsewhere::Elsewhere;
use crate::merge::{Merge, Pair};
use crate::names::{Extra, Names};
use crate::plan::{Problem, Step, Work};
use crate::renames::{Pairing, Renames};
use crate::retry::retrying;
use crate::selection::Selection;
use crate::specials;
use crate::summary::Tally;
use crate::task::Task;
use crate::tree::Side;
use crate::verdict::{self, Settle};
use crate::walk::{Specials, Walk, Wanted};
use crate::{Action, Command, Event, Failure, Filter, Job, SkipReason, SyncError};
use crate::{content, inspect};

mod alike;
mod pairs;

/// Steps that are kept back so that all come in order behind a comparison in progress.
const WINDOW: usize = 1024;

pub(crate) type Item = Result<Step, Problem>;

/// What a planner looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// What only the destination has.
    Deletions,
    /// All but that.
    Transfers,
}

#[allow(
    clippy::large_enum_variant,
    reason = "there are few at a time; a box would be an allocation a step"
)]
enum Slot {
    Ready(Item),
    /// `None` when it ends in nothing to report.
    Pending(Task<Option<Item>>),
}

enum Phase {
    New,
    Merging(Box<Merge>),
    /// Both walks have ended, and what was held back follows.
    Pairing(Box<Pairing>),
    /// What only a destination that folds names has.
    Extra(Box<Extra>),
    Ended,
    /// Directories whose times are to be set.
    Dating(Box<Due>),
    Done,
}

/// Turns the merged walks into steps. Holds a few pages and a bounded window of steps.
pub(crate) struct Planner {
    job: Arc<Job>,
    tally: Arc<Tally>,
    scope: Scope,
    rules: Rules,
    selection: Selection,
    names: Option<Names>,
    elsewhere: Option<Arc<Elsewhere>>,
    phase: Phase,
    window: VecDeque<Slot>,
    in_progress: usize,
    /// Lengths of the prefixes that the keys start with.
    source_base: usize,
    destination_base: usize,
    deletions: Deletions,
    /// Holds back what may be a rename, where renames are tracked.
    renames: Option<Renames>,
    directory_times: Option<DirectoryTimes>,
}

impl Planner {
    pub(crate) fn new(job: Arc<Job>, tally: Arc<Tally>, scope: Scope) -> Self {
        Self {
            rules: Rules::new(&job),
            selection: Selection::of(&job),
            names: Names::of(&job),
            elsewhere: Elsewhere::of(&job),
            renames: job.options.track_renames.map(|by| Renames::new(&job, by)),
            directory_times: DirectoryTimes::of(&job),
            source_base: job.source.tree.prefix().len(),
            destination_base: job.destination.tree.prefix().len(),
            job,
            tally,
            scope,
            phase: Phase::New,
            window: VecDeque::new(),
            in_progress: 0,
            deletions: Deletions::default(),
        }
    }

    /// Whether the source has been found to hold an object.
    pub(crate) const fn source_has_objects(&self) -> bool {
        self.deletions.at_source > 0
    }

    /// The next step, in order; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Item> {
        let item = self.settled().await?;
        if let (Some(times), Ok(Step::Act(work))) = (&mut self.directory_times, &item) {
            times.note(&work.action);
        }
        Some(item)
    }

    /// The next step that needs no more looking into.
    async fn settled(&mut self) -> Option<Item> {
        loop {
            let must_wait = self.is_full();
            match self.window.pop_front() {
                Some(Slot::Ready(item)) => return Some(item),
                Some(Slot::Pending(task)) if must_wait || task.is_finished() => {
                    self.in_progress -= 1;
                    match task.await {
                        Ok(Some(item)) => return Some(item),
                        Ok(None) => {}
                        Err(broken) => {
                            let error = SyncError::Task(broken.to_string());
                            return Some(Err(Problem::of_run(Operation::Read, error)));
                        }
                    }
                }
                Some(pending) => {
                    self.window.push_front(pending);
                    self.advance().await;
                }
                None if matches!(self.phase, Phase::Done) => return None,
                None => self.advance().await,
            }
        }
    }

    /// Whether nothing more can be taken up before the front of the window is done.
    fn is_full(&self) -> bool {
        self.in_progress >= self.job.options.checkers
            || self.window.len() >= WINDOW
            || matches!(self.phase, Phase::Ended | Phase::Dating(_) | Phase::Done)
    }

    /// Takes up the next pair.
    async fn advance(&mut self) {
        match &mut self.phase {
            Phase::New => match self.prepare().await {
                Ok(merge) => self.phase = Phase::Merging(Box::new(merge)),
                Err(error) => self.give_up(error),
            },
            Phase::Merging(merge) => match next_pair(merge, &self.selection).await {
                Ok(Some((pair, below))) => {
                    self.report_refused();
                    self.take_up(pair, below);
                    self.pass_alike();
                }
                Ok(None) => self.phase = self.after_walks(),
                Err(error) => self.give_up(error),
            },
            Phase::Pairing(pairing) => match pairing.next(&self.job).await {
                Some(Ok(step)) => self.paired(step),
                Some(Err(error)) => self.give_up(error.into()),
                None => self.phase = Phase::Ended,
            },
            Phase::Extra(extra) => match extra.next(self.job.destination.tree.prefix()) {
                Some(Ok(info)) => self.on_extra(&info),
                Some(Err(error)) => self.give_up(error.into()),
                None => self.phase = Phase::Ended,
            },
            Phase::Ended => {
                let times = self.directory_times.take();
                self.phase = match times.map(DirectoryTimes::into_due) {
                    Some(due) => Phase::Dating(Box::new(due)),
                    None => Phase::Done,
                };
                if let Err(error) = self.deletions.judge(&self.job.options) {
                    self.give_up(error);
                }
            }
            Phase::Dating(due) => match due.next() {
                Some(Ok(action)) => self.act(action),
                Some(Err(error)) => self.give_up(error.into()),
                None => self.phase = Phase::Done,
            },
            Phase::Done => {}
        }
    }

    /// Counts the unchanged objects that come next, where nothing else is made of them.
    fn pass_alike(&mut self) {
        let counts_pairs = self.names.is_none() && self.selection.admits_pairs();
        let only_counts = !self.job.reports_same() && !self.job.must_see_content();
        let is_wanted = self.scope != Scope::Deletions;
        if let Phase::Merging(merge) = &mut self.phase
            && counts_pairs
            && only_counts
            && is_wanted
        {
            let passed = alike::pass(merge, &self.job, &self.rules);
            self.deletions.at_source += passed;
            self.deletions.at_destination += passed;
            self.tally.skipped(passed);
        }
    }

    /// Reports what the walks could not take, in the one of two plans that it belongs to. A closed
    /// directory belongs to both, for either may be the only one.
    fn report_refused(&mut self) {
        let Phase::Merging(merge) = &mut self.phase else {
            return;
        };
        let (source, destination) = (&mut merge.source, &mut merge.destination);
        let sides = [
            (source.take_refused(), self.source_base, Scope::Transfers),
            (
                destination.take_refused(),
                self.destination_base,
                Scope::Deletions,
            ),
        ];
        for (refused, base, scope) in sides {
            for refused in refused {
                let is_asked_for = self.job.command.deletes() || self.job.command.compares();
                let concerns = scope == Scope::Transfers || is_asked_for;
                let here = self.scope == Scope::All || self.scope == scope;
                if refused.is_closed || (concerns && here) {
                    self.push(Err(refused.into_problem(base)));
                }
            }
        }
    }

    /// What comes when both listings have ended.
    fn after_walks(&mut self) -> Phase {
        self.report_refused();
        if let Some(names) = self.names.take() {
            return Phase::Extra(Box::new(names.into_extra()));
        }
        let pairing = self.renames.take().map(Renames::pair);
        match pairing {
            Some(Ok(pairing)) => Phase::Pairing(Box::new(pairing)),
            Some(Err(error)) => {
                self.push(Err(Problem::of_run(Operation::List, error.into())));
                Phase::Done
            }
            None => Phase::Ended,
        }
    }

    /// Takes up what was held back.
    fn paired(&mut self, step: Step) {
        if let Step::Act(Work {
            action: Action::Delete { size, .. },
            ..
        }) = &step
        {
            self.deletions.objects += 1;
            self.deletions.bytes += size.unwrap_or(0);
        }
        self.push(Ok(step));
    }

    fn give_up(&mut self, error: SyncError) {
        let operation = match &error {
            SyncError::Storage(error) => error.operation().unwrap_or(Operation::List),
            SyncError::SourceEmpty(_)
            | SyncError::TooManyDeletions { .. }
            | SyncError::TooMuchDeleted { .. } => Operation::Delete,
            _ => Operation::List,
        };
        self.phase = Phase::Done;
        self.push(Err(Problem::of_run(operation, error)));
    }

    /// Starts both walks, and finds out what the source is when there is nothing below it.
    async fn prepare(&mut self) -> Result<Merge, SyncError> {
        let job = Arc::clone(&self.job);
        let options = &job.options;
        let start = |side: &Side, directories, specials, filter| {
            let wanted = Wanted {
                directories,
                specials,
                links: options.links.listed(),
                filter,
            };
            Walk::start(side, wanted, options)
        };
        let filter = options.filter.as_ref();
        // What lies too deep was not looked for at the source, so that it is never deleted.
        let too_deep = filter.and_then(Filter::only_depth);
        let remaining = match options.delete_excluded {
            true => too_deep.as_ref(),
            false => filter,
        };
        let listed = (
            job.lists_source_directories(),
            job.lists_destination_directories(),
        );
        let mut merge = Merge {
            source: start(&job.source, listed.0, Specials::GiveAndMark, filter),
            destination: start(&job.destination, listed.1, Specials::Give, remaining),
        };
        if job.command == Command::Delete {
            merge.destination.fill().await?;
            if merge.destination.head().is_none() {
                inspect::require_directory(&job.destination).await?;
            }
            return Ok(merge);
        }
        merge.source.fill().await?;
        let prefix = job.source.tree.prefix();
        let path = match merge.source.head() {
            Some(_) => None,
            None => prefix.as_path(),
        };
        let Some(path) = path else {
            return Ok(merge);
        };
        // A store without directories does not tell an empty one from none.
        let may_be_empty = job.options.allow_empty_source && !job.source.features.directories;
        match inspect::stat(&job.source, &path).await? {
            Some(info) if info.is_dir => Ok(merge),
            Some(info) => self.of_one_object(info).await,
            None if may_be_empty => Ok(merge),
            None => Err(SyncError::SourceMissing(prefix.clone())),
        }
    }

    /// A source that is one object: it alone is compared, with its namesake below the destination.
    async fn of_one_object(&mut self, info: ObjectInfo) -> Result<Merge, SyncError> {
        let destination = &self.job.destination;
        let name = self.job.name.as_deref();
        let name = name.unwrap_or_else(|| info.path.file_name());
        let path = destination.tree.prefix().join(name)?;
        let found = destination.backend().try_stat(&path).await?;
        self.source_base = info.path.parent().len();
        let filter = self.job.options.filter.as_ref();
        let is_wanted = filter.is_none_or(|filter| filter.includes_path(info.path.file_name()));
        // What the filter hides at the source is hidden at the destination, too.
        let is_seen = is_wanted || self.job.options.delete_excluded;
        let found = found.filter(|found| is_seen && !found.is_dir);
        Ok(Merge {
            source: Walk::of(is_wanted.then_some(info), self.source_base)
                .with_key(self.job.name.clone()),
            destination: Walk::of(found, self.destination_base),
        })
    }

    fn act(&mut self, action: Action) {
        self.push(Ok(Step::Act(action.into())));
    }

    fn push(&mut self, item: Item) {
        match &self.elsewhere {
            Some(elsewhere) if Elsewhere::concerns(&item) => {
                let (job, elsewhere) = (Arc::clone(&self.job), Arc::clone(elsewhere));
                let settled = async move { Some(elsewhere.settle(&job, item).await) };
                self.in_progress += 1;
                self.window.push_back(Slot::Pending(Task::spawn(settled)));
            }
            _ => self.window.push_back(Slot::Ready(item)),
        }
    }
}

/// The next pair that is selected; for a directory on one side alone, whether the source has
/// something below it.
async fn next_pair(
    merge: &mut Merge,
    selection: &Selection,
) -> Result<Option<(Pair, bool)>, SyncError> {
    while let Some(pair) = merge.next().await? {
        if let Some(pair) = selection.admit(pair, merge).await? {
            let below = has_below(&pair, merge).await?;
            return Ok(Some((pair, below)));
        }
    }
    Ok(None)
}

async fn has_below(pair: &Pair, merge: &mut Merge) -> Result<bool, SyncError> {
    Ok(match pair {
        Pair::Source(info) if info.is_dir => {
            let path = merge.source.relative(info).to_owned();
            merge.source.fill().await?;
            merge.source.is_below(&path)
        }
        Pair::Destination(info) if info.is_dir => {
            let path = merge.destination.relative(info);
            merge.source.is_below(path)
        }
        _ => false,
    })
}

/// The key below its tree's prefix of `base` bytes.
fn relative(info: &ObjectInfo, base: usize) -> ObjectPath {
    if base == 0 {
        return info.path.clone();
    }
    // Cannot fail: what follows a prefix in a valid path is a valid path.
    ObjectPath::new(info.path.get(base..).unwrap_or("")).unwrap_or_else(|_| info.path.clone())
}
