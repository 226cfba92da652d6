use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use crate::error::Flaw;
use crate::filter::{Bounds, Filter, Listed, Parts};
use crate::part::Part;
use crate::rules::{Draft, Place, Rules, lines};
use crate::{FilterError, Pattern};

/// Builds a [`Filter`]. Rules count in the order in which they are added.
///
/// Methods that take a `source` name it in errors: the file, or the option, that the text is from.
#[derive(Debug, Clone, Default)]
pub struct FilterBuilder {
    drafts: Vec<Draft>,
    /// Whether an `include` says that all else is excluded.
    only_included: bool,
    ignore_case: bool,
    listed: Option<Listed>,
    markers: Vec<String>,
    max_depth: Option<usize>,
    bounds: Bounds,
    part: Option<Part>,
}

impl FilterBuilder {
    /// Adds one rule: `+ pattern` includes, `- pattern` excludes, `!` forgets all rules before it.
    ///
    /// # Errors
    /// [`FilterError::Rule`] for anything else, and for a pattern that cannot be understood.
    pub fn rule(self, rule: &str) -> Result<Self, FilterError> {
        self.rule_at(rule, Place::alone("filter", rule))
    }

    /// Adds the rules of a file, one a line, as [`rule`](Self::rule) takes them. Blank lines are left
    /// out, and comments, which start with `#` or `;`.
    ///
    /// # Errors
    /// As of `rule`, with the line and column.
    pub fn rules(mut self, source: &str, text: &str) -> Result<Self, FilterError> {
        for (place, line) in lines(source, text) {
            self = self.rule_at(line, place)?;
        }
        Ok(self)
    }

    /// Adds `+ pattern`, and after all other rules one that excludes the rest.
    ///
    /// # Errors
    /// [`FilterError::Rule`] for a pattern that cannot be understood.
    pub fn include(self, pattern: &str) -> Result<Self, FilterError> {
        self.pattern(true, pattern, Place::alone("include", pattern))
    }

    /// Adds the patterns of a file, one a line, as [`include`](Self::include) takes them.
    ///
    /// # Errors
    /// As of `include`, with the line and column.
    pub fn includes(mut self, source: &str, text: &str) -> Result<Self, FilterError> {
        for (place, line) in lines(source, text) {
            self = self.pattern(true, line, place)?;
        }
        // A file without patterns includes nothing.
        self.only_included = true;
        Ok(self)
    }

    /// Adds `- pattern`.
    ///
    /// # Errors
    /// [`FilterError::Rule`] for a pattern that cannot be understood.
    pub fn exclude(self, pattern: &str) -> Result<Self, FilterError> {
        self.pattern(false, pattern, Place::alone("exclude", pattern))
    }

    /// Adds the patterns of a file, one a line, as [`exclude`](Self::exclude) takes them.
    ///
    /// # Errors
    /// As of `exclude`, with the line and column.
    pub fn excludes(mut self, source: &str, text: &str) -> Result<Self, FilterError> {
        for (place, line) in lines(source, text) {
            self = self.pattern(false, line, place)?;
        }
        Ok(self)
    }

    /// Includes the paths of a file, one a line, and nothing else; `/` at their ends is left out.
    /// Blank lines and comments are left out.
    #[must_use]
    pub fn files(mut self, text: &str) -> Self {
        for (_, line) in lines("", text) {
            self.list(line);
        }
        self.listed.get_or_insert_default();
        self
    }

