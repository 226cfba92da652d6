use std::sync::Arc;

use storage_core::{ObjectInfo, ObjectPath, Result};

use crate::compare::Rules;
use crate::inspect::{self, Finding};
use crate::plan::{Problem, Step, Twin, Work};
use crate::planner::Item;
use crate::retry::retrying;
use crate::tree::Side;
use crate::verdict::immutable;
use crate::{Action, Command, Difference, Failure, Job, Options, SkipReason, Tree};

/// Trees beside the destination that may have what would be sent.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    side: Side,
    rules: Rules,
    /// Copies its objects to the destination; `None` where they are good enough where they are.
    copies: Option<Arc<Job>>,
}

impl Place {
    fn new(job: &Job, tree: &Tree, copies: bool) -> Self {
        let side = Side::new(tree.clone());
        let rules = Rules::elsewhere(job, &side);
        let copies = copies.then(|| {
            let (side, destination) = (side.clone(), job.destination.clone());
            let options = Options::clone(&job.options);
            Arc::new(Job::unchecked(Command::Copy, side, destination, options))
        });
        Self {
            side,
            rules,
            copies,
        }
    }

    /// What it has of a source object, if that is the same.
    async fn find(
        &self,
        job: &Job,
        path: &ObjectPath,
        source: &ObjectInfo,
    ) -> Result<Option<ObjectInfo>> {
        let (side, rules) = (&self.side, &self.rules);
        let there = side.tree.prefix().join(path)?;
        let found = retrying(job.options.request_tries, || inspect::stat(side, &there));
        let Some(found) = found.await?.filter(|found| !found.is_dir) else {
            return Ok(None);
        };
        let verdict = rules.judge((&job.source, source), (side, &found), false);
        let (source, listed) = (source.clone(), found.clone());
        let compared = inspect::inspect(job, side, rules, verdict, source, found).await?;
        let is_same = match compared.finding {
            Finding::Same(_) => true,
            // What is copied would have the other time.
            Finding::OtherTime | Finding::Differ(Difference::Modified) => self.copies.is_none(),
            Finding::Differ(_) | Finding::Skip(_) => false,
        };
        Ok(is_same.then_some(listed))
    }
}

impl Elsewhere {
    /// `None` when the job has no such trees.
    pub(crate) fn of(job: &Job) -> Option<Arc<Self>> {
        let compared = job.options.compare_dest.iter().map(|tree| (tree, false));
        let copied = job.options.copy_dest.iter().map(|tree| (tree, true));
        let places = compared.chain(copied);
        let places: Vec<_> = places
            .map(|(tree, copies)| Place::new(job, tree, copies))
            .collect();
        (!places.is_empty()).then(|| Arc::new(Self { places }))
    }

    /// Whether an item sends something that may be elsewhere.
    pub(crate) fn concerns(item: &Item) -> bool {
        let Ok(Step::Act(Work { action, source, .. })) = item else {
            return false;
        };
        source.is_some() && matches!(action, Action::Create { .. } | Action::Update { .. })
    }

    /// What is left of an item: nothing is sent that is the same elsewhere.
    pub(crate) async fn settle(&self, job: &Job, mut item: Item) -> Item {
        if !Self::concerns(&item) {
            return item;
        }
        let Ok(Step::Act(work)) = &mut item else {
            return item;
        };
        let Some(source) = &work.source else {
            return item;
        };
        let path = work.action.path().clone();
        let is_update = matches!(work.action, Action::Update { .. });
        for place in &self.places {
            let found = match place.find(job, &path, source).await {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(error) => return Err(Problem::of_object(Failure::of(path, error))),
            };
            match &place.copies {
                None => {
                    let reason = SkipReason::ElsewhereAlready;
                    return Ok(Step::Act(Action::Skip { path, reason }.into()));
                }
                Some(job) => {
                    let (job, listed) = (Arc::clone(job), found);
                    work.copy = Some(Box::new(Twin { job, listed }));
                    return item;
                }
            }
        }
        match job.options.immutable && is_update {
            true => Err(immutable(path)),
            false => item,
        }
    }
}
