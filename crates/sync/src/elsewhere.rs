use std::sync::Arc;

use storage_core::{ObjectInfo, ObjectPath, Result};

use crate::compare::Rules;
use crate::inspect::{self, Finding};
use crate::plan::{Problem, Step, Work};
use crate::planner::Item;
use crate::retry::retrying;
use crate::tree::Side;
use crate::verdict::immutable;
use crate::{Action, Difference, Failure, Job, SkipReason};

/// Trees beside the destination that may have what would be sent.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    sides: Vec<(Side, Rules)>,
}

impl Elsewhere {
    /// `None` when the job has no such trees.
    pub(crate) fn of(job: &Job) -> Option<Arc<Self>> {
        let sides = job.options.compare_dest.iter().map(|tree| {
            let side = Side::new(tree.clone());
            let rules = Rules::elsewhere(job, &side);
            (side, rules)
        });
        let sides: Vec<_> = sides.collect();
        (!sides.is_empty()).then(|| Arc::new(Self { sides }))
    }

    /// Whether an item sends something that may be elsewhere.
    pub(crate) fn concerns(item: &Item) -> bool {
        let Ok(Step::Act(Work { action, source, .. })) = item else {
            return false;
        };
        source.is_some() && matches!(action, Action::Create { .. } | Action::Update { .. })
    }

    /// What is left of an item: nothing is sent that is the same elsewhere.
    pub(crate) async fn settle(&self, job: &Job, item: Item) -> Item {
        let (path, source) = match &item {
            Ok(Step::Act(Work {
                action,
                source: Some(source),
                ..
            })) if Self::concerns(&item) => (action.path(), source),
            _ => return item,
        };
        let is_update =
            matches!(&item, Ok(Step::Act(work)) if matches!(work.action, Action::Update { .. }));
        match self.has(job, path, source).await {
            Ok(false) if job.options.immutable && is_update => Err(immutable(path.clone())),
            Ok(false) => item,
            Ok(true) => {
                let (path, reason) = (path.clone(), SkipReason::ElsewhereAlready);
                Ok(Step::Act(Action::Skip { path, reason }.into()))
            }
            Err(error) => Err(Problem::of_object(Failure::of(path.clone(), error))),
        }
    }

    async fn has(&self, job: &Job, path: &ObjectPath, source: &ObjectInfo) -> Result<bool> {
        for (side, rules) in &self.sides {
            let there = side.tree.prefix().join(path)?;
            let found = retrying(job.options.request_tries, || inspect::stat(side, &there));
            let Some(found) = found.await?.filter(|found| !found.is_dir) else {
                continue;
            };
            let verdict = rules.judge((&job.source, source), (side, &found), false);
            let source = source.clone();
            let compared = inspect::inspect(job, side, rules, verdict, source, found).await?;
            let same = matches!(
                compared.finding,
                Finding::Same(_) | Finding::OtherTime | Finding::Differ(Difference::Modified)
            );
            if same {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
