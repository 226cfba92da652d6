use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use storage_core::{Backend, Error, ErrorKind, Features};

use crate::case::Case;
use crate::fresh::{BoxFuture, Fresh};
use crate::report::{Outcome, Report, RuleReport};
use crate::rule::Rule;

type Factory = Arc<dyn Fn() -> BoxFuture<storage_core::Result<Fresh>> + Send + Sync>;

/// How much work the rules make. The default suits a local store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) large: usize,
    pub(crate) many: usize,
    pub(crate) racers: usize,
    pub(crate) rounds: usize,
    pub(crate) patience: Duration,
}

/// All rules of the contract, ready to be run against one kind of backend.
///
/// ```no_run
/// # async fn example() -> storage_core::Result<()> {
/// # use storage_core::Backend;
/// # async fn open() -> storage_core::Result<std::sync::Arc<dyn Backend>> { unimplemented!() }
/// use storage_conformance::Suite;
///
/// let report = Suite::new(|| open()).large(1 << 20).run().await;
/// println!("{report}");
/// report.assert_conforming();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Suite {
    factory: Factory,
    effort: Effort,
    excuses: Vec<(&'static str, &'static str)>,
}

impl Suite {
    /// A suite for the backends that `factory` makes: a new one with an empty store, or an empty
    /// prefix of a store, each time it is called. It gives a backend, or a [`Fresh`] where there is
    /// more to say.
    pub fn new<F, T>(factory: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = storage_core::Result<T>> + Send + 'static,
        T: Into<Fresh> + 'static,
    {
        Self {
            factory: Arc::new(move || {
                let made = factory();
                Box::pin(async move { made.await.map(Into::into) })
            }),
            effort: Effort {
                large: 16 << 20,
                many: 1100,
                racers: 64,
                rounds: 25,
                patience: Duration::from_secs(120),
            },
            excuses: Vec::new(),
        }
    }

    /// Says why a rule cannot be kept with the server that a backend is tested against, through no
    /// fault of the backend's: it counts as not applicable then, and the report says why. A backend
    /// needs another server, with which it keeps the rule.
    #[must_use]
    pub fn excuse(mut self, rule: &'static str, why: &'static str) -> Self {
        self.excuses.push((rule, why));
        self
    }

    /// Bytes of a large object, at least 1 MiB; default 16 MiB. Choose more than the backend's
    /// threshold for multipart uploads.
    #[must_use]
    pub fn large(mut self, bytes: usize) -> Self {
        self.effort.large = bytes.max(1 << 20);
        self
    }

    /// Objects in the listing that spans pages of the backend's own size; default 1,100.
    #[must_use]
    pub fn many(mut self, objects: usize) -> Self {
        self.effort.many = objects.max(10);
        self
    }

    /// Writers in a race, at least 2; default 64.
    #[must_use]
    pub fn racers(mut self, writers: usize) -> Self {
        self.effort.racers = writers.max(2);
        self
    }

    /// How often a rule about concurrency is tried, at least 2; default 25.
    #[must_use]
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.effort.rounds = rounds.max(2);
        self
    }

    /// How long one rule may take before it counts as hanging, and so as failed; default two
    /// minutes.
    #[must_use]
    pub fn patience(mut self, limit: Duration) -> Self {
        self.effort.patience = limit;
        self
    }

    /// The names of all rules, in the order they run.
    pub fn rules() -> impl Iterator<Item = &'static Rule> + Clone {
        crate::rules::all()
    }

    /// Runs every rule, one after the other, each on a fresh backend. Call it on a Tokio runtime
    /// with timers; races are hard only on one with several threads.
    pub async fn run(&self) -> Report {
        let mut rules = Vec::new();
        for rule in Self::rules() {
            rules.push(self.report(rule).await);
        }
        Report::new(self.subject().await, rules)
    }

    /// Runs the rule of this name.
    ///
    /// # Errors
    /// `Config` when there is no such rule.
    pub async fn run_rule(&self, name: &str) -> storage_core::Result<RuleReport> {
        let rule = Self::rules().find(|rule| rule.name() == name);
        let rule = rule.ok_or_else(|| Error::config(format!("there is no rule {name:?}")))?;
        Ok(self.report(rule).await)
    }

    /// Name and features of what is tested.
    async fn subject(&self) -> (&'static str, Features) {
        match self.case().await {
            Ok(case) => (case.backend().name(), case.features()),
            Err(_) => ("none", Features::NONE),
        }
    }

    async fn case(&self) -> storage_core::Result<Case> {
        Ok(Case::new((self.factory)().await?, self.effort))
    }

    async fn report(&self, rule: &'static Rule) -> RuleReport {
        let case = match self.case().await {
            Ok(case) => case,
            Err(error) => {
                let message = format!("the factory failed: {error}");
                return RuleReport::new(rule, Outcome::Failed(message));
            }
        };
        let excuse = self.excuses.iter().find(|(name, _)| *name == rule.name());
        let excuse = excuse.map(|(_, why)| (*why).to_owned());
        if let Some(why) = excuse.or_else(|| rule.excused(&case)) {
            return RuleReport::new(rule, Outcome::NotApplicable(why));
        }
        RuleReport::new(rule, judge(rule, case, self.effort.patience).await)
    }
}

/// Runs one rule in a task of its own, so that a panic or a hang is a failure like any other.
async fn judge(rule: &'static Rule, case: Case, patience: Duration) -> Outcome {
    let mut task = tokio::task::JoinSet::new();
    task.spawn(async move {
        let verdict = rule.run(&case).await;
        case.release().await;
        verdict
    });
    match tokio::time::timeout(patience, task.join_next()).await {
        Err(_) => Outcome::Failed(format!("it did not end within {patience:?}")),
        Ok(None) => Outcome::Failed("it did not run".into()),
        Ok(Some(Err(error))) => Outcome::Failed(format!("it panicked: {error}")),
        Ok(Some(Ok(Err(violation)))) => Outcome::Failed(violation.to_string()),
        Ok(Some(Ok(Ok(())))) => Outcome::Passed,
    }
}

/// Runs one rule on a runtime of its own and panics when the backend breaks it: the body of the
/// tests that [`conformance!`](crate::conformance) makes.
///
/// # Panics
/// When the rule fails, with rule, statement, what was expected and what came.
#[doc(hidden)]
pub fn check(suite: &Suite, name: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build();
    let report = runtime
        .map_err(|error| Error::new(ErrorKind::Io, "no runtime").with_source(error))
        .and_then(|runtime| runtime.block_on(suite.run_rule(name)));
    match report {
        Err(error) => panic!("{error}"),
        Ok(report) if report.has_failed() => panic!("{report:#}"),
        Ok(report) => println!("{report}"),
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("effort", &self.effort)
            .finish_non_exhaustive()
    }
}
