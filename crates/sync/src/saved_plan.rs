//! Reading and applying a saved plan.

use storage_core::{BackendExt, Bytes, Location, ObjectInfo, ObjectPath, Operation, Reader};
use tokio::io::AsyncBufReadExt;

use crate::apply::Applier;
use crate::plan::{Problem, Progress, Step, Work};
use crate::plan_file::{Heading, Line, Saved, Seen};
use crate::planner::Item;
use crate::tree::Side;
use crate::{Action, Command, Job, Options, SyncError, Tree};

/// Longest line of a plan, in bytes.
const LONGEST: usize = 1 << 20;

/// A plan that was saved as text, complete and readable: what [`Job::plan_lines`] gave.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    file: Location,
    heading: Heading,
    deletions: u64,
}

impl SavedPlan {
    /// Reads a plan once through and keeps where it is.
    ///
    /// # Errors
    /// [`SyncError::BadPlan`] naming the line, also when the end is missing; those of reading.
    pub async fn open(file: Location) -> Result<Self, SyncError> {
        let mut lines = Lines::open(&file).await?;
        let Some(Line::Heading(heading)) = lines.next().await? else {
            return Err(lines.bad("a plan begins with its trees"));
        };
        let (mut actions, mut deletions) = (0, 0);
        loop {
            match lines.next().await? {
                Some(Line::Action(saved)) => {
                    actions += 1;
                    let deletes = matches!(saved.action, Action::Delete { .. });
                    let is_last = matches!(saved.action, Action::SetDirModified { .. });
                    if deletions > 0 && !deletes && !is_last {
                        return Err(lines.bad("deletions come after all else"));
                    }
                    deletions += u64::from(deletes);
                }
                Some(Line::End(count)) if count == actions => break,
                Some(Line::End(_)) => return Err(lines.bad("lines were added or removed")),
                Some(Line::Heading(_)) => return Err(lines.bad("another plan begins")),
                None => return Err(lines.bad("the plan has no end")),
            }
        }
        if deletions > 0 && heading.command != Command::Sync {
            return Err(lines.bad("only a sync deletes"));
        }
        if lines.next().await?.is_some() {
            return Err(lines.bad("something follows the end"));
        }
        Ok(Self {
            file,
            heading,
            deletions,
        })
    }

    /// What the plan is for.
    #[must_use]
    pub const fn command(&self) -> Command {
        self.heading.command
    }

    /// The source, as it was named when the plan was made.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.heading.source
    }

    /// The destination, as it was named when the plan was made.
    #[must_use]
    pub fn destination(&self) -> &str {
        &self.heading.destination
    }

    /// Objects that it deletes.
    #[must_use]
    pub const fn deletions(&self) -> u64 {
        self.deletions
    }

    /// The job that does what the plan says. Each action is applied only if its objects still are what
    /// they were when it was planned; one that was applied already is skipped.
    ///
    /// # Errors
    /// Those of [`Job::new`]; [`SyncError::TooManyDeletions`]; [`SyncError::Option`] for options that
    /// decide what is to be done, which the plan has decided.
    pub fn into_job(
        self,
        source: Tree,
        destination: Tree,
        options: Options,
    ) -> Result<Job, SyncError> {
        if let Some(allowed) = options.max_delete.filter(|max| self.deletions > *max) {
            let planned = self.deletions;
            return Err(SyncError::TooManyDeletions { planned, allowed });
        }
        if !options.only_apply() {
            return Err(SyncError::Option {
                option: "plan",
                reason: "what is to be done was decided when it was made".into(),
            });
        }
        let mut job = Job::new(self.heading.command, source, destination, options)?;
        job.saved = Some(self);
        Ok(job)
    }

    pub(crate) async fn steps(&self) -> Result<Steps, SyncError> {
        Lines::open(&self.file).await.map(Steps)
    }
}

