use clap::Args;
use omnistorage::filter::parse_size;
use omnistorage::sync::{DeleteTiming, Options, TrackRenames};

const HEADING: &str = "Deletion";

/// When a sync deletes.
#[derive(Debug, Clone, Args)]
pub(crate) struct DeletionArgs {
    /// Delete before anything is sent
    #[arg(help_heading = HEADING, long, conflicts_with_all = ["delete_during", "delete_after"])]
    delete_before: bool,
    /// Delete while files are compared and sent; with --track-renames after
    #[arg(help_heading = HEADING, long, conflicts_with = "delete_after")]
    delete_during: bool,
    /// Delete when everything has been sent; the default
    #[arg(help_heading = HEADING, long)]
    delete_after: bool,
    /// Delete even if something failed before
    #[arg(help_heading = HEADING, long)]
    ignore_errors: bool,
    #[command(flatten)]
    choice: DoomedArgs,
}

/// What a sync deletes or renames.
#[derive(Debug, Clone, Args)]
pub(crate) struct DoomedArgs {
    /// Delete nothing if more files than this would be deleted, or this share of the files at DST, as
    /// 10%
    #[arg(help_heading = HEADING, long, value_name = "N|N%", value_parser = most, allow_negative_numbers = true)]
    max_delete: Option<Most>,
    /// Delete nothing if more bytes than this would be deleted
    #[arg(help_heading = HEADING, long, value_name = "SIZE", value_parser = size)]
    max_delete_size: Option<Size>,
    /// Delete even if the source has no files at all
    #[arg(help_heading = HEADING, long)]
    allow_empty_source: bool,
    /// Rename at DST what SRC has under another name, instead of sending it again
    #[arg(help_heading = HEADING, long)]
    track_renames: bool,
    /// What a renamed file is known by beside its size: hash, modtime, leaf, in any combination, or
    /// size alone
    #[arg(help_heading = HEADING, long, value_name = "LIST", value_parser = strategy, default_value = "hash", requires = "track_renames")]
    track_renames_strategy: TrackRenames,
}

/// A count or a share; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Most {
    Any,
    Count(u64),
    Share(u8),
}

#[derive(Debug, Clone, Copy)]
struct Size(Option<u64>);

impl DeletionArgs {
    /// Whether deletions come last although they were to come while files are sent: what is renamed
    /// and what is deleted is known only at the end.
    pub(crate) const fn are_deferred(&self) -> bool {
        self.delete_during && self.choice.track_renames
    }

    pub(crate) fn apply(&self, options: Options) -> Options {
        let options = self.choice.apply(options);
        options
            .delete_timing(match (self.delete_before, self.delete_during) {
                (true, _) => DeleteTiming::Before,
                (_, true) if !self.choice.track_renames => DeleteTiming::During,
                _ => DeleteTiming::After,
            })
            .ignore_errors(self.ignore_errors)
    }
}

impl DoomedArgs {
    pub(crate) const fn tracks_renames(&self) -> bool {
        self.track_renames
    }

    pub(crate) fn apply(&self, mut options: Options) -> Options {
        match self.max_delete {
            Some(Most::Count(count)) => options = options.max_delete(count),
            Some(Most::Share(percent)) => options = options.max_delete_share(percent),
            Some(Most::Any) | None => {}
        }
        options
            .max_delete_size(self.max_delete_size.and_then(|size| size.0))
            .allow_empty_source(self.allow_empty_source)
            .track_renames(self.track_renames.then_some(self.track_renames_strategy))
    }
}

/// As in rclone, -1 is no limit.
fn most(text: &str) -> Result<Most, String> {
    let wrong = || "write a count, or a percentage from 0% to 100%".to_owned();
    match text.strip_suffix('%') {
        Some(percent) => match percent.parse() {
            Ok(percent @ 0..=100) => Ok(Most::Share(percent)),
            _ => Err(wrong()),
        },
        None if text == "-1" => Ok(Most::Any),
        None => text.parse().map(Most::Count).map_err(|_| wrong()),
    }
}

fn size(text: &str) -> Result<Size, String> {
    parse_size(text)
        .map(Size)
        .map_err(|error| error.to_string())
}

fn strategy(text: &str) -> Result<TrackRenames, String> {
    text.split(',').try_fold(TrackRenames::SIZE, |sum, name| {
        Ok(sum
            | match name {
                "hash" => TrackRenames::HASH,
                "modtime" => TrackRenames::MODIFIED,
                "leaf" => TrackRenames::LEAF,
                "size" => TrackRenames::SIZE,
                _ => return Err(format!("{name:?} is none of hash, modtime, leaf and size")),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_shares_and_strategies() {
        assert_eq!(most("0"), Ok(Most::Count(0)));
        assert_eq!(most("10%"), Ok(Most::Share(10)));
        assert_eq!(most("-1"), Ok(Most::Any));
        for text in ["", "%", "101%", "-2", "1.5"] {
            assert!(most(text).is_err(), "{text}");
        }
        let both = TrackRenames::MODIFIED | TrackRenames::LEAF;
        assert_eq!(strategy("modtime,leaf"), Ok(both));
        assert_eq!(strategy("size"), Ok(TrackRenames::SIZE));
        assert!(strategy("hash,").is_err());
    }
}
