//! From what was seen of a key to what is done about it.

use std::sync::Arc;

use storage_core::{ObjectInfo, ObjectPath, Special};

use super::decision::{Decision, Fate, Outlook, of_directory, outlook};
use super::pair::Pair;
use super::print::Print;
use super::record::Record;
use super::scan::Seen;
use super::{Prefer, Replica, Resolve};
use crate::retry::retrying;
use crate::tree::Times;
use crate::{Action, Comparison, Difference, SkipReason, SyncError, content};

/// What is to be done about a key, and what both sides had when that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) decision: Decision,
    pub(crate) record: Record,
}

/// The fates of an object on both sides, as the listings tell.
pub(crate) fn fates(pair: &Pair, seen: &Seen, prints: &[Option<Print>; 2]) -> [Fate; 2] {
    Replica::BOTH.map(|side| match (side.of(prints), &seen.known) {
        (None, _) => Fate::Missing,
        (Some(now), Some(known)) if side.of(known).is_of(now, pair.scale(side)) => Fate::Kept,
        _ => Fate::Changed,
    })
}

/// Decides where the listings are enough; `Err` where somebody has to look closer.
pub(crate) fn at_a_glance(pair: &Pair, seen: Seen) -> Result<Option<Planned>, Box<Seen>> {
    for side in Replica::BOTH {
        if let Some(special) = side
            .of(&seen.now)
            .as_ref()
            .and_then(|info| info.special.as_ref())
        {
            let decision = match special {
                Special::Link { .. } => Decision::SkipLink(side),
                _ => Decision::SkipDevice(side),
            };
            return Ok(Some(planned(decision, seen, [None, None])));
        }
    }
    if seen.is_dir {
        let there = [0, 1].map(|n| seen.now.get(n).is_some_and(Option::is_some));
        let decision = of_directory(seen.known.is_some(), there);
        let prints = [Some(Print::default()); 2];
        return Ok(decision.map(|decision| planned(decision, seen, prints)));
    }
    if pair.by_checksum() {
        return Err(Box::new(seen));
    }
    let [a, b] = &seen.now;
    let prints = [a.as_ref().map(Print::of), b.as_ref().map(Print::of)];
    match outlook(seen.known.is_some(), fates(pair, &seen, &prints)) {
        Outlook::Nothing => Ok(None),
        Outlook::Sure(decision) => Ok(Some(planned(decision, seen, prints))),
        Outlook::Update(_) | Outlook::Both => Err(Box::new(seen)),
    }
}

fn planned(decision: Decision, seen: Seen, prints: [Option<Print>; 2]) -> Planned {
    let record = Record {
        key: seen.key,
        is_dir: seen.is_dir,
        prints,
    };
    Planned { decision, record }
}

/// Decides with the contents.
pub(crate) async fn look(pair: Arc<Pair>, seen: Seen) -> Result<Option<Planned>, SyncError> {
    let mut prints = [None, None];
    for side in Replica::BOTH {
        if let Some(info) = side.of(&seen.now) {
            *side.of_mut(&mut prints) = Some(pair.print(side, info).await?);
        }
    }
    let fates = fates(&pair, &seen, &prints);
    let decision = match (outlook(seen.known.is_some(), fates), &seen.now) {
        (Outlook::Nothing, _) => return Ok(None),
        (Outlook::Sure(decision), _) => decision,
        (Outlook::Update(to), [Some(a), Some(b)]) => update(&pair, to, a, b, &prints).await?,
        (Outlook::Both, [Some(a), Some(b)]) => both(&pair, a, b, &prints).await?,
        // Cannot be: both have something.
        (Outlook::Update(_) | Outlook::Both, _) => return Ok(None),
    };
    Ok(Some(planned(decision, seen, prints)))
}

async fn update(
    pair: &Pair,
    to: Replica,
    a: &ObjectInfo,
    b: &ObjectInfo,
    prints: &[Option<Print>; 2],
) -> Result<Decision, SyncError> {
    if !is_same(pair, a, b, prints).await? {
        return Ok(Decision::Send(to));
    }
    follow_time(pair, to, a, b).await
}

/// The contents are the same; the times may not be.
async fn follow_time(
    pair: &Pair,
    to: Replica,
    a: &ObjectInfo,
    b: &ObjectInfo,
) -> Result<Decision, SyncError> {
    let by_time = pair.options.common.comparison == Comparison::SizeAndTime;
    if !by_time || has_same_time(pair, a, b).await? != Some(false) {
        return Ok(Decision::Adopt);
    }
    Ok(match pair.side(to).times {
        Times::Native => Decision::SetModified(to),
        Times::Metadata => Decision::Send(to),
        Times::Lost => Decision::Adopt,
    })
}

/// Whether the times that both sides keep are the same; `None` where one keeps none.
async fn has_same_time(
    pair: &Pair,
    a: &ObjectInfo,
    b: &ObjectInfo,
) -> Result<Option<bool>, SyncError> {
    if Replica::BOTH
        .iter()
        .any(|side| pair.side(*side).times == Times::Lost)
    {
        return Ok(None);
    }
    let a = pair.complete(Replica::Path1, a).await?;
    let b = pair.complete(Replica::Path2, b).await?;
    let times = pair
        .time(Replica::Path1, &a)
        .zip(pair.time(Replica::Path2, &b));
    let [first, second] = Replica::BOTH.map(|side| pair.scale(side).window);
    Ok(times.map(|(a, b)| {
        let gap = a.duration_since(b).unwrap_or_else(|later| later.duration());
        a == b || gap < first.max(second)
    }))
}