    /// Includes the paths given, as they are, and nothing else.
    #[must_use]
    pub fn files_raw<'a>(mut self, paths: impl IntoIterator<Item = &'a str>) -> Self {
        paths.into_iter().for_each(|path| self.list(path));
        self.listed.get_or_insert_default();
        self
    }

    /// Excludes directories that hold an object of this name.
    #[must_use]
    pub fn exclude_if_present(mut self, name: impl Into<String>) -> Self {
        self.markers.push(name.into());
        self
    }

    /// Whether patterns take upper and lower case for the same; default no.
    #[must_use]
    pub const fn ignore_case(mut self, ignore_case: bool) -> Self {
        self.ignore_case = ignore_case;
        self
    }

    /// Excludes what lies deeper: 1 is the root's own objects, default no bound.
    #[must_use]
    pub const fn max_depth(mut self, levels: usize) -> Self {
        self.max_depth = Some(levels);
        self
    }

    /// Excludes objects of fewer bytes, and of an unknown size.
    #[must_use]
    pub const fn min_size(mut self, bytes: u64) -> Self {
        self.bounds.min_size = Some(bytes);
        self
    }

    /// Excludes objects of more bytes.
    #[must_use]
    pub const fn max_size(mut self, bytes: u64) -> Self {
        self.bounds.max_size = Some(bytes);
        self
    }

    /// Excludes objects that were modified before, and those of an unknown time: a greatest age.
    #[must_use]
    pub const fn modified_since(mut self, time: SystemTime) -> Self {
        self.bounds.since = Some(time);
        self
    }

    /// Excludes objects that were modified later, and those of an unknown time: a least age.
    #[must_use]
    pub const fn modified_until(mut self, time: SystemTime) -> Self {
        self.bounds.until = Some(time);
        self
    }

    /// Includes one of `count` parts of all paths, which are about as large; an index of `count` or more
    /// starts over. The same path is always in the same part, the one that rclone chooses. 0 parts are
    /// one.
    #[must_use]
    pub fn part(mut self, index: u64, count: u64) -> Self {
        self.part = Part::new(index, count);
        self
    }

    /// Compiles the filter.
    ///
    /// # Errors
    /// [`FilterError::Conflict`] for a list of files together with rules or bounds, and for a time to
    /// start at that is after the one to end at.
    pub fn build(self) -> Result<Filter, FilterError> {
        let has_rules = !self.drafts.is_empty() || self.only_included || !self.markers.is_empty();
        let has_bounds = self.bounds != Bounds::default() || self.part.is_some();
        if self.listed.is_some() && (has_rules || has_bounds) {
            let what =
                "a list of files stands by itself: it goes with no other rule, size, age or part";
            return Err(FilterError::Conflict(what));
        }
        if let (Some(since), Some(until)) = (self.bounds.since, self.bounds.until)
            && until < since
        {
            let what = "the least age is more than the greatest, so that nothing is included";
            return Err(FilterError::Conflict(what));
        }
        let mut rules = Rules::default();
        for draft in &self.drafts {
            rules.add(draft, self.ignore_case)?;
        }
        if self.only_included {
            let (pattern, place) = ("/**".to_owned(), Place::alone("include", ""));
            let rest = Draft {
                include: false,
                pattern,
                place,
            };
            rules.add(&rest, self.ignore_case)?;
        }
        Ok(Filter(Arc::new(Parts {
            rules,
            listed: self.listed,
            markers: self.markers,
            max_depth: self.max_depth,
            bounds: self.bounds,
            part: self.part,
        })))
    }

    fn rule_at(mut self, rule: &str, place: Place) -> Result<Self, FilterError> {
        if rule == "!" {
            self.drafts.clear();
            return Ok(self);
        }
        let (include, pattern) = match (rule.strip_prefix("+ "), rule.strip_prefix("- ")) {
            (Some(pattern), _) => (true, pattern),
            (_, Some(pattern)) => (false, pattern),
            _ => {
                let reason = "a rule is `+ pattern`, `- pattern` or `!`";
                return Err(place.error(Flaw::new(0, reason)));
            }
        };
        let indent = place.indent + 2;
        self.draft(include, pattern, Place { indent, ..place })?;
        Ok(self)
    }

    fn pattern(mut self, include: bool, pattern: &str, place: Place) -> Result<Self, FilterError> {
        self.only_included |= include;
        self.draft(include, pattern, place)?;
        Ok(self)
    }

    /// Takes a pattern up, when it can be understood.
    fn draft(&mut self, include: bool, pattern: &str, place: Place) -> Result<(), FilterError> {
        if pattern.is_empty() {
            return Err(place.error(Flaw::new(0, "the pattern is empty")));
        }
        Pattern::compile(pattern, false).map_err(|flaw| place.error(flaw))?;
        let pattern = pattern.to_owned();
        self.drafts.push(Draft {
            include,
            pattern,
            place,
        });
        Ok(())
    }

    fn list(&mut self, path: &str) {
        let path = path.trim_matches('/');
        let listed = self.listed.get_or_insert_default();
        listed.files.insert(path.into());
        let parents = path
            .rmatch_indices('/')
            .map(|(end, _)| path.get(..end).unwrap_or_default());
        for parent in parents {
            if !listed.directories.insert(parent.into()) {
                break;
            }
        }
    }
}

/// A set of paths that are looked up by their text.
pub(crate) type Paths = HashSet<Box<str>>;
