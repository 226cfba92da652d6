use crate::{Cursor, Glob};

/// What a listing does with symbolic links, and with FIFOs, sockets and devices. A store that has none
/// of them lists the same whatever is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Links {
    /// Gives a link as what it leads to, which is what reading does, and leaves out all that is neither
    /// object nor directory then. A recursive listing does not enter directories behind links.
    #[default]
    Resolve,
    /// Gives links, FIFOs, sockets and devices as what they are: see [`ObjectInfo::special`](crate::ObjectInfo::special).
    Show,
    /// As `Resolve`, entering directories behind links. Gives as what they are: links that lead
    /// nowhere, outside of the store or to a directory that they lie in, FIFOs, sockets and devices.
    Follow,
}

/// How to list. The default gives one level.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListOptions(ListParts);

/// [`ListOptions`] taken apart by backends, with no `..`, so that a new option cannot be overlooked.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ListParts {
    pub cursor: Option<Cursor>,
    pub limit: Option<usize>,
    pub start_after: Option<String>,
    pub recursive: bool,
    pub directories: bool,
    pub name_starts_with: Option<String>,
    pub glob: Option<Glob>,
    pub links: Links,
}

impl ListOptions {
    /// Everything below the prefix instead of one level.
    #[must_use]
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.0.recursive = recursive;
        self
    }

    /// Whether a recursive listing includes directories; a listing of one level always does. A store
    /// without directories has none to include.
    #[must_use]
    pub fn directories(mut self, directories: bool) -> Self {
        self.0.directories = directories;
        self
    }

    /// Go on where the page that gave this cursor ended. The other options must be the same.
    #[must_use]
    pub fn cursor(mut self, cursor: impl Into<Option<Cursor>>) -> Self {
        self.0.cursor = cursor.into();
        self
    }

    /// Most entries in the page, counted after filters; the default is the backend's. 0 gives an
    /// empty last page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.0.limit = Some(limit);
        self
    }

    /// Only entries that sort after this full key (a directory sorts as `name/`).
    #[must_use]
    pub fn start_after(mut self, key: impl Into<String>) -> Self {
        self.0.start_after = Some(key.into());
        self
    }

    /// Only entries whose key goes on with these characters right after the prefix.
    #[must_use]
    pub fn name_starts_with(mut self, start: impl Into<String>) -> Self {
        self.0.name_starts_with = Some(start.into());
        self
    }

    /// Only entries whose last segment matches.
    #[must_use]
    pub fn glob(mut self, glob: Glob) -> Self {
        self.0.glob = Some(glob);
        self
    }

    /// What to do with symbolic links and the like; default [`Links::Resolve`].
    #[must_use]
    pub fn links(mut self, links: Links) -> Self {
        self.0.links = links;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub fn into_parts(self) -> ListParts {
        self.0
    }
}
