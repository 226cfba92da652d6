use omnistorage::Hashes;
use omnistorage::sync::{
    Action, Command, Difference, Event, Failure, SkipReason, Summary, SyncError,
};
use serde_json::{Value, json};

use super::hash::Digests;
use super::lists::{Found, Lists};
use crate::escape;
use crate::hint;
use crate::output::{Counts, Exit, Output, size};
use crate::progress::{Progress, rate};
use crate::time::rfc3339;

/// What a person or a program sees of a run.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    command: Command,
    /// What the person called the command.
    name: String,
    dry_run: bool,
    output: &'a Output,
    progress: Progress,
    lists: Lists,
    digests: Option<Digests>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(command: Command, dry_run: bool, output: &'a Output) -> Self {
        Self {
            command,
            name: command.to_string(),
            dry_run,
            output,
            progress: Progress::new(output),
            lists: Lists::default(),
            digests: None,
        }
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Writes lists of paths instead of one line for each difference.
    pub(super) fn with_lists(mut self, lists: Lists) -> Self {
        self.lists = lists;
        self
    }

    pub(super) fn with_digests(mut self, digests: Digests) -> Self {
        self.digests = Some(digests);
        self
    }

    /// The run did not start.
    pub(crate) fn refused(&self, error: &SyncError) -> Exit {
        let exit = self.output.fail(error);
        self.output.summary(
            &self.name,
            Counts {
                errors: 1,
                ..Counts::default()
            },
        );
        exit
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Planned(action @ Action::Skip { reason, .. }) if reason.is_notable() => {
                self.progress.aside(|| {
                    self.output.note(|| action.to_string());
                    self.output.object(|| action_json("left-out", action));
                });
            }
            Event::Planned(action) => {
                self.progress.planned(action.bytes());
                if let Some(found) = found_by(action) {
                    self.lists.add(found, action.path(), self.output);
                }
                if let Action::Relocate { from, .. } = action {
                    self.lists.add(Found::MissingOnSource, from, self.output);
                }
                if self.dry_run && (!is_unchanged(action) || self.output.verbosity() > 1) {
                    self.show(|| format!("would {action}"), || action_json("planned", action));
                }
            }
            Event::Progress { path, bytes, .. } => self.progress.at(path, *bytes),
            Event::Done { action, bytes } => self.done(action, *bytes),
            Event::Retried { path, tries, error } => self.info(
                || format!("retrying {path} after try {tries}: {error}"),
                || json!({"event": "retried", "path": path.as_str(), "tries": tries, "message": error.to_string()}),
            ),
            Event::Failed(failure) => self.failed(failure),
            Event::Match { path, .. } => self.compared(Found::Match, path, None),
            Event::Differ { path, difference } => {
                self.compared(Found::Differ, path, Some(*difference));
            }
            Event::MissingOnSource { path } if !self.command.compares() => {
                self.lists.add(Found::MissingOnSource, path, self.output);
            }
            Event::MissingOnSource { path } => self.compared(Found::MissingOnSource, path, None),
            Event::MissingOnDestination { path } => {
                self.compared(Found::MissingOnDestination, path, None);
            }
            Event::Hashed { path, digest } => self.hashed(path, digest),
            Event::Duplicate { path, of, size } => self.show(
                || format!("{path} duplicates {of}"),
                || json!({"event": "duplicate", "path": path.as_str(), "of": of.as_str(), "size": size}),
            ),
            _ => {}
        }
    }

    fn done(&mut self, action: &Action, bytes: u64) {
        self.progress.done(action.path(), bytes);
        if !self.dry_run {
            self.info(|| action.to_string(), || action_json("done", action));
        }
    }

    /// The figures so far.
    pub(crate) fn stats(&self) {
        let seconds = self.output.seconds();
        self.progress.aside(|| {
            self.output.note(|| self.progress.line(seconds));
            self.output.object(|| self.progress.json(seconds));
        });
    }

    fn failed(&mut self, failure: &Failure) {
        if let Some(path) = &failure.path {
            self.progress.failed(path);
            let found = match &*failure.error {
                SyncError::Immutable(_) => Found::Differ,
                _ => Found::Error,
            };
            self.lists.add(found, path, self.output);
        }
        self.progress.aside(|| {
            self.output.object(|| {
                json!({
                    "event": "error",
                    "path": failure.path.as_ref().map(|path| path.as_str()),
                    "operation": failure.operation.as_str(),
                    "kind": failure.error.kind().as_str(),
                    "message": failure.error.to_string(),
                })
            });
            self.output
                .error(&failure.to_string(), hint::of(&*failure.error));
        });
    }

    /// One line of a check, marked as rclone's `--combined` marks it, or an entry of the lists.
    fn compared(&mut self, found: Found, path: &str, difference: Option<Difference>) {
        self.progress.compared();
        let json = || match difference {
            Some(difference) => {
                json!({"event": found.event(), "path": path, "reason": difference.to_string()})
            }
            None => json!({"event": found.event(), "path": path}),
        };
        if !self.lists.is_empty() {
            self.lists.add(found, path, self.output);
            return self.progress.aside(|| self.output.object(json));
        }
        self.show_if(
            found != Found::Match || self.output.verbosity() > 0,
            || format!("{} {path}", found.mark()),
            json,
        );
    }

    fn hashed(&mut self, path: &str, digest: &Hashes) {
        self.progress.compared();
        let Some(digests) = &mut self.digests else {
            return;
        };
        let (hash, output) = (digests.hash(), self.output);
        self.progress.aside(|| {
            digests.add(path, digest, output);
            output.object(|| {
                let digest = digest.get_hex(hash);
                json!({"event": "hash", "path": path, "hash": hash.as_str(), "digest": digest})
            });
        });
    }

    fn info(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        if self.output.verbosity() > 0 || self.output.is_json() {
            self.progress.aside(|| self.output.info(text, json));
        }
    }

    fn show(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        self.show_if(true, text, json);
    }

    /// With `--json` always, for a person only if `wanted`.
    fn show_if(&self, wanted: bool, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        if wanted && !self.output.is_quiet() || self.output.is_json() {
            let line = || escape::line(&text()).into_owned();
            self.progress.aside(|| self.output.line(line, json));
        }
    }

    /// The figures at the end.
    ///
    /// # Errors
    /// When a list could not be written as a whole.
    pub(crate) fn summary(&mut self, summary: &Summary) -> Result<(), Exit> {
        self.progress.end();
        let written = self.lists.finish();
        let digests = self.digests.take().map_or(Ok(()), Digests::finish);
        let broken = written.and(digests).err();
        let broken = broken.map(|error| self.output.fail(&error));
        match self.command {
            command if command.compares() => self.output.note(|| self.check_line(summary)),
            Command::HashSum(_) => {}
            _ => self.output.note(|| self.transfer_line(summary)),
        }
        self.write_summary(summary, u64::from(broken.is_some()));
        broken.map_or(Ok(()), Err)
    }

    fn write_summary(&self, summary: &Summary, broken_lists: u64) {
        let (updated, skipped) = match self.command {
            command if command.compares() => (0, summary.matches),
            _ => (summary.updated, summary.skipped),
        };
        let differences =
            summary.differs + summary.missing_on_source + summary.missing_on_destination;
        let counts = Counts {
            created: summary.created,
            updated,
            deleted: summary.deleted,
            renamed: summary.renamed,
            skipped,
            errors: summary.errors + broken_lists,
            bytes: summary.bytes,
        };
        self.output.object(|| {
            json!({
                "event": "totals",
                "cancelled": summary.cancelled,
                "matches": summary.matches,
                "differs": summary.differs,
                "missing_on_source": summary.missing_on_source,
                "missing_on_destination": summary.missing_on_destination,
                "differences": differences,
                "removed_from_source": summary.removed_from_source,
                "directories_created": summary.directories_created,
                "directories_updated": summary.directories_updated,
                "directories_removed": summary.directories_removed,
                "deletions_withheld": summary.deletions_withheld,
                "conflicts": summary.conflicts,
                "conflicts_left": summary.conflicts_left,
                "duplicates": summary.duplicates,
                "duplicate_bytes": summary.duplicate_bytes,
            })
        });
        self.output.summary(&self.name, counts);
    }

    fn check_line(&self, summary: &Summary) -> String {
        format!(
            "{}: {} match, {} differ, {} missing on source, {} missing on destination, {} errors",
            self.name,
            summary.matches,
            summary.differs,
            summary.missing_on_source,
            summary.missing_on_destination,
            summary.errors,
        )
    }

    fn transfer_line(&self, summary: &Summary) -> String {
        let renamed = match summary.renamed {
            0 => String::new(),
            renamed => format!("{renamed} renamed, "),
        };
        let mut line = format!(
            "{}{}: {} created, {} updated, {}{} deleted, {} unchanged or skipped, {} errors; {} in {:.2} s",
            if summary.cancelled {
                "interrupted "
            } else {
                ""
            },
            if self.dry_run {
                format!("{} (dry run)", self.name)
            } else {
                self.name.clone()
            },
            summary.created,
            summary.updated,
            renamed,
            summary.deleted,
            summary.skipped,
            summary.errors,
            size(summary.bytes),
            summary.seconds,
        );
        if summary.bytes > 0 {
            line.push_str(&format!(", {}", rate(summary.bytes, summary.seconds)));
        }
        if summary.duplicates > 0 {
            let (found, bytes) = (summary.duplicates, size(summary.duplicate_bytes));
            line.push_str(&format!("; {found} duplicates of {bytes}"));
        }
        if summary.conflicts > 0 {
            let (all, left) = (summary.conflicts, summary.conflicts_left);
            line.push_str(&format!("; {all} conflicts, {left} left"));
        }
        if summary.deletions_withheld > 0 {
            let withheld = summary.deletions_withheld;
            line.push_str(&format!(
                "; {withheld} deletions withheld because of the errors"
            ));
        }
        line
    }
}

