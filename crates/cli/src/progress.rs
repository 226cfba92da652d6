//! How far a run has got: a bar on standard error, and a line now and then.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::output::{Output, size};

/// Files and bytes done of those planned so far. The bar is hidden unless the output shows progress.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Files done, or compared by a check.
    files: u64,
    planned_files: u64,
    /// Bytes of transfers that are done.
    done_bytes: u64,
    planned_bytes: u64,
    /// Bytes of each large file in transfer.
    in_transfer: HashMap<String, u64>,
}

impl Progress {
    pub(crate) fn new(output: &Output) -> Self {
        let bar = if output.shows_progress() {
            ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10))
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:24} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg} eta {eta}",
        ) {
            bar.set_style(style);
        }
        Self {
            bar,
            files: 0,
            planned_files: 0,
            done_bytes: 0,
            planned_bytes: 0,
            in_transfer: HashMap::new(),
        }
    }

    /// More work is known.
    pub(crate) fn planned(&mut self, bytes: u64) {
        self.planned_files += 1;
        self.planned_bytes += bytes;
        self.bar.set_length(self.planned_bytes);
    }

    /// A file in transfer has got so far.
    pub(crate) fn at(&mut self, path: &str, bytes: u64) {
        match self.in_transfer.get_mut(path) {
            Some(before) => *before = bytes,
            None => {
                self.in_transfer.insert(path.to_owned(), bytes);
            }
        }
        self.bar.set_position(self.bytes());
    }

    /// A file is done.
    pub(crate) fn done(&mut self, path: &str, bytes: u64) {
        self.in_transfer.remove(path);
        self.files += 1;
        self.done_bytes += bytes;
        self.bar.set_position(self.bytes());
        if self.files.is_multiple_of(64) || bytes > 1 << 20 {
            self.bar
                .set_message(format!("{}/{} files", self.files, self.planned_files));
        }
    }

    /// A file was given up.
    pub(crate) fn failed(&mut self, path: &str) {
        self.in_transfer.remove(path);
    }

    /// A pair of files was compared.
    pub(crate) fn compared(&mut self) {
        self.files += 1;
        if self.files.is_multiple_of(64) {
            self.bar.set_message(format!("{} compared", self.files));
        }
    }

    /// Prints without breaking the bar.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    /// Removes the bar.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// The figures so far, on one line: `1.0 GiB of 4.0 GiB, 25%, 3 of 9 files, 512.0 MiB/s, ETA 6
    /// seconds`.
    pub(crate) fn line(&self, seconds: f64) -> String {
        let (done, planned) = (self.bytes(), self.planned_bytes);
        if planned == 0 && self.planned_files == 0 {
            return format!("{} files so far", self.files);
        }
        let percent = done.saturating_mul(100).checked_div(planned).unwrap_or(100);
        let mut line = format!(
            "{} of {}, {percent}%, {} of {} files, {}",
            size(done),
            size(planned),
            self.files,
            self.planned_files,
            rate(done, seconds)
        );
        if done > 0 && planned > done {
            let left = (planned - done) as f64 * seconds / done as f64;
            let left = Duration::try_from_secs_f64(left.ceil()).unwrap_or(Duration::MAX);
            line.push_str(&format!(", ETA {}", HumanDuration(left)));
        }
        line
    }

    /// The same for a program.
    pub(crate) fn json(&self, seconds: f64) -> Value {
        json!({
            "event": "stats",
            "bytes": self.bytes(),
            "planned_bytes": self.planned_bytes,
            "files": self.files,
            "planned_files": self.planned_files,
            "seconds": seconds,
        })
    }

    fn bytes(&self) -> u64 {
        self.done_bytes + self.in_transfer.values().sum::<u64>()
    }
}

/// Rate for the closing line.
pub(crate) fn rate(bytes: u64, seconds: f64) -> String {
    format!("{}/s", size((bytes as f64 / seconds.max(0.001)) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long() {
        let mut progress = Progress {
            bar: ProgressBar::hidden(),
            files: 0,
            planned_files: 0,
            done_bytes: 0,
            planned_bytes: 0,
            in_transfer: HashMap::new(),
        };
        assert_eq!(progress.line(1.0), "0 files so far");
        progress.planned(3 << 20);
        progress.planned(1 << 20);
        progress.done("small", 1 << 20);
        progress.at("large", 512 << 10);
        progress.at("large", 1 << 20);
        let line = "2.0 MiB of 4.0 MiB, 50%, 1 of 2 files, 1.0 MiB/s, ETA 2 seconds";
        assert_eq!(progress.line(2.0), line);
        assert_eq!(progress.json(2.0)["bytes"], 2 << 20);
        progress.done("large", 3 << 20);
        assert!(
            progress
                .line(2.0)
                .starts_with("4.0 MiB of 4.0 MiB, 100%, 2 of 2 files")
        );
    }
}
