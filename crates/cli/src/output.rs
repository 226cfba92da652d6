//! What a person or a program sees: text, or one JSON object a line, and the exit code.

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::{Value, json};

use crate::args::GlobalArgs;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done; nothing differs.
    Done,
    /// A difference was found, or something failed.
    Failed,
    /// The arguments make no sense.
    Usage,
    /// Stopped by a signal.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Interrupted => 130,
        })
    }
}

/// The counts of the last line of `--json`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) renamed: u64,
    pub(crate) skipped: u64,
    pub(crate) errors: u64,
    pub(crate) bytes: u64,
}

/// Standard output and error of one run.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: u8,
    progress: bool,
    started: Instant,
    stdout: Mutex<BufWriter<io::Stdout>>,
}

impl Output {
    pub(crate) fn new(global: &GlobalArgs) -> Self {
        Self {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            progress: !global.quiet
                && (global.progress || (!global.json && io::stderr().is_terminal())),
            started: Instant::now(),
            stdout: Mutex::new(BufWriter::new(io::stdout())),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn verbosity(&self) -> u8 {
        self.verbose
    }

    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// One line for a person on standard output, or one object for a program.
    pub(crate) fn line(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        if self.json {
            self.write(&json().to_string());
        } else {
            self.write(&text());
        }
    }

    /// One object, only with `--json`.
    pub(crate) fn object(&self, json: impl FnOnce() -> Value) {
        if self.json {
            self.write(&json().to_string());
        }
    }

    /// One line for a person on standard error, unless `--quiet` or `--json`.
    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        if !self.quiet && !self.json {
            eprintln!("{}", text());
        }
    }

    /// Says that something failed, on standard error, or with `--json` as an object.
    pub(crate) fn fail(&self, error: &(dyn Error + 'static)) -> Exit {
        let text = chain(error);
        self.object(|| json!({"event": "error", "message": text}));
        if !self.json {
            eprintln!("omni: {text}");
        }
        Exit::Failed
    }

    /// Says that the arguments make no sense.
    pub(crate) fn usage(&self, message: &str) -> Exit {
        self.object(|| json!({"event": "error", "message": message}));
        if !self.json {
            eprintln!("omni: {message}");
        }
        Exit::Usage
    }

    /// The last line of `--json`.
    pub(crate) fn summary(&self, command: &str, counts: Counts) {
        self.object(|| {
            json!({
                "event": "summary",
                "command": command,
                "created": counts.created,
                "updated": counts.updated,
                "deleted": counts.deleted,
                "renamed": counts.renamed,
                "skipped": counts.skipped,
                "errors": counts.errors,
                "bytes": counts.bytes,
                "seconds": self.seconds(),
            })
        });
        self.flush();
    }

    /// Hands all lines to whoever reads them.
    pub(crate) fn flush(&self) {
        if let Ok(mut stdout) = self.stdout.lock() {
            exit_if_unread(stdout.flush());
        }
    }

    fn write(&self, line: &str) {
        if let Ok(mut stdout) = self.stdout.lock() {
            exit_if_unread(writeln!(stdout, "{line}"));
        }
    }
}

/// A reader that went away (`omni ls | head`) ends the program without noise, as other tools do.
fn exit_if_unread(result: io::Result<()>) {
    if let Err(error) = result {
        if error.kind() != io::ErrorKind::BrokenPipe {
            eprintln!("omni: standard output: {error}");
            std::process::exit(1);
        }
        std::process::exit(0);
    }
}

/// An error and its causes on one line, each said once.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// A size for people: `5 B`, `1.5 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut scaled = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if scaled < 1024.0 {
            break;
        }
        scaled /= 1024.0;
        unit = next;
    }
    format!("{scaled:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 30, "5.0 GiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "16.0 EiB");
    }
}
