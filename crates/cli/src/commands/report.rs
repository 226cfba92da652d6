use omnistorage::sync::{Action, Command, Event, Failure, Summary, SyncError};
use serde_json::{Value, json};

use crate::hint;
use crate::output::{Counts, Exit, Output, size};
use crate::progress::{Progress, rate};
use crate::time::rfc3339;

/// What a person or a program sees of a run.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    command: Command,
    dry_run: bool,
    output: &'a Output,
    progress: Progress,
}

impl<'a> Report<'a> {
    pub(crate) fn new(command: Command, dry_run: bool, output: &'a Output) -> Self {
        Self {
            command,
            dry_run,
            output,
            progress: Progress::new(output),
        }
    }

    /// The run did not start.
    pub(crate) fn refused(&self, error: &SyncError) -> Exit {
        let exit = self.output.fail(error);
        self.output.summary(
            &self.command.to_string(),
            Counts {
                errors: 1,
                ..Counts::default()
            },
        );
        exit
    }

    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Planned(action) => {
                self.progress.planned(action.bytes());
                if self.dry_run {
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
            Event::Match { path, .. } => self.compared("match", '=', path),
            Event::Differ { path, .. } => self.compared("differ", '*', path),
            Event::MissingOnSource { path } => self.compared("missing_on_source", '-', path),
            Event::MissingOnDestination { path } => {
                self.compared("missing_on_destination", '+', path);
            }
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

    /// One line of a check, marked as rclone's `--combined` marks it.
    fn compared(&mut self, event: &str, mark: char, path: &str) {
        self.progress.compared();
        self.show_if(
            mark != '=' || self.output.verbosity() > 0,
            || format!("{mark} {path}"),
            || json!({"event": event, "path": path}),
        );
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
            self.progress.aside(|| self.output.line(text, json));
        }
    }

    pub(crate) fn summary(&self, summary: &Summary) {
        self.progress.end();
        self.output.note(|| match self.command {
            Command::Check => check_line(summary),
            _ => self.transfer_line(summary),
        });
        let (updated, skipped) = match self.command {
            Command::Check => (0, summary.matches),
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
            errors: summary.errors,
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
                "directories_removed": summary.directories_removed,
                "deletions_withheld": summary.deletions_withheld,
            })
        });
        self.output.summary(&self.command.to_string(), counts);
    }

    fn transfer_line(&self, summary: &Summary) -> String {
        let mut line = format!(
            "{}{}: {} created, {} updated, {} deleted, {} unchanged or skipped, {} errors; {} in {:.2} s",
            if summary.cancelled {
                "interrupted "
            } else {
                ""
            },
            if self.dry_run {
                format!("{} (dry run)", self.command)
            } else {
                self.command.to_string()
            },
            summary.created,
            summary.updated,
            summary.deleted,
            summary.skipped,
            summary.errors,
            size(summary.bytes),
            summary.seconds,
        );
        if summary.bytes > 0 {
            line.push_str(&format!(", {}", rate(summary.bytes, summary.seconds)));
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

fn check_line(summary: &Summary) -> String {
    format!(
        "check: {} match, {} differ, {} missing on source, {} missing on destination, {} errors",
        summary.matches,
        summary.differs,
        summary.missing_on_source,
        summary.missing_on_destination,
        summary.errors,
    )
}

fn action_json(event: &str, action: &Action) -> Value {
    let mut object =
        json!({"event": event, "action": action.verb(), "path": action.path().as_str()});
    match action {
        Action::Update { difference, .. } => object["reason"] = difference.to_string().into(),
        Action::Skip { reason, .. } => object["reason"] = reason.to_string().into(),
        Action::SetModified { modified, .. } => object["modified"] = rfc3339(*modified).into(),
        _ => {}
    }
    if action.bytes() > 0 {
        object["size"] = action.bytes().into();
    }
    object
}
