use std::ops::AddAssign;

use crate::{Action, Command, Failure, Job, Options, Sums, SyncError, Tree};

/// How much a tree holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Size {
    /// Objects.
    pub objects: u64,
    /// Bytes of the objects whose size is known.
    pub bytes: u64,
    /// Objects whose size the store does not list.
    pub of_unknown_size: u64,
}

impl AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.of_unknown_size += other.of_unknown_size;
    }
}

impl Size {
    /// Adds up the objects that a copy of the tree would send. Memory is that of a few pages.
    ///
    /// # Errors
    /// [`SyncError::SourceMissing`], those of the listing, and [`SyncError::Option`].
    pub async fn of(tree: Tree, options: Options) -> Result<Self, SyncError> {
        let nothing = Tree::of_sums(Sums::default());
        let mut plan = Job::new(Command::Copy, tree, nothing, options)?.plan()?;
        let mut total = Self::default();
        while let Some(action) = plan.next().await {
            if let Action::Create { size, .. } = action.map_err(unshared)? {
                total += Self {
                    objects: 1,
                    bytes: size.unwrap_or(0),
                    of_unknown_size: u64::from(size.is_none()),
                };
            }
        }
        Ok(total)
    }
}

fn unshared(failure: Failure) -> SyncError {
    std::sync::Arc::try_unwrap(failure.error)
        .unwrap_or_else(|shared| SyncError::Task(shared.to_string()))
}