impl Options {
    /// Whether all that is set is about how a plan is applied.
    fn only_apply(&self) -> bool {
        let plain = Self::default();
        let decided = Self {
            comparison: plain.comparison,
            modify_window: plain.modify_window,
            ignore_size: plain.ignore_size,
            no_update_modtime: plain.no_update_modtime,
            no_update_dir_modtime: plain.no_update_dir_modtime,
            update: plain.update,
            ignore_existing: plain.ignore_existing,
            existing: plain.existing,
            immutable: plain.immutable,
            compare_dest: plain.compare_dest,
            copy_dest: plain.copy_dest,
            filter: plain.filter,
            delete_excluded: plain.delete_excluded,
            max_delete_share: plain.max_delete_share,
            max_delete_size: plain.max_delete_size,
            delete_timing: plain.delete_timing,
            track_renames: plain.track_renames,
            allow_empty_source: plain.allow_empty_source,
            create_empty_dirs: plain.create_empty_dirs,
            delete_empty_source_dirs: plain.delete_empty_source_dirs,
            ..self.clone()
        };
        decided == *self
    }
}

/// The steps of a saved plan.
#[derive(Debug)]
pub(crate) struct Steps(Lines);

impl Steps {
    pub(crate) async fn next(&mut self, job: &Job) -> Option<Item> {
        loop {
            return match self.0.next().await {
                Ok(Some(Line::Action(saved))) => Some(match work(job, saved) {
                    Ok(work) => Ok(Step::Act(work)),
                    Err(error) => Err(Problem::of_run(Operation::Read, error)),
                }),
                Ok(Some(Line::Heading(_))) => continue,
                Ok(Some(Line::End(_)) | None) => None,
                Err(error) => Some(Err(Problem::of_run(Operation::Read, error))),
            };
        }
    }
}

fn work(job: &Job, saved: Saved) -> Result<Work, SyncError> {
    let path = job.source.tree.prefix().join(saved.action.path())?;
    let source = saved
        .source
        .as_ref()
        .map(|seen| Box::new(seen.to_info(path)));
    Ok(Work {
        copy: None,
        progress: Progress::default(),
        action: saved.action.clone(),
        source,
        expected: Some(Box::new(saved)),
    })
}

/// The lines of a plan.
#[derive(Debug)]
struct Lines {
    reader: Reader,
    path: ObjectPath,
    number: u64,
}

impl Lines {
    async fn open(file: &Location) -> Result<Self, SyncError> {
        Ok(Self {
            reader: file.open().await?,
            path: file.path().clone(),
            number: 0,
        })
    }

    async fn next(&mut self) -> Result<Option<Line>, SyncError> {
        let Some(line) = self.line().await? else {
            return Ok(None);
        };
        self.number += 1;
        let text = std::str::from_utf8(&line).map_err(|_| self.bad("it is no UTF-8"))?;
        Line::parse(text).map(Some).map_err(|what| self.bad(what))
    }

    async fn line(&mut self) -> Result<Option<Bytes>, SyncError> {
        let mut line = Vec::new();
        loop {
            let chunk = self
                .reader
                .fill_buf()
                .await
                .map_err(storage_core::Error::from)?;
            if chunk.is_empty() {
                return Ok((!line.is_empty()).then(|| line.into()));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(chunk.len());
            if line.len() + taken > LONGEST {
                return Err(self.bad("the line is too long"));
            }
            line.extend_from_slice(&chunk[..taken]);
            self.reader.consume(taken + usize::from(end.is_some()));
            if end.is_some() {
                return Ok(Some(line.into()));
            }
        }
    }

    fn bad(&self, what: impl Into<String>) -> SyncError {
        SyncError::BadPlan {
            path: self.path.clone(),
            line: self.number,
            what: what.into(),
        }
    }
}

impl Applier {
    /// Whether the objects of a saved action are what they were; `false` when it was applied already.
    pub(crate) async fn is_as_planned(&self, work: &Work) -> Result<bool, SyncError> {
        let Some(saved) = &work.expected else {
            return Ok(true);
        };
        let job = &self.job;
        let path = saved.action.path();
        let to = job.destination_path(path)?;
        let (at, new) = match &saved.action {
            Action::Mkdir { .. }
            | Action::SetDirModified { .. }
            | Action::Rmdir { .. }
            | Action::RmdirSource { .. } => {
                return Ok(true);
            }
            Action::Relocate { from, .. } => (job.destination.tree.prefix().join(from)?, Some(to)),
            _ => (to, None),
        };
        let mut found = Found {
            now: object(&job.destination, &at).await?,
            ..Found::default()
        };
        if let Some(new) = new {
            found.new = object(&job.destination, &new).await?;
        }
        if let Some(source) = &work.source {
            found.source = object(&job.source, &source.path).await?;
        }
        match found.check(saved) {
            Err(_) if self.is_applied(saved, work.source.as_deref(), &found) => Ok(false),
            checked => checked.map(|()| true),
        }
    }

