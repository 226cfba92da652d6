use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::SystemTime;

use clap::Args;
use omnistorage::filter::{parse_age, parse_size};

use crate::time::parse_time;

const HEADING: &str = "Which files";

// The filter of every command that works on many files, in rclone's language.
#[derive(Debug, Clone, Args)]
pub(crate) struct FilterArgs {
    /// Include files that match, and exclude all others
    #[arg(help_heading = HEADING, long, value_name = "PATTERN")]
    pub(crate) include: Vec<String>,
    /// Include the patterns in FILE, one a line; `-` is standard input
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) include_from: Vec<String>,
    /// Exclude files that match
    #[arg(help_heading = HEADING, long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    /// Exclude the patterns in FILE
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) exclude_from: Vec<String>,
    /// Add a rule: '+ PATTERN', '- PATTERN' or '!'; the first that matches decides
    #[arg(help_heading = HEADING, short, long, value_name = "RULE", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,
    /// Add the rules in FILE
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) filter_from: Vec<String>,
    /// Only the files listed in FILE, one a line
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) files_from: Vec<String>,
    /// The same, taking each line as it is: no comments, no spaces trimmed
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) files_from_raw: Vec<String>,
    /// The same, with NUL between names
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub(crate) files_from0: Vec<String>,
    /// Exclude directories that hold a file of this name
    #[arg(help_heading = HEADING, long, value_name = "NAME")]
    pub(crate) exclude_if_present: Vec<String>,
    /// One of N parts of all files, by a hash of their paths: K/N, or @/N for any of them
    #[arg(help_heading = HEADING, long, value_name = "K/N", value_parser = part)]
    pub(crate) hash_filter: Option<(u64, u64)>,
    /// Let patterns take upper and lower case for the same
    #[arg(help_heading = HEADING, long)]
    pub(crate) ignore_case: bool,
    /// Exclude what lies deeper: 1 is the top level alone; -1 for no bound
    #[arg(help_heading = HEADING, long, value_name = "N", value_parser = depth, allow_negative_numbers = true)]
    pub(crate) max_depth: Option<Depth>,
    /// Exclude files of fewer KiB, or of a number with B, K, M, G, T or P
    #[arg(help_heading = HEADING, long, value_name = "SIZE", value_parser = size)]
    pub(crate) min_size: Option<Size>,
    /// Exclude files of more
    #[arg(help_heading = HEADING, long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_size: Option<Size>,
    /// Exclude files younger than this, such as 30s, 12h, 7d, 3M, or modified after a date
    #[arg(help_heading = HEADING, long, value_name = "AGE", value_parser = age)]
    pub(crate) min_age: Option<Age>,
    /// Exclude files older than this, or modified before a date
    #[arg(help_heading = HEADING, long, value_name = "AGE", value_parser = age)]
    pub(crate) max_age: Option<Age>,
}

/// A bound, or `None` where it is given as `off`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) Option<u64>);

/// The time that an age begins at; `None` for `off`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Age(pub(crate) Option<SystemTime>);

/// A number of levels; `None` for a negative one, which rclone takes for no bound.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Depth(pub(crate) Option<usize>);

fn size(text: &str) -> Result<Size, String> {
    parse_size(text)
        .map(Size)
        .map_err(|error| error.to_string())
}

fn age(text: &str) -> Result<Age, String> {
    match parse_age(text, SystemTime::now()) {
        Ok(time) => Ok(Age(time)),
        Err(error) => match parse_time(text) {
            Some(time) => Ok(Age(Some(time))),
            None => Err(format!(
                "{error}, or a date as in 2026-01-31 or 2026-01-31T12:00:00Z"
            )),
        },
    }
}

fn part(text: &str) -> Result<(u64, u64), String> {
    let number = |text: &str| text.parse::<u64>().ok();
    let wrong = || "write K/N with two numbers, as in 0/4, or @/N".to_owned();
    let (part, of) = text.split_once('/').ok_or_else(wrong)?;
    let of = number(of).filter(|of| *of > 0).ok_or_else(wrong)?;
    let part = match part {
        // Keyed afresh from the system's randomness.
        "@" => RandomState::new().build_hasher().finish(),
        part => number(part).ok_or_else(wrong)?,
    };
    Ok((part, of))
}

fn depth(text: &str) -> Result<Depth, String> {
    match text.parse::<i64>() {
        Ok(0) => Err("no file is at a depth of 0; the top level is 1".to_owned()),
        Ok(levels) => Ok(Depth(usize::try_from(levels).ok())),
        Err(error) => Err(error.to_string()),
    }
}
