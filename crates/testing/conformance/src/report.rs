use std::fmt;

use storage_core::Features;

use crate::rule::Rule;

/// How one rule ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The backend keeps the rule.
    Passed,
    /// The backend breaks it: what was expected and what came.
    Failed(String),
    /// The rule is not about this backend, and why.
    NotApplicable(String),
}

/// One rule and how it ended. `{}` prints a line, `{:#}` also the rule in words.
#[derive(Debug, Clone)]
pub struct RuleReport {
    rule: &'static Rule,
    outcome: Outcome,
}

impl RuleReport {
    pub(crate) const fn new(rule: &'static Rule, outcome: Outcome) -> Self {
        Self { rule, outcome }
    }

    /// The rule.
    #[must_use]
    pub const fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// How it ended.
    #[must_use]
    pub const fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Whether the backend breaks the rule.
    #[must_use]
    pub const fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

impl fmt::Display for RuleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rule, name) = (self.rule, self.rule.name());
        match &self.outcome {
            Outcome::Passed => write!(f, "passed          {name}")?,
            Outcome::Failed(why) if f.alternate() => {
                return write!(
                    f,
                    "the backend breaks the rule `{name}` ({:?})\n  rule:  {}\n  found: {why}",
                    rule.topic(),
                    rule.statement()
                );
            }
            Outcome::Failed(why) => write!(f, "FAILED          {name}: {why}")?,
            Outcome::NotApplicable(why) => write!(f, "not applicable  {name}: {why}")?,
        }
        if f.alternate() {
            write!(f, "\n  rule:  {}", rule.statement())?;
        }
        Ok(())
    }
}

/// What a run of the suite found, one line a rule.
#[derive(Debug, Clone)]
pub struct Report {
    backend: &'static str,
    features: Features,
    rules: Vec<RuleReport>,
}

impl Report {
    pub(crate) const fn new(subject: (&'static str, Features), rules: Vec<RuleReport>) -> Self {
        let (backend, features) = subject;
        Self {
            backend,
            features,
            rules,
        }
    }

    /// The name of the backend that was tested.
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// The features that the backend said it has, or that a basic backend is held to.
    #[must_use]
    pub const fn features(&self) -> Features {
        self.features
    }

    /// Every rule and how it ended, in the order they ran.
    #[must_use]
    pub fn rules(&self) -> &[RuleReport] {
        &self.rules
    }

    /// The rules that the backend breaks.
    pub fn failures(&self) -> impl Iterator<Item = &RuleReport> {
        self.rules.iter().filter(|report| report.has_failed())
    }

    /// Whether the backend breaks no rule.
    #[must_use]
    pub fn is_conforming(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Ends the test unless the backend breaks no rule.
    ///
    /// # Panics
    /// With every broken rule: its statement, what was expected and what came.
    pub fn assert_conforming(&self) {
        let failures: Vec<String> = self
            .failures()
            .map(|failure| format!("{failure:#}"))
            .collect();
        assert!(
            failures.is_empty(),
            "{}: {} of {} rules broken\n{}",
            self.backend,
            failures.len(),
            self.rules.len(),
            failures.join("\n")
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.rules {
            writeln!(f, "{report}")?;
        }
        let count = |wanted: fn(&Outcome) -> bool| {
            let rules = self.rules.iter();
            rules.filter(|report| wanted(&report.outcome)).count()
        };
        write!(
            f,
            "{}: {} passed, {} failed, {} not applicable",
            self.backend,
            count(|outcome| matches!(outcome, Outcome::Passed)),
            count(|outcome| matches!(outcome, Outcome::Failed(_))),
            count(|outcome| matches!(outcome, Outcome::NotApplicable(_))),
        )
    }
}
