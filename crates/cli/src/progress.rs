//! The progress bar: one line on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Output, size};

/// Files and bytes done of those planned so far. Hidden unless the output shows progress.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    files: u64,
    planned_files: u64,
    /// Bytes of transfers that are done; the bar adds those in progress.
    done_bytes: u64,
    planned_bytes: u64,
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
        }
    }

    /// More work is known.
    pub(crate) fn planned(&mut self, bytes: u64) {
        self.planned_files += 1;
        self.planned_bytes += bytes;
        self.bar.set_length(self.planned_bytes);
    }

    /// A file in transfer has got so far.
    pub(crate) fn at(&self, bytes: u64) {
        self.bar.set_position(self.done_bytes + bytes);
    }

    /// A file is done.
    pub(crate) fn done(&mut self, bytes: u64) {
        self.files += 1;
        self.done_bytes += bytes;
        self.bar.set_position(self.done_bytes);
        if self.files.is_multiple_of(64) || bytes > 1 << 20 {
            self.bar
                .set_message(format!("{}/{} files", self.files, self.planned_files));
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
}

/// Rate for the closing line.
pub(crate) fn rate(bytes: u64, seconds: f64) -> String {
    format!("{}/s", size((bytes as f64 / seconds.max(0.001)) as u64))
}
