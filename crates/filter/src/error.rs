use std::sync::Arc;

/// What is wrong with a filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// A rule or pattern cannot be understood.
    #[error("{source_name}:{line}:{column}: {reason}, in {text:?}")]
    Rule {
        /// The file, or the option for a rule that was given by itself.
        source_name: Arc<str>,
        /// The line, from 1.
        line: usize,
        /// The character in the line, from 1.
        column: usize,
        /// What is wrong.
        reason: String,
        /// The line itself.
        text: String,
    },
    /// Parts of the filter that exclude each other.
    #[error("{0}")]
    Conflict(&'static str),
}

/// What is wrong with a pattern, and at which of its characters, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) at: usize,
    pub(crate) reason: String,
}

impl Flaw {
    pub(crate) fn new(at: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { at, reason }
    }
}
