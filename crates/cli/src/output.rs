//! What a person or a program sees: text, or one JSON object a line, and the exit code.

use std::error::Error as StdError;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use omnistorage::Error;
use omnistorage::sync::SyncError;
use serde_json::{Value, json};

use crate::args::GlobalArgs;
use crate::escape;
pub(crate) use crate::exit::Exit;
use crate::hint::{self, Advice};
use crate::log::{Level, Log};
use crate::place;

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
    command: String,
    json: bool,
    terminal: bool,
    quiet: bool,
    verbose: u8,
    progress: bool,
    stats: Option<Duration>,
    started: Instant,
    stdout: Mutex<BufWriter<io::Stdout>>,
    /// Whether the command ends when nobody reads standard output any more.
    ends_unread: AtomicBool,
    /// Nobody does, and the command goes on.
    unread: AtomicBool,
    log: Option<Log>,
    /// Advice that was given.
    hints: Mutex<Vec<&'static str>>,
    /// Errors that were said, other than those of single files of a run.
    errors: AtomicU64,
    summarized: AtomicBool,
}

impl Output {
    pub(crate) fn new(command: &str, global: &GlobalArgs) -> Self {
        Self {
            command: command.to_owned(),
            json: global.json,
            terminal: io::stdout().is_terminal(),
            quiet: global.quiet,
            verbose: global.verbose,
            progress: !global.quiet
                && (global.progress || (!global.json && io::stderr().is_terminal())),
            stats: global.stats.filter(|every| !every.is_zero()),
            started: Instant::now(),
            stdout: Mutex::new(BufWriter::new(io::stdout())),
            ends_unread: AtomicBool::new(only_prints(command)),
            unread: AtomicBool::new(false),
            log: None,
            hints: Mutex::default(),
            errors: AtomicU64::new(0),
            summarized: AtomicBool::new(false),
        }
    }

    /// Sends messages to a file from now on.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn log_to(&mut self, file: &Path) -> io::Result<()> {
        self.log = Some(Log::open(file)?);
        Ok(())
    }

    /// Has the command end when nobody reads standard output any more: it changes nothing.
    pub(crate) fn only_prints(&self) {
        self.ends_unread.store(true, Ordering::Relaxed);
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

    /// How often a run reports its figures.
    pub(crate) fn stats(&self) -> Option<Duration> {
        self.stats
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Text as it is, on standard output.
    pub(crate) fn raw(&self, text: &[u8]) {
        self.to_stdout(|stdout| stdout.write_all(text));
    }

    /// One line for a person on standard output, or one object for a program.
    pub(crate) fn line(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        if self.json {
            self.write(&json().to_string());
        } else {
            self.write(&escape::text(&text()));
        }
    }

    /// As [`line`](Self::line), but that the text is left as it is: for names that programs read.
    pub(crate) fn listed(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        let line = match self.json {
            true => json().to_string(),
            false => text(),
        };
        self.write(&line);
    }

    /// Whether a person sees standard output as it is.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// One object, only with `--json`.
    pub(crate) fn object(&self, json: impl FnOnce() -> Value) {
        if self.json {
            self.write(&json().to_string());
        }
    }

    /// One message for a person, unless `--quiet`; with `--json` only into the log file.
    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        match &self.log {
            _ if self.quiet => {}
            Some(log) => log.write(Level::Notice, &escape::line(&text())),
            None if self.json => {}
            None => say(&escape::line(&text())),
        }
    }

    /// Says what was done, if `--verbose` asks for it, and with `--json` always.
    pub(crate) fn info(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> Value) {
        let wanted = self.verbose > 0 && !self.quiet;
        match &self.log {
            Some(log) if wanted => log.write(Level::Info, &escape::line(&text())),
            None if wanted && !self.json => self.write(&escape::line(&text())),
            _ => {}
        }
        self.object(json);
    }

    /// Says that something failed and what to do, on standard error or in the log file, and with
    /// `--json` as an object. Gives the exit code for it.
    pub(crate) fn fail(&self, error: &(dyn StdError + 'static)) -> Exit {
        self.failed(&chain(error), hint::of(error));
        Exit::of(error)
    }

    fn failed(&self, text: &str, hint: Option<&'static str>) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.object(|| match hint {
            Some(hint) => json!({"event": "error", "message": text, "hint": hint}),
            None => json!({"event": "error", "message": text}),
        });
        self.error(text, hint);
    }

    /// As [`fail`](Self::fail), naming what the person named.
    pub(crate) fn fail_at(&self, named: &str, error: &Error) -> Exit {
        let named = place::shown(named);
        if chain(error).contains(&named) {
            return self.fail(error);
        }
        let (text, hint) = (format!("{named}: {}", chain(error)), hint::of(error));
        self.failed(&text, hint);
        Exit::of(error)
    }

    /// Says that the arguments make no sense.
    pub(crate) fn usage(&self, message: &str) -> Exit {
        self.failed(message, None);
        Exit::Usage
    }

    /// An error for a person: into the log file, or unless `--json` on standard error. Advice is
    /// given once.
    pub(crate) fn error(&self, text: &str, hint: Option<&'static str>) {
        let text = without_numbers(text);
        let text = &escape::line(&text);
        let hint = hint.filter(|hint| {
            let mut given = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = !given.contains(hint);
            given.extend(is_new.then_some(*hint));
            is_new
        });
        match &self.log {
            Some(log) => {
                log.write(Level::Error, text);
                if let Some(hint) = hint {
                    log.write(Level::Notice, &format!("hint: {hint}"));
                }
            }
            None if self.json => {}
            None => {
                say(&format!("omni: {text}"));
                if let Some(hint) = hint {
                    say(&format!("hint: {hint}"));
                }
            }
        }
    }

    /// The last line of `--json`.
    pub(crate) fn summary(&self, command: &str, counts: Counts) {
        self.summarized.store(true, Ordering::Relaxed);
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

    /// Ends the output: with `--json` by a summary, if there was none.
    pub(crate) fn finish(&self, exit: Exit) -> Exit {
        if !self.summarized.load(Ordering::Relaxed) {
            let counts = Counts {
                errors: self.errors.load(Ordering::Relaxed),
                ..Counts::default()
            };
            self.summary(&self.command, counts);
        }
        self.flush();
        exit
    }

    /// Hands all lines to whoever reads them.
    fn flush(&self) {
        self.to_stdout(Write::flush);
    }

    fn write(&self, line: &str) {
        self.to_stdout(|stdout| writeln!(stdout, "{line}"));
    }

    fn to_stdout(&self, write: impl FnOnce(&mut BufWriter<io::Stdout>) -> io::Result<()>) {
        let Ok(mut stdout) = self.stdout.lock() else {
            return;
        };
        if self.unread.load(Ordering::Relaxed) {
            return;
        }
        match write(&mut stdout) {
            Ok(()) => {}
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let error = error.to_string();
                say(&format!(
                    "omni: standard output: {}",
                    without_numbers(&error)
                ));
                std::process::exit(1);
            }
            // `omni ls | head` ends without noise, as other tools do.
            Err(_) if self.ends_unread.load(Ordering::Relaxed) => std::process::exit(0),
            // What a command does is more than what it says of it.
            Err(_) => self.unread.store(true, Ordering::Relaxed),
        }
    }
}

