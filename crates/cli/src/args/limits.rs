use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};
use omnistorage::Backend;
use omnistorage::filter::{parse_age, parse_size};
use omnistorage::sync::{Cutoff, Direction, Options, Order, OrderKey, SyncError};

use super::bandwidth::Directions;

const HEADING: &str = "Limits and order";

/// How fast, how much, how often and in which order.
#[derive(Debug, Clone, Args)]
pub(crate) struct LimitArgs {
    /// Send at most so many bytes a second, as 512K or 10M, or by the time of day: '08:00,512K
    /// 18:00,off' or 'Mon-08:00,1M Sat-00:00,off'; as UP:DOWN for what goes to and comes from a remote
    #[arg(help_heading = HEADING, long, value_name = "RATE", value_parser = Directions::parse, allow_hyphen_values = false)]
    bwlimit: Option<Directions>,
    /// Send at most so many bytes a second of each file
    #[arg(help_heading = HEADING, long, value_name = "RATE", value_parser = file_rate)]
    bwlimit_file: Option<Limit<u64>>,
    /// Stop when so much has been sent
    #[arg(help_heading = HEADING, long, value_name = "SIZE", value_parser = size)]
    max_transfer: Option<Limit<u64>>,
    /// Stop after this time
    #[arg(help_heading = HEADING, long, value_name = "DURATION", value_parser = duration)]
    max_duration: Option<Duration>,
    /// What happens to transfers in progress at one of these limits
    #[arg(help_heading = HEADING, long, value_enum, ignore_case = true, default_value_t = CutoffArg::Hard)]
    cutoff_mode: CutoffArg,
    /// Begin nothing more after so many failures
    #[arg(help_heading = HEADING, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_errors: Option<u64>,
    /// Order of transfers: name, size or modtime, with ,ascending, ,descending or ,mixed,PERCENT
    #[arg(help_heading = HEADING, long, value_name = "ORDER", value_parser = order)]
    order_by: Option<Order>,
    /// Most transfers that wait to be ordered
    #[arg(help_heading = HEADING, long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    max_backlog: u32,
    /// Tries of each request of a listing or comparison
    #[arg(help_heading = HEADING, long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    low_level_retries: u32,
    /// Pause before a file is tried again [default: from 100ms, doubled each time, to 5s]
    #[arg(help_heading = HEADING, long, value_name = "DURATION", value_parser = duration)]
    retries_sleep: Option<Duration>,
}

/// A limit that may be `off`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limit<T>(Option<T>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CutoffArg {
    /// They end at once and leave nothing
    Hard,
    /// They are completed
    Soft,
    /// None is begun that would pass the limit on bytes
    Cautious,
}

impl LimitArgs {
    pub(crate) fn apply(&self, options: Options) -> Options {
        let flat = |limit: &Option<Limit<u64>>| limit.as_ref().and_then(|limit| limit.0);
        options
            .bandwidth_per_file(flat(&self.bwlimit_file))
            .max_transfer(flat(&self.max_transfer))
            .max_duration(self.max_duration)
            .cutoff(match self.cutoff_mode {
                CutoffArg::Hard => Cutoff::Hard,
                CutoffArg::Soft => Cutoff::Soft,
                CutoffArg::Cautious => Cutoff::Cautious,
            })
            .max_errors(self.max_errors)
            .order_by(self.order_by)
            .max_backlog(self.max_backlog as usize)
            .request_tries(self.low_level_retries)
            .retry_pause(self.retries_sleep)
    }
}

impl LimitArgs {
    /// Limits the bandwidth between two stores.
    ///
    /// # Errors
    /// [`SyncError::Option`] for two rates where neither store is remote.
    pub(crate) fn between(
        &self,
        options: Options,
        source: &dyn Backend,
        destination: &dyn Backend,
    ) -> Result<Options, SyncError> {
        let Some(limit) = &self.bwlimit else {
            return Ok(options);
        };
        match limit.between(is_remote(source), is_remote(destination)) {
            Some(bandwidth) => Ok(options.bandwidth(bandwidth)),
            None => Err(SyncError::Option {
                option: "bwlimit",
                reason: "nothing goes to or comes from a remote; write one rate".into(),
            }),
        }
    }
}

/// Whether a store is reached over a network.
pub(crate) fn is_remote(store: &dyn Backend) -> bool {
    !matches!(store.name(), "file" | "memory" | "sqlite")
}

fn size(text: &str) -> Result<Limit<u64>, String> {
    let size = parse_size(text).map_err(|error| error.to_string())?;
    match size {
        Some(0) => Err("0 lets nothing through; write off for no limit".to_owned()),
        size => Ok(Limit(size)),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let now = SystemTime::now();
    let before = parse_age(text, now).map_err(|error| error.to_string())?;
    let before = before.ok_or("a number with a unit is needed")?;
    Ok(now.duration_since(before).unwrap_or_default())
}

fn file_rate(text: &str) -> Result<Limit<u64>, String> {
    super::bandwidth::rate(text).map(Limit)
}

fn order(text: &str) -> Result<Order, String> {
    let mut parts = text.split(',').map(str::to_ascii_lowercase);
    let key = match parts.next().as_deref() {
        Some("name") => OrderKey::Name,
        Some("size") => OrderKey::Size,
        Some("modtime") => OrderKey::Modified,
        _ => return Err("begin with name, size or modtime".to_owned()),
    };
    let direction = match (parts.next().as_deref(), parts.next()) {
        (None | Some("ascending" | "asc"), None) => Direction::Ascending,
        (Some("descending" | "desc"), None) => Direction::Descending,
        (Some("mixed"), percent) => Direction::Mixed(match percent.map(|text| text.parse()) {
            None => 50,
            Some(Ok(percent @ 0..=100)) => percent,
            Some(_) => return Err("after mixed, write a percentage from 0 to 100".to_owned()),
        }),
        _ => return Err("go on with ,ascending, ,descending or ,mixed,PERCENT".to_owned()),
    };
    match parts.next() {
        Some(rest) => Err(format!("{rest:?} is too much")),
        None => Ok(Order::by(key).direction(direction)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_rclone_reads_them() {
        let by = |key, direction| Ok(Order::by(key).direction(direction));
        assert_eq!(order("name"), by(OrderKey::Name, Direction::Ascending));
        assert_eq!(
            order("size,desc"),
            by(OrderKey::Size, Direction::Descending)
        );
        assert_eq!(
            order("modtime,ascending"),
            by(OrderKey::Modified, Direction::Ascending)
        );
        assert_eq!(
            order("size,mixed"),
            by(OrderKey::Size, Direction::Mixed(50))
        );
        assert_eq!(
            order("size,mixed,25"),
            by(OrderKey::Size, Direction::Mixed(25))
        );
        for text in [
            "",
            "x",
            "size,x",
            "size,mixed,101",
            "size,asc,1",
            "size,mixed,1,2",
        ] {
            assert!(order(text).is_err(), "{text}");
        }
    }
}
