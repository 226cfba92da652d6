//! The lists of paths that a comparison writes, as rclone's `check` names and marks them.

use omnistorage::Result;

use super::target::Target;
use crate::args::ReportArgs;
use crate::output::Output;

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    Match,
    Differ,
    MissingOnSource,
    MissingOnDestination,
    Error,
}

impl Found {
    pub(super) const fn mark(self) -> char {
        match self {
            Self::Match => '=',
            Self::Differ => '*',
            Self::MissingOnSource => '-',
            Self::MissingOnDestination => '+',
            Self::Error => '!',
        }
    }

    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differ => "differ",
            Self::MissingOnSource => "missing_on_source",
            Self::MissingOnDestination => "missing_on_destination",
            Self::Error => "error",
        }
    }
}

#[derive(Debug)]
struct List {
    /// What it lists; `None` for everything, with marks.
    of: Option<Found>,
    target: Target,
}

/// The lists that were asked for.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<List>);

impl Lists {
    /// Creates the files, empty.
    pub(super) fn open(args: &ReportArgs) -> Result<Self> {
        let asked = [
            (None, &args.combined),
            (Some(Found::Match), &args.matching),
            (Some(Found::Differ), &args.differ),
            (Some(Found::MissingOnSource), &args.missing_on_src),
            (Some(Found::MissingOnDestination), &args.missing_on_dst),
            (Some(Found::Error), &args.error),
        ];
        let open = |(of, name): (_, &Option<String>)| {
            let target = Target::open(name.as_deref()?);
            Some(target.map(|target| List { of, target }))
        };
        let lists = asked.into_iter().filter_map(open);
        Ok(Self(lists.collect::<Result<_>>()?))
    }

    /// Whether nobody asked for any.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a path to the lists it belongs in.
    pub(super) fn add(&mut self, found: Found, path: &str, output: &Output) {
        for list in &mut self.0 {
            match list.of {
                None => list
                    .target
                    .line(&format!("{} {path}", found.mark()), output),
                Some(of) if of == found => list.target.line(path, output),
                Some(_) => {}
            }
        }
    }

    /// Completes the files; fails with the first that could not be written.
    pub(super) fn finish(&mut self) -> Result<()> {
        let lists = std::mem::take(&mut self.0);
        lists.into_iter().try_for_each(|list| list.target.finish())
    }
}
