//! The command line.

use std::path::PathBuf;

use crate::Result;

/// What to run, where and how often.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) name: String,
    /// Where files are written.
    pub(crate) dir: PathBuf,
    /// As given, for the command in the report; `None` is the system's temporary folder.
    pub(crate) dir_given: Option<String>,
    pub(crate) rounds: Option<usize>,
    /// Only rows whose titles contain this are run: to look into one, not for the document.
    pub(crate) row: Option<String>,
    /// The share of the work that the benchmark `network` does.
    pub(crate) scale: f64,
    /// The program `omni`.
    pub(crate) omni: Option<PathBuf>,
}

impl Arguments {
    /// Takes `NAME [--dir DIR] [--rounds N] [--row TEXT] [--scale SHARE] [--omni PROGRAM]`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let name = words
            .next()
            .ok_or("name a benchmark: backends, formats, network or sync")?;
        let mut arguments = Self {
            name,
            dir: std::env::temp_dir(),
            dir_given: None,
            rounds: None,
            row: None,
            scale: 1.0,
            omni: None,
        };
        while let Some(option) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| format!("{option} needs a value"))?;
            match option.as_str() {
                "--dir" => {
                    arguments.dir = PathBuf::from(&value);
                    arguments.dir_given = Some(value);
                }
                "--rounds" => {
                    let rounds = value.parse().ok().filter(|rounds| *rounds > 0);
                    arguments.rounds = Some(rounds.ok_or("--rounds takes a number from 1")?);
                }
                "--row" => arguments.row = Some(value),
                "--scale" => {
                    let share = value
                        .parse()
                        .ok()
                        .filter(|share| *share > 0.0 && *share <= 10.0);
                    arguments.scale = share.ok_or("--scale takes a number above 0, up to 10")?;
                }
                "--omni" => arguments.omni = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown option {option:?}").into()),
            }
        }
        std::fs::create_dir_all(&arguments.dir)?;
        arguments.dir = arguments.dir.canonicalize()?;
        Ok(arguments)
    }

    /// The command that makes this run.
    pub(crate) fn command(&self) -> String {
        let mut command = format!("cargo xtask bench {}", self.name);
        if let Some(dir) = &self.dir_given {
            command += &format!(" --dir {dir}");
        }
        if let Some(rounds) = self.rounds {
            command += &format!(" --rounds {rounds}");
        }
        if self.scale != 1.0 {
            command += &format!(" --scale {}", self.scale);
        }
        command
    }
}