/// Whether all that a command does is to write to standard output.
fn only_prints(command: &str) -> bool {
    const PRINTING: [&str; 9] = [
        "backends",
        "cat",
        "completions",
        "hash",
        "ls",
        "man",
        "size",
        "stat",
        "tree",
    ];
    PRINTING.contains(&command)
}

/// One line on standard error. Where that cannot be written, nobody can be told.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// An error and its causes on one line, each said once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = match error.downcast_ref() {
        Some(SyncError::Option { option, reason }) => format!("{}: {reason}", flag_of(option)),
        _ => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) && !error.is::<Advice>() {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    without_numbers(&text)
}

/// The flag that sets an option of the library.
fn flag_of(option: &str) -> String {
    match option {
        "delete_timing" => "--delete-before, --delete-during".to_owned(),
        "tries" => "--retries".to_owned(),
        "request_tries" => "--low-level-retries".to_owned(),
        "bandwidth_per_file" => "--bwlimit-file".to_owned(),
        "create_empty_dirs" => "--create-empty-src-dirs".to_owned(),
        "delete_empty_source_dirs" => "--delete-empty-src-dirs".to_owned(),
        "max_delete_share" => "--max-delete".to_owned(),
        "suffixes" => "--conflict-suffix".to_owned(),
        // No flags: what the text is about.
        "check" | "common" | "destination" | "filter" | "options" | "path" | "plan" | "state" => {
            option.to_owned()
        }
        flag if flag.starts_with("--") => flag.to_owned(),
        option => format!("--{}", option.replace('_', "-")),
    }
}

/// The text without the system's numbers: `(os error 2)` tells people nothing that the words do not.
fn without_numbers(text: &str) -> String {
    let mut parts = text.split(" (os error ");
    let mut plain = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let after = part.find(')').map(|end| &part[end + 1..]);
        plain.push_str(after.unwrap_or(part));
    }
    plain
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
    use super::{size, without_numbers};

    #[test]
    fn the_numbers_of_the_system_are_left_out() {
        let text = "a: no (os error 2): b (os error 13)";
        assert_eq!(without_numbers(text), "a: no: b");
        assert_eq!(without_numbers("plain (x)"), "plain (x)");
    }

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