    /// Whether what was found, which is not what was planned for, is what the action was to make of it.
    fn is_applied(&self, saved: &Saved, source: Option<&ObjectInfo>, found: &Found) -> bool {
        let destination = saved.destination.as_ref();
        let is_given = |now| source.is_some_and(|source| self.is_copy(source, now));
        match &saved.action {
            Action::RemoveSource { .. } => found.source.is_none(),
            Action::Delete { .. } => found.now.is_none(),
            Action::Relocate { .. } => {
                // Where times can be set, the new name's time is a part of the action.
                let sets = self.job.destination.features.set_modified;
                let keeps =
                    |now: &ObjectInfo| !sets && destination.is_some_and(|was| was.is_moved_to(now));
                let arrived = found.new.as_ref();
                found.now.is_none() && arrived.is_some_and(|now| is_given(now) || keeps(now))
            }
            // While the source is there, its removal is still to come.
            _ if self.job.command == Command::Move && found.source.is_some() => false,
            _ => {
                let is_other = difference(destination, found.now.as_ref()).is_some();
                is_other && found.now.as_ref().is_some_and(is_given)
            }
        }
    }

    /// Whether the destination's object has the size and time of the source's.
    fn is_copy(&self, source: &ObjectInfo, now: &ObjectInfo) -> bool {
        let (from, to) = (&self.job.source, &self.job.destination);
        let precision = from.precision.max(to.precision);
        let times = from.source_time(source).zip(to.kept_time(now));
        let gap = times.map(|(a, b)| a.duration_since(b).unwrap_or_else(|gap| gap.duration()));
        now.size == source.size && gap.is_some_and(|gap| gap < precision)
    }
}

async fn object(side: &Side, path: &ObjectPath) -> Result<Option<ObjectInfo>, SyncError> {
    let found = side.backend().try_stat(path).await?;
    Ok(found.filter(|info| !info.is_dir))
}

/// What there is where an action is to be applied.
#[derive(Debug, Default)]
struct Found {
    source: Option<ObjectInfo>,
    /// At the destination, of a relocation under its old name.
    now: Option<ObjectInfo>,
    /// Under the new name of a relocation.
    new: Option<ObjectInfo>,
}

impl Found {
    /// Fails unless all objects are what they were when the action was planned.
    fn check(&self, saved: &Saved) -> Result<(), SyncError> {
        let source = saved.source.as_ref();
        let there = self.source.as_ref().filter(|_| source.is_some());
        let differences = [
            ("source", difference(source, there)),
            (
                "destination",
                difference(saved.destination.as_ref(), self.now.as_ref()),
            ),
            ("destination", difference(None, self.new.as_ref())),
        ];
        let found = differences
            .into_iter()
            .find_map(|(side, what)| Some((side, what?)));
        let Some((side, what)) = found else {
            return Ok(());
        };
        let path = saved.action.path().clone();
        Err(SyncError::NotAsPlanned { path, side, what })
    }
}

/// What an object has become since it was planned for, if anything.
fn difference(planned: Option<&Seen>, now: Option<&ObjectInfo>) -> Option<&'static str> {
    match (planned, now) {
        (None, None) => None,
        (None, Some(_)) => Some("there is one now"),
        (Some(_), None) => Some("it is gone"),
        (Some(planned), Some(now)) => {
            let before = planned.to_info(now.path.clone());
            crate::transfer::difference(&before, now)
        }
    }
}
