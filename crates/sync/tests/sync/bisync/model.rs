//! Random edits on both sides, against a model of a few lines: what both sides have in the end, to
//! the byte. So no edit is lost but where the policy says so.

use std::collections::{BTreeMap, BTreeSet};

use storage_sync::{Loser, Prefer, Resolve};

use super::{Side, World};
use crate::trees::memory;

/// Content by path, and the tick of its last write; 0 for what both sides have in common.
type Files = BTreeMap<String, (String, u64)>;

/// Numbers that look random, the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }
}

const PATHS: [&str; 9] = [
    "a",
    "a.b",
    "b",
    "d/1",
    "d/2",
    "d/e/3",
    "d0",
    "n.conflict1",
    "n",
];
const CONTENTS: [&str; 4] = ["x", "y", "longer", "LONGER"];

fn content<'a>(files: &'a Files, path: &str) -> Option<&'a String> {
    files.get(path).map(|(content, _)| content)
}

struct Policy {
    resolve: Resolve,
    loser: Loser,
}

impl Policy {
    fn winner(&self, a: &(String, u64), b: &(String, u64)) -> Option<Side> {
        let by = |order: std::cmp::Ordering| match order {
            std::cmp::Ordering::Greater => Some(Side::A),
            std::cmp::Ordering::Less => Some(Side::B),
            std::cmp::Ordering::Equal => None,
        };
        match self.resolve {
            Resolve::Winner(Prefer::Path1) => Some(Side::A),
            Resolve::Winner(Prefer::Path2) => Some(Side::B),
            Resolve::Winner(Prefer::Newer) => by(a.1.cmp(&b.1)),
            Resolve::Winner(Prefer::Older) => by(b.1.cmp(&a.1)),
            Resolve::Winner(Prefer::Larger) => by(a.0.len().cmp(&b.0.len())),
            Resolve::Winner(Prefer::Smaller) => by(b.0.len().cmp(&a.0.len())),
            _ => None,
        }
    }

    /// What both sides have after a run.
    fn merged(
        &self,
        base: &BTreeMap<String, String>,
        a: &Files,
        b: &Files,
    ) -> BTreeMap<String, String> {
        let mut merged = BTreeMap::new();
        let mut torn = Vec::new();
        let paths: BTreeSet<_> = a.keys().chain(b.keys()).chain(base.keys()).collect();
        for path in paths {
            let (x, y) = (content(a, path), content(b, path));
            let is_kept = |files: &Files| match files.get(path) {
                None => !base.contains_key(path),
                Some((_, tick)) => *tick == 0,
            };
            let result = match (x, y) {
                _ if x == y => x,
                _ if is_kept(a) => y,
                _ if is_kept(b) => x,
                (None, changed) | (changed, None) => changed,
                _ => {
                    torn.push(path);
                    continue;
                }
            };
            merged.extend(result.map(|content| (path.clone(), content.clone())));
        }
        for path in torn {
            self.settle(path, a, b, &mut merged);
        }
        merged
    }

    fn settle(&self, path: &str, a: &Files, b: &Files, merged: &mut BTreeMap<String, String>) {
        let winner = self.winner(&a[path], &b[path]);
        for (side, files) in [(Side::A, a), (Side::B, b)] {
            let content = files[path].0.clone();
            if winner == Some(side) {
                merged.insert(path.to_owned(), content);
            } else if winner.is_none() || self.loser != Loser::Delete {
                let own = match (self.loser, side) {
                    (Loser::Path, Side::A) => Some(1),
                    (Loser::Path, Side::B) => Some(2),
                    _ => None,
                };
                let mut names = own
                    .into_iter()
                    .chain(1..)
                    .map(|n| format!("{path}.conflict{n}"));
                let is_free = |name: &String| {
                    !merged.contains_key(name) && !a.contains_key(name) && !b.contains_key(name)
                };
                merged.insert(names.find(is_free).unwrap(), content);
            }
        }
    }
}

async fn play(seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let prefers = [
        Prefer::Path1,
        Prefer::Path2,
        Prefer::Newer,
        Prefer::Older,
        Prefer::Larger,
        Prefer::Smaller,
    ];
    let mut resolves: Vec<_> = prefers.into_iter().map(Resolve::Winner).collect();
    resolves.push(Resolve::KeepBoth);
    let policy = Policy {
        resolve: *random.pick(&resolves),
        loser: *random.pick(&[Loser::Number, Loser::Path, Loser::Delete]),
    };
    let mut world = World::new(memory(), memory());
    world.options.resolve = policy.resolve;
    world.options.loser = policy.loser;
    world.options.force = true;
    world.resync().await;
    let mut base = BTreeMap::new();
    let (mut a, mut b) = (Files::new(), Files::new());
    let mut tick = 0;
    for round in 0..5 {
        for _ in 0..random.below(8) {
            let side = *random.pick(&Side::BOTH);
            let path = *random.pick(&PATHS);
            let files = if side == Side::A { &mut a } else { &mut b };
            if random.below(3) == 0 {
                if files.remove(path).is_some() {
                    world.delete(side, path).await;
                }
            } else {
                let content = *random.pick(&CONTENTS);
                tick += 1;
                files.insert(path.to_owned(), (content.to_owned(), tick));
                world.put(side, path, content).await;
            }
        }
        let expected = policy.merged(&base, &a, &b);
        world.run().await;
        let text = |found: &BTreeMap<String, storage_core::Bytes>| -> BTreeMap<String, String> {
            let text = |content: &[u8]| String::from_utf8(content.to_vec()).unwrap();
            found
                .iter()
                .map(|(path, content)| (path.clone(), text(content)))
                .collect()
        };
        let [at_a, at_b] = world.both().await;
        assert_eq!(
            text(&at_a),
            expected,
            "seed {seed}, round {round}, first side"
        );
        assert_eq!(
            text(&at_b),
            expected,
            "seed {seed}, round {round}, second side"
        );
        world.assert_settled().await;
        let synced: Files = expected
            .iter()
            .map(|(p, c)| (p.clone(), (c.clone(), 0)))
            .collect();
        (a, b, base) = (synced.clone(), synced, expected);
    }
}

// The clock stands still: nobody waits for the few milliseconds that events are gathered.
#[tokio::test(start_paused = true)]
async fn random_edits_come_to_what_the_model_says() {
    for seed in 1..=200 {
        play(seed).await;
    }
}
