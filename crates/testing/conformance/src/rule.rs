use std::fmt;
use std::future::Future;
use std::pin::Pin;

use storage_core::Features;

use crate::case::Case;
use crate::violation::Verdict;

/// What a rule is about: the rows of the contract's table of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Topic {
    /// Keys that go in and come back as they were given.
    Path,
    /// Where a listing starts and what it covers.
    Prefix,
    /// Order, pages, filters and cursors of listings.
    Listing,
    /// Reading an object, whole or in part.
    Read,
    /// Writing an object and publishing it.
    Write,
    /// Create-new, if-version and append.
    Modes,
    /// The token that changes on every write.
    Version,
    /// Deleting objects.
    Delete,
    /// Copies within the backend.
    Copy,
    /// Renames within the backend.
    Rename,
    /// Content type, cache control, metadata and modified time.
    Metadata,
    /// Digests, computed, kept and checked.
    Hashes,
    /// `mkdir`, `rmdir` and how directories and objects exclude each other.
    Directories,
    /// What is left after `close`, and what survives a restart.
    Close,
    /// What an error tells.
    Errors,
    /// Flags that are false, and how flags agree with each other.
    Features,
}

/// What a rule asks of a backend before it applies to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// The flag of this name is true.
    On(&'static str),
    /// The flag of this name is false.
    Off(&'static str),
    /// The backend has an extended part.
    Extended,
    /// The factory gave a way to open the store again after it was closed.
    Reopen,
    /// The factory gave a way to open the store a second time beside the first.
    Second,
    /// The factory gave a way to look for what is left in the store beside objects.
    Residue,
    /// Objects stay as they were written, whoever reads them, until they are replaced or deleted: the
    /// store is not [`consuming`](crate::Fresh::consuming).
    Lasting,
}

type Run = for<'a> fn(&'a Case) -> Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// One rule of the contract, as a test that a backend passes or fails.
#[derive(Clone, Copy)]
pub struct Rule {
    name: &'static str,
    topic: Topic,
    needs: &'static [Need],
    statement: &'static str,
    run: Run,
}

impl Rule {
    pub(crate) const fn new(
        name: &'static str,
        topic: Topic,
        needs: &'static [Need],
        statement: &'static str,
        run: Run,
    ) -> Self {
        Self {
            name,
            topic,
            needs,
            statement,
            run,
        }
    }

    /// The name of the test, unique in the suite.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The row of the contract's table that the rule belongs to.
    #[must_use]
    pub const fn topic(&self) -> Topic {
        self.topic
    }

    /// The rule in words.
    #[must_use]
    pub const fn statement(&self) -> &'static str {
        self.statement
    }

    /// All that must hold for the rule to apply.
    #[must_use]
    pub const fn needs(&self) -> &'static [Need] {
        self.needs
    }

    /// Whether the rule is about backends with these features. What it needs of the factory is not
    /// looked at.
    #[must_use]
    pub fn applies(&self, features: &Features) -> bool {
        self.needs.iter().all(|need| match need {
            Need::On(flag) => is_set(*features, flag),
            Need::Off(flag) => !is_set(*features, flag),
            Need::Extended | Need::Reopen | Need::Second | Need::Residue | Need::Lasting => true,
        })
    }

    /// Why the rule does not apply to what `case` tests.
    pub(crate) fn excused(&self, case: &Case) -> Option<String> {
        self.needs.iter().find_map(|need| match need {
            Need::On(flag) => {
                (!is_set(case.features(), flag)).then(|| format!("`{flag}` is false"))
            }
            Need::Off(flag) => is_set(case.features(), flag).then(|| format!("`{flag}` is true")),
            Need::Extended => (!case.is_extended()).then(|| "a basic backend".to_owned()),
            Need::Reopen => (!case.can_reopen()).then(|| "the factory gives no `reopen`".into()),
            Need::Second => {
                (!case.can_open_second()).then(|| "the factory gives no `second`".into())
            }
            Need::Residue => (!case.can_look()).then(|| "the factory gives no `residue`".into()),
            Need::Lasting => case.is_consuming().then(|| "reading takes".into()),
        })
    }

    pub(crate) async fn run(&self, case: &Case) -> Verdict {
        (self.run)(case).await
    }
}

/// The value of a flag by name; an unknown flag is false.
pub(crate) fn is_set(features: Features, flag: &str) -> bool {
    features.iter().any(|(name, value)| name == flag && value)
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("name", &self.name)
            .field("topic", &self.topic)
            .field("needs", &self.needs)
            .field("statement", &self.statement)
            .finish_non_exhaustive()
    }
}

/// A row of a module's table: the rule is named for the function that checks it.
macro_rules! rule {
    ($function:ident, $topic:ident, [$($need:expr),*], $statement:expr $(,)?) => {
        $crate::rule::Rule::new(
            stringify!($function),
            $crate::rule::Topic::$topic,
            &[$($need),*],
            $statement,
            |case| Box::pin($function(case)),
        )
    };
}
pub(crate) use rule;
