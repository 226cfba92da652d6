use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::{Either, Ready, ready};
use futures_util::stream::FuturesOrdered;

use super::decision::Decision;
use super::layers::Layers;
use super::pair::Pair;
use super::record::{Packer, Unpacker};
use super::scan::{Scan, Seen};
use super::settle::{Planned, at_a_glance, look};
use super::store::Store;
use super::{BisyncError, Replica};
use crate::SyncError;
use crate::task::Task;

type Settled = Result<Option<Planned>, SyncError>;
type Pending =
    Either<Ready<Settled>, futures_util::future::Map<Task<Settled>, fn(Joined) -> Settled>>;
type Joined = Result<Settled, tokio::task::JoinError>;

/// Decides on one key after another, in order. Holds a few pages and `checkers` comparisons.
pub(crate) struct Planner {
    pair: Arc<Pair>,
    scan: Scan,
    window: FuturesOrdered<Pending>,
    is_scanned: bool,
    pub(crate) census: Census,
}

/// What the guards judge.
#[derive(Debug, Default)]
pub(crate) struct Census {
    /// Objects that both sides had.
    known: u64,
    /// Objects that a side has lost since, and has.
    lost: [u64; 2],
    has: [u64; 2],
    /// Files that prove access: on both sides, on one.
    twins: u64,
    alone: u64,
}

impl Planner {
    pub(crate) fn new(pair: Arc<Pair>, state: Option<Layers>) -> Self {
        Self {
            scan: Scan::start(&pair, state),
            pair,
            window: FuturesOrdered::new(),
            is_scanned: false,
            census: Census::default(),
        }
    }

    /// The next thing to do, `None` at the end.
    pub(crate) async fn next(&mut self, store: &Store) -> Result<Option<Planned>, SyncError> {
        loop {
            let is_full = self.window.len() >= self.pair.options.common.checkers;
            if is_full || self.is_scanned {
                match self.window.next().await {
                    Some(settled) => match settled? {
                        Some(planned) => return Ok(Some(planned)),
                        None => continue,
                    },
                    None => return Ok(None),
                }
            }
            match self.scan.next(&self.pair, store).await? {
                Some(seen) => self.take_up(seen),
                None => self.is_scanned = true,
            }
        }
    }

    fn take_up(&mut self, seen: Seen) {
        self.census
            .count(&seen, self.pair.options.check_access.as_deref());
        match at_a_glance(&self.pair, seen) {
            Ok(None) => {}
            Ok(planned) => self.window.push_back(Either::Left(ready(Ok(planned)))),
            Err(seen) => {
                let task = Task::spawn(look(Arc::clone(&self.pair), *seen));
                let task = futures_util::FutureExt::map(task, joined as fn(Joined) -> Settled);
                self.window.push_back(Either::Right(task));
            }
        }
    }
}

fn joined(result: Joined) -> Settled {
    result.unwrap_or_else(|error| Err(SyncError::Task(error.to_string())))
}

impl Census {
    fn count(&mut self, seen: &Seen, proof: Option<&str>) {
        if seen.is_dir {
            return;
        }
        self.known += u64::from(seen.known.is_some());
        for side in Replica::BOTH {
            let is_there = side.of(&seen.now).is_some();
            *side.of_mut(&mut self.has) += u64::from(is_there);
            *side.of_mut(&mut self.lost) += u64::from(seen.known.is_some() && !is_there);
        }
        if proof.is_some() && proof == seen.key.rsplit('/').next() {
            match &seen.now {
                [Some(_), Some(_)] => self.twins += 1,
                [None, None] => {}
                _ => self.alone += 1,
            }
        }
    }

    /// Refuses what looks like an accident.
    pub(crate) fn judge(&self, pair: &Pair) -> Result<(), BisyncError> {
        let options = &pair.options;
        if let Some(name) = &options.check_access
            && (self.twins == 0 || self.alone > 0)
        {
            return Err(BisyncError::Access {
                name: name.clone(),
                found: self.twins,
                alone: self.alone,
            });
        }
        if options.force {
            return Ok(());
        }
        for side in Replica::BOTH {
            let deleted = *side.of(&self.lost);
            if deleted > 0 && *side.of(&self.has) == 0 {
                return Err(BisyncError::Empty(side));
            }
            let share = u128::from(self.known) * u128::from(options.max_delete);
            if u128::from(deleted) * 100 > share {
                return Err(BisyncError::TooManyDeletions {
                    side,
                    deleted,
                    known: self.known,
                    percent: options.max_delete,
                });
            }
        }
        Ok(())
    }
}

/// A plan that is kept, packed, until it was judged as a whole.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    packer: Packer,
}

impl Spool {
    pub(crate) fn push(&mut self, planned: &Planned) {
        self.packer.push(planned.decision.tag(), &planned.record);
    }

    pub(crate) fn into_supply(mut self) -> Supply {
        Supply::Packed(Unpacker::new(self.packer.take()))
    }
}

/// Where the next thing to do comes from.
pub(crate) enum Supply {
    Packed(Unpacker<Vec<u8>>),
    /// Nothing has to be judged as a whole.
    Live(Box<Planner>),
}

impl Supply {
    pub(crate) async fn next(&mut self, store: &Store) -> Result<Option<Planned>, SyncError> {
        let unpacker = match self {
            Self::Live(planner) => return planner.next(store).await,
            Self::Packed(unpacker) => unpacker,
        };
        let Some(unpacked) = unpacker.next() else {
            return Ok(None);
        };
        let planned = unpacked.ok().and_then(|(tag, record)| {
            let decision = Decision::of_tag(tag)?;
            Some(Planned { decision, record })
        });
        match planned {
            Some(planned) => Ok(Some(planned)),
            None => Err(SyncError::Task("the plan cannot be unpacked".to_owned())),
        }
    }
}