async fn both(
    pair: &Pair,
    a: &ObjectInfo,
    b: &ObjectInfo,
    prints: &[Option<Print>; 2],
) -> Result<Decision, SyncError> {
    if let Some(prefer) = pair.options.resync {
        return begin_with(pair, prefer, a, b, prints).await;
    }
    if is_same(pair, a, b, prints).await? {
        return Ok(Decision::Adopt);
    }
    let winner = match pair.options.resolve {
        Resolve::Skip | Resolve::Error => return Ok(Decision::Leave),
        Resolve::KeepBoth => None,
        Resolve::Winner(prefer) => choose(pair, prefer, a, b).await?,
    };
    Ok(match (winner, pair.options.loser) {
        (Some(winner), super::Loser::Delete) => Decision::Send(winner.other()),
        _ => Decision::KeepBoth(winner),
    })
}

/// In a resync: sizes and times that are the same are enough, as for a sync.
async fn begin_with(
    pair: &Pair,
    prefer: Prefer,
    a: &ObjectInfo,
    b: &ObjectInfo,
    prints: &[Option<Print>; 2],
) -> Result<Decision, SyncError> {
    let winner = choose(pair, prefer, a, b).await?.unwrap_or(Replica::Path1);
    let to = winner.other();
    let by_time = pair.options.common.comparison == Comparison::SizeAndTime;
    let sizes = a.size.zip(b.size).is_some_and(|(a, b)| a == b);
    if by_time && sizes && has_same_time(pair, a, b).await? == Some(true) {
        return Ok(Decision::Adopt);
    }
    update(pair, to, a, b, prints).await
}

async fn choose(
    pair: &Pair,
    prefer: Prefer,
    a: &ObjectInfo,
    b: &ObjectInfo,
) -> Result<Option<Replica>, SyncError> {
    if !matches!(prefer, Prefer::Newer | Prefer::Older) {
        return Ok(pair.preferred(prefer, a, b));
    }
    let a = pair.complete(Replica::Path1, a).await?;
    let b = pair.complete(Replica::Path2, b).await?;
    Ok(pair.preferred(prefer, &a, &b))
}

/// Whether both sides have the same content; by size alone where that is asked for.
async fn is_same(
    pair: &Pair,
    a: &ObjectInfo,
    b: &ObjectInfo,
    prints: &[Option<Print>; 2],
) -> Result<bool, SyncError> {
    if a.size.zip(b.size).is_some_and(|(a, b)| a != b) {
        return Ok(false);
    }
    if pair.options.common.comparison == Comparison::SizeOnly {
        return Ok(true);
    }
    let [first, second] = prints.map(|print| print?.content);
    if first.is_some() && first == second {
        return Ok(true);
    }
    let sides = (pair.side(Replica::Path1), pair.side(Replica::Path2));
    let compare = || content::is_same((sides.0, a), (sides.1, b), true);
    let same = retrying(pair.options.common.request_tries, compare)
        .await?
        .same;
    Ok(same)
}

impl Planned {
    /// What people see of it; `None` when nothing is done.
    pub(crate) fn action(&self) -> Option<Action> {
        // Cannot fail: the keys come from paths.
        let path = ObjectPath::new(&self.record.key).ok()?;
        let size = |side: Replica| side.of(&self.record.prints).and_then(|print| print.size);
        let sent = |to: Replica| {
            let (path, size) = (path.clone(), size(to.other()));
            match to.of(&self.record.prints) {
                None => Action::Create { path, size },
                Some(old) => Action::Update {
                    path,
                    size,
                    difference: match old.size == size {
                        true => Difference::Content,
                        false => Difference::Size,
                    },
                },
            }
        };
        let (replica, action) = match self.decision {
            Decision::Adopt | Decision::Forget => return None,
            Decision::Leave => {
                return Some(Action::Conflict {
                    path,
                    winner: None,
                    is_left: true,
                });
            }
            Decision::KeepBoth(winner) => {
                return Some(Action::Conflict {
                    path,
                    winner,
                    is_left: false,
                });
            }
            Decision::Send(to) => (to, sent(to)),
            Decision::SetModified(to) => {
                let modified = to
                    .other()
                    .of(&self.record.prints)
                    .and_then(|print| print.modified);
                let modified = modified.unwrap_or(std::time::UNIX_EPOCH);
                (to, Action::SetModified { path, modified })
            }
            Decision::Mkdir(on) => (on, Action::Mkdir { path }),
            Decision::Delete(on) => {
                let size = size(on);
                (on, Action::Delete { path, size })
            }
            Decision::Rmdir(on) => (on, Action::Rmdir { path }),
            Decision::SkipLink(on) => (on, skip(path, SkipReason::Link)),
            Decision::SkipDevice(on) => (on, skip(path, SkipReason::Device)),
        };
        let action = Box::new(action);
        Some(Action::At { replica, action })
    }
}

const fn skip(path: ObjectPath, reason: SkipReason) -> Action {
    Action::Skip { path, reason }
}
