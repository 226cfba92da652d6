/// How to remove a directory. The default removes an empty one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RmdirOptions {
    /// Remove everything below it too.
    pub recursive: bool,
}

impl RmdirOptions {
    /// Remove everything below it too.
    #[must_use]
    pub const fn recursive(mut self, recursive: bool) -> Self {
        self.recursive = recursive;
        self
    }
}
