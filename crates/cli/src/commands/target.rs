//! A file that lines are written to, or standard output.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use omnistorage::{Error, Operation, Result};

use crate::hint::Advice;
use crate::output::Output;

#[derive(Debug)]
pub(super) enum Target {
    Stdout,
    File {
        name: String,
        file: BufWriter<File>,
        /// The first write that failed.
        failed: Option<io::Error>,
    },
}

impl Target {
    /// Creates the file, empty; `-` is standard output.
    pub(super) fn open(name: &str) -> Result<Self> {
        if name == "-" {
            return Ok(Self::Stdout);
        }
        let file = File::create(name).map_err(|error| broken(error, name))?;
        Ok(Self::File {
            name: name.to_owned(),
            file: BufWriter::new(file),
            failed: None,
        })
    }

    pub(super) fn line(&mut self, line: &str, output: &Output) {
        match self {
            Self::Stdout if output.is_json() => {}
            Self::Stdout => {
                output.raw(line.as_bytes());
                output.raw(b"\n");
            }
            Self::File { file, failed, .. } => {
                if let Err(error) = writeln!(file, "{line}") {
                    failed.get_or_insert(error);
                }
            }
        }
    }

    /// Completes the file; fails if it lacks a line.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::Stdout => Ok(()),
            Self::File {
                name,
                mut file,
                failed,
            } => failed
                .map_or_else(|| file.flush(), Err)
                .map_err(|error| broken(error, &name)),
        }
    }
}

fn broken(error: io::Error, name: &str) -> Error {
    Error::from(error)
        .on(Operation::Write, "report")
        .with_path(name)
        .with_source(Advice(
            "name a file in a directory that is there and may be written to",
        ))
}
