//! Messages for a person: on the terminal, or with `--log-file` in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::{Timestamp, Unit};

use crate::output::say;

/// How grave a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Notice,
    Info,
}

/// A file that messages are appended to, each with time and level.
#[derive(Debug)]
pub(crate) struct Log(Mutex<File>);

impl Log {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(file)))
    }

    /// Appends one message. That the log cannot be written is said on standard error, once.
    pub(crate) fn write(&self, level: Level, message: &str) {
        let now = Timestamp::now();
        let now = now.round(Unit::Millisecond).unwrap_or(now);
        let level = match level {
            Level::Error => "ERROR",
            Level::Notice => "NOTICE",
            Level::Info => "INFO",
        };
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One write a line: a line stays whole when several processes append.
        if let Err(error) = file.write_all(format!("{now} {level:<6} {message}\n").as_bytes()) {
            say(&format!("omni: the log file cannot be written: {error}"));
        }
    }
}
