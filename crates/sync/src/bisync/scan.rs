use storage_core::ObjectInfo;

use super::Replica;
use super::layers::Layers;
use super::pair::Pair;
use super::print::Print;
use super::record::Record;
use super::store::Store;
use crate::SyncError;
use crate::merge::cmp_keys;
use crate::walk::{Specials, Walk, Wanted};

/// What the state and both sides have under one key.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Relative to both trees.
    pub(crate) key: String,
    pub(crate) is_dir: bool,
    /// What both sides had, if they were ever the same here.
    pub(crate) known: Option<[Print; 2]>,
    pub(crate) now: [Option<ObjectInfo>; 2],
}

/// The state and both walks as one sorted stream. Holds a few pages and a frame.
#[derive(Debug)]
pub(crate) struct Scan {
    walks: [Walk; 2],
    state: Option<Layers>,
    record: Option<Record>,
    is_filled: bool,
}

impl Scan {
    /// Starts both walks.
    pub(crate) fn start(pair: &Pair, state: Option<Layers>) -> Self {
        let walk = |replica: Replica| {
            let (side, common) = (pair.side(replica), &pair.options.common);
            let wanted = Wanted {
                directories: pair.has_directories(),
                specials: Specials::GiveAndMark,
                links: common.links.listed(),
                filter: common.filter.as_ref(),
            };
            Walk::start(side, wanted, common)
        };
        Self {
            walks: Replica::BOTH.map(walk),
            state,
            record: None,
            is_filled: false,
        }
    }

    /// The next key, `None` at the end. A directory that is not brought together is left out.
    pub(crate) async fn next(
        &mut self,
        pair: &Pair,
        store: &Store,
    ) -> Result<Option<Seen>, SyncError> {
        loop {
            for (walk, replica) in self.walks.iter_mut().zip(Replica::BOTH) {
                walk.fill().await?;
                if let Some(refused) = walk.take_refused().into_iter().next() {
                    let base = pair.side(replica).tree.prefix().len();
                    return Err(refused.error(base).1);
                }
            }
            if !self.is_filled {
                if let Some(state) = &mut self.state {
                    self.record = state.next(store).await?;
                }
                self.is_filled = true;
            }
            match self.take() {
                Some(seen) if seen.is_dir && !pair.has_directories() => {}
                // It lies below a link that is a directory elsewhere: nobody knows what became of it.
                Some(seen) if self.walks.iter_mut().any(|walk| is_hidden(walk, &seen.key)) => {}
                other => return Ok(other),
            }
        }
    }

    fn take(&mut self) -> Option<Seen> {
        let [walk1, walk2] = &mut self.walks;
        let heads = [
            walk1.head().map(|info| (walk1.relative(info), info.is_dir)),
            walk2.head().map(|info| (walk2.relative(info), info.is_dir)),
            self.record
                .as_ref()
                .map(|record| (&*record.key, record.is_dir)),
        ];
        let order = |a: &(&str, bool), b: &(&str, bool)| cmp_keys(a.0, a.1, b.0, b.1);
        let (key, is_dir) = heads.into_iter().flatten().min_by(order)?;
        let [at_path1, at_path2, at_state] = heads.map(|head| head == Some((key, is_dir)));
        let key = key.to_owned();
        let now = [
            at_path1.then(|| walk1.take()).flatten(),
            at_path2.then(|| walk2.take()).flatten(),
        ];
        let mut known = None;
        if at_state {
            self.is_filled = false;
            if let Some([Some(a), Some(b)]) = self.record.take().map(|record| record.prints) {
                known = Some([a, b]);
            }
        }
        Some(Seen {
            key,
            is_dir,
            known,
            now,
        })
    }
}

fn is_hidden(walk: &mut Walk, key: &str) -> bool {
    walk.has_marked() && walk.is_marked(key)
}
