use std::sync::Arc;
use std::time::SystemTime;

use crate::FilterBuilder;
use crate::builder::Paths;
use crate::part::Part;
use crate::rules::Rules;

/// Chooses objects by path, size and age. Cheap to clone.
///
/// An object is included if each directory above it is, none of which holds a marker, if its path is,
/// and if it keeps the bounds of size and age. The root of a tree is always entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(pub(crate) Arc<Parts>);

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) rules: Rules,
    pub(crate) listed: Option<Listed>,
    pub(crate) markers: Vec<String>,
    pub(crate) max_depth: Option<usize>,
    pub(crate) bounds: Bounds,
    pub(crate) part: Option<Part>,
}

/// A list of files, with the directories above them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) files: Paths,
    pub(crate) directories: Paths,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min_size: Option<u64>,
    pub(crate) max_size: Option<u64>,
    pub(crate) since: Option<SystemTime>,
    pub(crate) until: Option<SystemTime>,
}

impl Filter {
    /// A filter without rules, which includes everything.
    #[must_use]
    pub fn builder() -> FilterBuilder {
        FilterBuilder::default()
    }

    /// A text that is the same for filters of the same rules, in any process: to tell whether a filter
    /// is still the one that something was made with. Not to be parsed.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Parts {
            rules,
            listed,
            markers,
            max_depth,
            bounds,
            part,
        } = &*self.0;
        let listed = listed.as_ref().map(|listed| {
            let mut files: Vec<_> = listed.files.iter().collect();
            files.sort_unstable();
            files
        });
        let part = part.map_or_else(String::new, |part| format!(" {part:?}"));
        format!("{rules:?} {listed:?} {markers:?} {max_depth:?} {bounds:?}{part}")
    }

    /// Whether the path of an object is included, given that the directories above it are.
    #[must_use]
    pub fn includes_path(&self, path: &str) -> bool {
        if self.0.max_depth.is_some_and(|most| depth(path) > most) {
            return false;
        }
        match &self.0.listed {
            Some(listed) => listed.files.contains(path),
            None => {
                let is_here = self.0.part.is_none_or(|part| part.has(path));
                is_here && self.0.rules.includes_file(path)
            }
        }
    }

    /// Whether an object keeps the bounds of size and age.
    #[must_use]
    pub fn includes_attributes(&self, size: Option<u64>, modified: Option<SystemTime>) -> bool {
        let Bounds {
            min_size,
            max_size,
            since,
            until,
        } = &self.0.bounds;
        let large = min_size.is_none_or(|least| size.is_some_and(|size| size >= least));
        let small = max_size.is_none_or(|most| size.is_none_or(|size| size <= most));
        let young = since.is_none_or(|since| modified.is_some_and(|at| at >= since));
        let old = until.is_none_or(|until| modified.is_some_and(|at| at <= until));
        large && small && young && old
    }

    /// Whether the directory, given without a `/` at its end, is included, given that those above it
    /// are. What lies below one that is not, is excluded, whatever the rules say of it.
    #[must_use]
    pub fn enters(&self, directory: &str) -> bool {
        if self
            .0
            .max_depth
            .is_some_and(|most| depth(directory) >= most)
        {
            return false;
        }
        match &self.0.listed {
            Some(listed) => listed.directories.contains(directory),
            None => {
                let mut name = String::with_capacity(directory.len() + 1);
                name.push_str(directory);
                name.push('/');
                self.0.rules.includes_directory(&name)
            }
        }
    }

    /// Whether a directory itself, with nothing of what is in it, is included: as
    /// [`enters`](Self::enters), but the deepest level counts.
    #[must_use]
    pub fn includes_directory(&self, directory: &str) -> bool {
        match (self.0.max_depth, &self.0.listed) {
            (Some(most), None) if depth(directory) == most => {
                self.0.rules.includes_directory(&format!("{directory}/"))
            }
            _ => self.enters(directory),
        }
    }

    /// Whether the path of an object is included, with all directories above it.
    #[must_use]
    pub fn includes_all_of(&self, path: &str) -> bool {
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.enters_all_of(parent) && self.includes_path(path)
    }

    /// Whether the directory is [entered](Self::enters), and all those above it. The root, `""`, is.
    #[must_use]
    pub fn enters_all_of(&self, directory: &str) -> bool {
        let ends = directory.match_indices('/').map(|(end, _)| end);
        let mut all = ends.chain([directory.len()]);
        directory.is_empty() || all.all(|end| self.enters(directory.get(..end).unwrap_or_default()))
    }

    /// Whether [`enters`](Self::enters) may be false of some directory.
    #[must_use]
    pub fn prunes(&self) -> bool {
        let parts = &self.0;
        parts.listed.is_some() || parts.max_depth.is_some() || parts.rules.exclude_directories()
    }

    /// Names of objects that exclude the directory they lie in.
    #[must_use]
    pub fn markers(&self) -> &[String] {
        &self.0.markers
    }

    /// The same filter with another bound of depth, unless it has a lower one.
    #[must_use]
    pub fn with_max_depth(&self, levels: usize) -> Self {
        let parts = &self.0;
        let most = parts.max_depth.map_or(levels, |most| most.min(levels));
        Self(Arc::new(Parts {
            rules: parts.rules.clone(),
            listed: parts.listed.clone(),
            markers: parts.markers.clone(),
            max_depth: Some(most),
            bounds: parts.bounds.clone(),
            part: parts.part,
        }))
    }

    /// The bound of depth alone; `None` where there is none.
    #[must_use]
    pub fn only_depth(&self) -> Option<Self> {
        let everything = Self(Arc::default());
        Some(everything.with_max_depth(self.0.max_depth?))
    }

    /// The levels that are included, 1 for the root's own objects; `None` for all.
    #[must_use]
    pub fn max_depth(&self) -> Option<usize> {
        self.0.max_depth
    }

    /// Whether there are bounds of size or age.
    #[must_use]
    pub fn has_bounds(&self) -> bool {
        self.0.bounds != Bounds::default()
    }

    /// Whether there are bounds of age.
    #[must_use]
    pub fn has_times(&self) -> bool {
        self.0.bounds.since.is_some() || self.0.bounds.until.is_some()
    }
}

fn depth(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count() + 1
}
