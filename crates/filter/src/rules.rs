use std::sync::Arc;

use crate::error::Flaw;
use crate::{FilterError, Pattern, directories};

/// Where a rule stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) source: Arc<str>,
    pub(crate) line: usize,
    /// The characters of the line that come before the pattern.
    pub(crate) indent: usize,
    pub(crate) text: String,
}

impl Place {
    /// A rule that was given by itself.
    pub(crate) fn alone(source: &str, text: &str) -> Self {
        Self {
            source: source.into(),
            line: 1,
            indent: 0,
            text: text.to_owned(),
        }
    }

    pub(crate) fn error(&self, flaw: Flaw) -> FilterError {
        FilterError::Rule {
            source_name: Arc::clone(&self.source),
            line: self.line,
            column: self.indent + flaw.at + 1,
            reason: flaw.reason,
            text: self.text.clone(),
        }
    }
}

/// The lines of a file that say something: blank ones and comments are left out, the others trimmed.
pub(crate) fn lines<'a>(source: &str, text: &'a str) -> impl Iterator<Item = (Place, &'a str)> {
    let source: Arc<str> = source.into();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().filter_map(move |(number, line)| {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            return None;
        }
        let before = line.len() - line.trim_start().len();
        let place = Place {
            source: Arc::clone(&source),
            line: number + 1,
            indent: line.get(..before).unwrap_or_default().chars().count(),
            text: line.to_owned(),
        };
        Some((place, trimmed))
    })
}

/// A pattern that is still to be compiled: how depends on options that may come later.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) include: bool,
    pub(crate) pattern: String,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    include: bool,
    pattern: Pattern,
}

/// Ordered rules, for files and for directories. The first that matches decides; what none matches is
/// included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    files: Vec<Rule>,
    directories: Vec<Rule>,
}

impl Rules {
    /// Adds a rule. One that ends with `/` is for directories; to exclude one excludes all below it.
    pub(crate) fn add(&mut self, draft: &Draft, ignore_case: bool) -> Result<(), FilterError> {
        let Draft {
            include,
            pattern,
            place,
        } = draft;
        let only_directories = pattern.ends_with('/');
        let mut glob = pattern.clone();
        if only_directories && !include {
            glob.push_str("**");
        }
        let anything = glob.contains("**");
        let compile = |glob: &str| Pattern::compile(glob, ignore_case);
        let pattern = compile(&glob).map_err(|flaw| place.error(flaw))?;
        let rule = |pattern| Rule {
            include: *include,
            pattern,
        };
        if anything || !only_directories {
            self.files.push(rule(pattern.clone()));
            // An excluded file says nothing of its directory, unless all files are excluded.
            if *include || glob == "*" {
                for directory in directories::of_files(&glob) {
                    let pattern = compile(&directory).map_err(|flaw| place.error(flaw))?;
                    self.directories.push(rule(pattern));
                }
            }
        }
        if anything || only_directories {
            self.directories.push(rule(pattern));
        }
        Ok(())
    }

    pub(crate) fn includes_file(&self, path: &str) -> bool {
        decide(&self.files, path)
    }

    /// `directory` ends with `/`.
    pub(crate) fn includes_directory(&self, directory: &str) -> bool {
        decide(&self.directories, directory)
    }

    /// Whether some directory may be excluded.
    pub(crate) fn exclude_directories(&self) -> bool {
        self.directories.iter().any(|rule| !rule.include)
    }
}

fn decide(rules: &[Rule], path: &str) -> bool {
    let first = rules.iter().find(|rule| rule.pattern.matches(path));
    first.is_none_or(|rule| rule.include)
}
