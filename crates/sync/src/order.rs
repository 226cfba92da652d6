//! The order of transfers.

use std::collections::BTreeMap;
use std::time::SystemTime;

use storage_core::ObjectPath;

use crate::plan::Work;

/// What transfers are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OrderKey {
    /// The path.
    Name,
    /// The size; unknown ones count as 0.
    Size,
    /// The source's modified time; unknown ones count as the oldest.
    Modified,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// The smallest, oldest, or first by name.
    #[default]
    Ascending,
    /// The largest, newest, or last by name.
    Descending,
    /// From both ends: so many percent, 0 to 100, ascending and the others descending.
    Mixed(u8),
}

/// In which order objects are sent: [`Options::order_by`](crate::Options::order_by).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    /// What transfers are ordered by.
    pub key: OrderKey,
    /// Which end comes first.
    pub direction: Direction,
}

impl Order {
    /// Ascending by `key`.
    #[must_use]
    pub const fn by(key: OrderKey) -> Self {
        let direction = Direction::Ascending;
        Self { key, direction }
    }

    /// In another direction.
    #[must_use]
    pub const fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Name(ObjectPath),
    Size(u64),
    Modified(Option<SystemTime>),
}

/// Transfers that wait for their turn. Holds at most as many as it is made for.
#[derive(Debug)]
pub(crate) struct Backlog {
    order: Order,
    most: usize,
    /// The number tells apart what is equal, and keeps it in the order it came.
    waiting: BTreeMap<(Key, u64), Work>,
    pushed: u64,
    /// Percent that the ascending end is owed.
    owed: u16,
}

impl Backlog {
    pub(crate) const fn new(order: Order, most: usize) -> Self {
        Self {
            order,
            most,
            waiting: BTreeMap::new(),
            pushed: 0,
            owed: 0,
        }
    }

    /// Adds a transfer; gives the one whose turn it is when there are too many.
    pub(crate) fn push(&mut self, work: Work) -> Option<Work> {
        let key = self.key(&work);
        self.waiting.insert((key, self.pushed), work);
        self.pushed += 1;
        let full = self.waiting.len() > self.most;
        full.then(|| self.pop()).flatten()
    }

    /// The transfer whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<Work> {
        let ascending = match self.order.direction {
            Direction::Ascending => true,
            Direction::Descending => false,
            Direction::Mixed(percent) => {
                self.owed += u16::from(percent);
                let turn = self.owed >= 100;
                self.owed -= if turn { 100 } else { 0 };
                turn
            }
        };
        let next = match ascending {
            true => self.waiting.pop_first(),
            false => self.waiting.pop_last(),
        };
        next.map(|(_, work)| work)
    }

    fn key(&self, work: &Work) -> Key {
        let source = work.source.as_ref();
        match self.order.key {
            OrderKey::Name => Key::Name(work.action.path().clone()),
            OrderKey::Size => Key::Size(source.and_then(|info| info.size).unwrap_or(0)),
            OrderKey::Modified => Key::Modified(source.and_then(|info| info.modified)),
        }
    }
}