/// What a planned action tells of the two sides.
const fn found_by(action: &Action) -> Option<Found> {
    Some(match action {
        Action::Create { .. } | Action::Rename { .. } | Action::Relocate { .. } => {
            Found::MissingOnDestination
        }
        Action::Update { .. } => Found::Differ,
        Action::Delete { .. } => Found::MissingOnSource,
        // The content is the same.
        Action::SetModified { .. } | Action::RemoveSource { .. } => Found::Match,
        Action::Skip { reason, .. } => match reason {
            SkipReason::Unchanged | SkipReason::Exists | SkipReason::NewerAtDestination => {
                Found::Match
            }
            SkipReason::Missing | SkipReason::ElsewhereAlready => Found::MissingOnDestination,
            _ => return None,
        },
        _ => return None,
    })
}

const fn is_unchanged(action: &Action) -> bool {
    matches!(
        action,
        Action::Skip {
            reason: SkipReason::Unchanged,
            ..
        }
    )
}

fn action_json(event: &str, action: &Action) -> Value {
    let mut object =
        json!({"event": event, "action": action.verb(), "path": action.path().as_str()});
    match action {
        Action::Relocate { from, .. } => object["from"] = from.as_str().into(),
        Action::At { replica, action } => {
            let mut object = action_json(event, action);
            object["side"] = replica.to_string().into();
            return object;
        }
        Action::Conflict { winner, .. } => {
            object["winner"] = winner.map(|winner| winner.to_string()).into();
        }
        Action::KeepAside { to, .. } => object["to"] = to.as_str().into(),
        Action::Update { difference, .. } => object["reason"] = difference.to_string().into(),
        Action::Skip { reason, .. } => object["reason"] = reason.to_string().into(),
        Action::SetModified { modified, .. } | Action::SetDirModified { modified, .. } => {
            object["modified"] = rfc3339(*modified).into();
        }
        _ => {}
    }
    if action.bytes() > 0 {
        object["size"] = action.bytes().into();
    }
    object
}
