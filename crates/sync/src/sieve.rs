use storage_filter::Filter;

/// Judges the entries of a sorted, recursive listing by their paths. Remembers the last directory,
/// as its entries mostly come together.
#[derive(Debug)]
pub(crate) struct Sieve {
    filter: Filter,
    /// The directory that was judged last, and whether it is entered.
    directory: String,
    is_entered: bool,
}

impl Sieve {
    pub(crate) const fn new(filter: Filter) -> Self {
        Self {
            filter,
            directory: String::new(),
            is_entered: true,
        }
    }

    /// Whether an entry is included, with all directories above it.
    pub(crate) fn keeps(&mut self, path: &str, is_dir: bool) -> bool {
        if self.filter.prunes() && !self.enters_parent(path) {
            return false;
        }
        if is_dir {
            self.filter.includes_directory(path)
        } else {
            self.filter.includes_path(path)
        }
    }

    fn enters_parent(&mut self, path: &str) -> bool {
        let end = path.rfind('/').unwrap_or(0);
        let parent = path.get(..end).unwrap_or_default();
        if parent != self.directory {
            parent.clone_into(&mut self.directory);
            self.is_entered = self.filter.enters_all_of(parent);
        }
        self.is_entered
    }
}
